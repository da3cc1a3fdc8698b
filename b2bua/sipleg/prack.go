package sipleg

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/txn"
	"github.com/emiago/sipgo/sip"
)

// provisional answers the caller's INVITE for the time being: plainly, or, if
// the caller requires it, so that it must be acknowledged (RFC 3262 §3).
//
//	caller          b2bua
//	  |<-183, RSeq 1--|   repeated at T1, 2*T1, 4*T1 … until
//	  |---PRACK------>|
//	  |<-----200------|
//	  |<-180, RSeq 2--|   the next one waits for that
func (l *Leg) provisional(status int, body []byte) {
	l.sendTrying()
	res := response(l.inv.tx.Request, status, "", l.tag)
	res.AppendHeader(&sip.ContactHeader{Address: l.dialog.contact})
	with(res, "Allow", allowed)
	l.assert(res, l.inv.connected)
	l.inv.again = time.Now().Add(time.Minute)
	if !l.inv.reliably {
		with(res, "Supported", supported)
		attach(res, body)
		l.reply(l.inv.tx, res)
		return
	}
	if body == nil && l.inv.offer == nil && l.inv.body == nil {
		// The first reliable response to an INVITE without offer has one (RFC 3262 §5).
		body, _ = l.describe() //nolint:errcheck // making an offer does not fail
	}
	with(res, "Require", "100rel", "Supported", supported)
	attach(res, body)
	if l.inv.reliable.Response() != nil {
		l.inv.queue = append(l.inv.queue, res)
		return
	}
	l.reliably(res)
}

// reliably sends a provisional response that must be acknowledged.
func (l *Leg) reliably(res *sip.Response) {
	l.inv.rseq++
	with(res, "RSeq", strconv.FormatUint(uint64(l.inv.rseq), 10))
	if len(res.Body()) > 0 {
		l.inv.offered = l.inv.offer == nil && !l.inv.settled
	}
	l.reply(l.inv.tx, res)
	flow := l.inv.tx.flow
	l.inv.reliable = txn.NewRepeat(res, l.agent.cfg.Timing, func(m sip.Message) error { return l.agent.send(m, flow) }, time.Now())
}

// pracked takes a PRACK (RFC 3262 §3).
func (l *Leg) pracked(s *server) {
	waiting := l.inv.reliable.Response()
	if waiting == nil || !acknowledges(s.Request, waiting) {
		l.respond(s, 481)
		return
	}
	body, err := description(s.Request)
	var answer []byte
	switch {
	case err != nil:
	case l.inv.offered && body != nil:
		err = l.audio.accept(body, l.dialog.flow)
	case l.inv.offered:
		err = leg.Cause{Status: 488}.Because("the PRACK has no answer to our offer")
	case body != nil: // another offer, once the first is answered (RFC 3262 §5)
		answer, err = l.audio.answer(body, l.direction(), l.dialog.flow)
	}
	if err != nil {
		l.respond(s, bodyRefusal(err).status)
		return
	}
	l.inv.reliable.Stop()
	if len(waiting.Body()) > 0 {
		l.inv.settled, l.inv.offered = true, false
	}
	res := response(s.Request, 200, "", l.tag)
	attach(res, answer)
	l.reply(s, res)
	switch {
	case len(l.inv.queue) > 0:
		next := l.inv.queue[0]
		l.inv.queue = l.inv.queue[1:]
		l.reliably(next)
	case l.inv.answering:
		l.inv.answering = false
		l.answer()
	}
}

// acknowledges compares RAck with what was sent: RSeq, CSeq number, method.
func acknowledges(prack *sip.Request, res *sip.Response) bool {
	want := fmt.Sprintf("%s %d %s", value(res, "RSeq"), seqOf(res), sip.INVITE)
	return strings.EqualFold(strings.Join(strings.Fields(value(prack, "RAck")), " "), want)
}

// expireReliable gives a caller up who acknowledges nothing.
func (l *Leg) expireReliable(now time.Time) {
	if l.inv.reliable.Expire(now) && l.state == called {
		l.log.Warn("no PRACK for our reliable response: the call is refused", "name", l.name)
		l.refuse(leg.Recovery.GivenBy(l.name).Because("the progress of the call was never acknowledged"))
	}
}

// acknowledgeReliable sends the PRACK of a callee's reliable response. It tells
// whether the response is to be taken notice of: not if it is a repetition or
// came out of order (RFC 3262 §4).
func (l *Leg) acknowledgeReliable(d *dialog, res *sip.Response) bool {
	if !has(tokens(res, "Require"), "100rel") {
		return true
	}
	n, ok := seconds(res, "RSeq")
	if !ok || d == nil {
		return false
	}
	rseq := uint32(n)
	if d.lastRSeq != 0 && rseq != d.lastRSeq+1 {
		return false
	}
	d.lastRSeq = rseq
	prack := d.newRequest(sip.PRACK)
	with(prack, "RAck", fmt.Sprintf("%d %d %s", rseq, seqOf(res), sip.INVITE))
	l.send(d, prack, "PRACK", func(answer *sip.Response) {
		if answer.StatusCode >= 300 {
			l.log.Info("PRACK refused", "status", answer.StatusCode)
		}
	})
	return true
}
