package sipleg

import (
	"strconv"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// challenge answers 407 and forgets the INVITE: who sends it again, or never
// acknowledges, costs nothing (RFC 3261 §8.2.7).
func (l *Leg) challenge(req *sip.Request, r *refusal) {
	if !l.agent.challenged.again(req) {
		ladder := l.ladderOf(req)
		ladder.In(l.name, drawInvite(req))
		ladder.Out(l.name, strconv.Itoa(r.status))
		l.agent.challenged.add(req, r.nonce, l.name, ladder)
	}
	res := response(req, r.status, r.phrase, l.agent.statelessTag(req))
	with(res, r.headers...)
	res.SetBody(nil)
	l.agent.send(res, l.inv.tx.flow) //nolint:errcheck // the caller will ask again
	l.inv.forgotten = true
	l.enter(over)
}

// turnAway refuses an INVITE that call control never sees.
func (l *Leg) turnAway(req *sip.Request, r *refusal) {
	l.log.Info("call refused", "status", r.status, "why", r.hint, "from", l.dialog.remote.uri.String(), "to", req.Recipient.String(), "source", l.inv.tx.flow.Remote())
	res := response(req, r.status, r.phrase, l.tag)
	with(res, r.headers...)
	if r.hint != "" {
		with(res, "Warning", "399 "+l.agent.cfg.Product+` "`+quotable(r.hint)+`"`)
	}
	res.SetBody(nil)
	l.reply(l.inv.tx, res)
	l.finish(leg.Cause{Status: r.status})
}

// bodyRefusal is the answer to a body that we can't use.
func bodyRefusal(err error) *refusal {
	r := &refusal{status: 488, hint: err.Error()}
	if c, ok := err.(leg.Cause); ok {
		r.status = c.Filled().Status
	}
	if r.status == 415 {
		r.headers = []string{"Accept", "application/sdp", "Accept-Encoding", "identity"}
	}
	return r
}

// refuse answers the caller's INVITE with what the cause means.
func (l *Leg) refuse(why leg.Cause) {
	status := refusalStatus(why)
	res := response(l.inv.tx.Request, status, phraseOf(why, status), l.tag)
	with(res, "Reason", reasonHeader(why), "Server", l.agent.cfg.Product)
	if why.RetryAfter > 0 {
		with(res, "Retry-After", strconv.Itoa(int(why.RetryAfter.Seconds()+0.999)))
	}
	res.SetBody(nil)
	l.leave(why)
	l.reply(l.inv.tx, res)
}

// cancelled takes a CANCEL (RFC 3261 §9.2). For an INVITE that is answered
// already it changes nothing.
//
//	caller        b2bua
//	  |---CANCEL--->|
//	  |<----200-----|
//	  |<----487-----|
//	  |-----ACK---->|
func (l *Leg) cancelled(in wire.Inbound) {
	req := in.Request
	s := l.agent.serve(in)
	l.servers = append(l.servers, s)
	l.ladder.In(l.name, "CANCEL")
	var of *server
	for _, o := range l.servers {
		if o.Request.Method == sip.INVITE && o.Cancels(req) {
			of = o
		}
	}
	if of == nil && !l.settled.cancelled(req) {
		l.respond(s, 481)
		return
	}
	l.respond(s, 200)
	if of != nil && of == l.inv.tx && l.state == called {
		l.respond(of, 487)
		l.finish(goodbyeCause(req, leg.Cancelled, l.name))
	}
}
