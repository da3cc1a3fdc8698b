package sipleg

import (
	"strconv"
	"strings"
	"time"

	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// A notice is a NOTIFY of the peer and how we answered it.
type notice struct {
	branch string
	seq    uint32
	answer answer
}

// received takes a request in our subscription's dialog. One that is repeated is
// answered as before.
func (m *mailbox) received(in wire.Inbound) {
	req, a := in.Request, m.agent
	if req.Method == sip.ACK {
		return
	}
	branch, _ := txn.Branch(req.Via())
	if m.latest.answer.res != nil && m.latest.branch == branch && m.latest.seq == seqOf(req) {
		a.desk.send(m.latest.answer.res, m.latest.answer.flow)
		return
	}
	s := a.serve(in)
	refused := m.notified(req)
	var res *sip.Response
	if refused == nil {
		res = response(req, 200, "", m.tag)
	} else {
		res = response(req, refused.status, refused.phrase, m.tag)
		with(res, refused.headers...)
		if refused.hint != "" {
			with(res, "Warning", "399 "+a.cfg.Product+` "`+quotable(refused.hint)+`"`)
			m.log.Info("message waiting: NOTIFY refused", "status", refused.status, "why", refused.hint)
		}
	}
	with(res, "Server", a.cfg.Product)
	res.SetBody(nil)
	m.latest = notice{branch, seqOf(req), answer{res, s.flow}}
	a.desk.send(res, s.flow)
	if refused == nil {
		m.state(value(req, "Subscription-State"))
	}
}

// notified reads a NOTIFY (RFC 6665 §4.1.3) and puts what it says onto the board.
// One without a body says that the peer does not know yet.
func (m *mailbox) notified(req *sip.Request) *refusal {
	if m.dialog == nil && m.tx != nil && req.Method == sip.NOTIFY {
		m.begun(fromTag(req), req, recordRoutes(req))
	}
	d := m.dialog
	switch {
	case d == nil || fromTag(req) != d.remoteTag:
		return &refusal{status: 481}
	case req.Method != sip.NOTIFY:
		return &refusal{status: 405, headers: []string{"Allow", "NOTIFY"}}
	case d.remoteSeq != 0 && seqOf(req) <= d.remoteSeq:
		return &refusal{status: 500, headers: []string{"Retry-After", "1"}} // out of order
	}
	d.remoteSeq = seqOf(req)
	if packageOf(req) != messageSummary {
		return &refusal{status: 489, headers: []string{"Allow-Events", m.agent.events()}}
	}
	if unknown := m.agent.unsupported(req); unknown != "" {
		return &refusal{status: 420, headers: []string{"Unsupported", unknown}}
	}
	m.heard, m.silent = true, time.Time{}
	d.learn(req)
	d.redirect()
	if len(req.Body()) == 0 {
		return nil
	}
	s, _, refused := summaryOf(req)
	if refused == nil && !m.leaving {
		m.agent.note(m.terms.name, m.terms.mailbox, s)
	}
	return refused
}

// state takes what a NOTIFY says of the subscription (RFC 6665 §4.1.3).
func (m *mailbox) state(v string) {
	word, _, _ := strings.Cut(v, ";")
	standing := m.now().State == Registered
	switch {
	case !strings.EqualFold(strings.TrimSpace(word), "terminated"):
		if n, err := strconv.ParseUint(param(v, "expires"), 10, 31); err == nil && n > 0 && standing {
			m.shortened(time.Duration(n) * time.Second)
		}
	case m.leaving, !standing: // as we wish; or the answer to our SUBSCRIBE is still on its way
		m.ended = v
	default:
		m.over(v)
	}
}

// shortened renews sooner what the peer lets end sooner.
func (m *mailbox) shortened(lasts time.Duration) {
	now := time.Now()
	s := m.now()
	if !now.Add(lasts + time.Second).Before(s.Until) {
		return
	}
	if m.tx == nil {
		m.next = now.Add(lasts * 3 / 4)
	}
	m.show(func(s *Registration) { s.Until, s.Next = now.Add(lasts), m.next })
}

// over subscribes anew, when RFC 6665 §4.1.3 lets us, after the peer has ended the
// subscription. It does not want to be asked again by who was rejected or has
// nothing there: that is tried once a day, for nobody starts an exchange again
// because a mailbox was set up.
func (m *mailbox) over(state string) {
	reason := param(state, "reason")
	again, _ := strconv.ParseUint(param(state, "retry-after"), 10, 31)
	lasted := time.Since(m.since)
	m.tx = nil
	m.forget()
	switch reason {
	case "rejected", "noresource", "invariant":
		m.failed(0, "the peer has ended the subscription to messages ("+reason+"): check user and mailbox"+m.at(), retryNever)
		return
	case "probation", "giveup":
		wait := min(max(2*time.Duration(again)*time.Second, retryLost), 2*retryNever)
		m.failed(0, "the peer has ended the subscription to messages for a while ("+reason+")", wait)
		return
	}
	wait := time.Duration(0)
	if m.short++; lasted >= endedSoon {
		m.short = 0
	} else {
		wait = min(reconnectWait<<min(m.short, 10), retryAtMost)
	}
	m.log.Info("the peer has ended the subscription to messages; subscribing again", "reason", oneLine(reason), "in", wait)
	m.next = time.Now().Add(wait)
	m.show(func(s *Registration) { s.Next = m.next })
}
