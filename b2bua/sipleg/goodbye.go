package sipleg

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/txn"
	"github.com/emiago/sipgo/sip"
)

// cancelOf builds the CANCEL of an INVITE, with a Reason (RFC 3326).
func cancelOf(invite *sip.Request, reason string) *sip.Request {
	req := txn.Cancel(invite)
	with(req, "Reason", reason)
	return req
}

// bye ends a call from our side.
//
//	b2bua         party
//	  |-----BYE---->|
//	  |<----200-----|   leg.HungUp
func (l *Leg) bye(why leg.Cause) {
	l.leave(why)
	l.sendBye(l.dialog, why)
}

// sendBye sends BYE in a dialog; its outcome, whatever it is, ends the leg.
func (l *Leg) sendBye(d *dialog, why leg.Cause) {
	req := d.newRequest(sip.BYE)
	with(req, "Reason", reasonHeader(why))
	l.ending = l.send(d, req, "BYE", func(res *sip.Response) {
		if res.StatusCode < 200 || l.retried(res) {
			return
		}
		l.left()
	})
}

// retried answers a challenge of our BYE.
func (l *Leg) retried(res *sip.Response) bool {
	return isChallenge(res) && l.authorize(l.ending, res)
}

// hungUp takes the party's BYE.
//
//	party         b2bua
//	  |-----BYE---->|   leg.HungUp
//	  |<----200-----|
func (l *Leg) hungUp(s *server) {
	l.respond(s, 200)
	if l.inv.tx != nil && !l.inv.tx.Answered() { // RFC 3261 §15.1.2
		l.respond(l.inv.tx, 487)
	}
	why := goodbyeCause(s.Request, leg.NormalClearing, l.name)
	switch l.state {
	case leaving: // both at once
		l.left()
		return
	case called, calling:
		why = goodbyeCause(s.Request, leg.Cancelled, l.name)
	}
	l.also(s.Request)
	l.finish(why)
}

// cancel ends an INVITE that has no answer yet. CANCEL waits for the first
// provisional response (RFC 3261 §9.1); an answer that crosses it is
// acknowledged and ended with BYE.
//
//	b2bua         callee
//	  |---CANCEL--->|
//	  |<----200-----|
//	  |<----487-----|
//	  |-----ACK---->|
func (l *Leg) cancel(why leg.Cause) {
	l.leave(why)
	if l.out.tx == nil { // a name is still being looked up
		l.left()
		return
	}
	l.out.cancel, l.out.reason = true, cancelReason(why)
	if l.out.tx.Heard() {
		l.sendCancel()
	}
}

func (l *Leg) sendCancel() {
	if l.out.sent {
		return
	}
	l.out.sent = true
	req := cancelOf(l.out.tx.Request, l.out.reason)
	d := *l.out.tx.dialog
	d.flow = l.out.tx.flow // where the INVITE went
	l.send(&d, req, "CANCEL", nil)
	l.out.tx.GiveUpAt(time.Now().Add(l.agent.cfg.Timing.Timeout()))
}
