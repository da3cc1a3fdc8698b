package b2bua

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// replace asks a call to let a leg take the place of one of its own (RFC 3891):
// the transferee of an attended transfer, or a new call with Replaces.
type replace struct {
	old     leg.Leg
	leg     leg.Leg
	seat    *seat
	source  leg.Source
	early   bool  // only a dialog that is not answered may be replaced
	waiting bool  // the leg is a caller to be answered, not one that talks
	asker   *Call // who wants to be told, by replaced; nil: nobody
}

// replaced is the answer to replace.
type replaced struct {
	leg leg.Leg
	why leg.Cause // zero: it is done
}

func (replace) From() leg.Leg  { return nil }
func (replaced) From() leg.Leg { return nil }

// replyWithin is how long a call waits for another one's answer to replace:
// both are goroutines of this process.
const replyWithin = 5 * time.Second

var errNoSuchDialog = leg.Cause{Status: 481, Text: "the call to be replaced does not exist any more", By: leg.Us}

// callOf is the call that a leg is in; nil: none.
func (x *Exchange) callOf(l leg.Leg) *Call {
	if s, ok := x.seats.Load(l); ok {
		return s.(*seat).call.Load()
	}
	return nil
}

// acceptReplacement gives a new leg to the call whose leg it replaces.
func (x *Exchange) acceptReplacement(in leg.Incoming) leg.Sink {
	c := x.callOf(in.Replaces)
	switch {
	case in.Source.Kind == leg.Stranger:
		in.Leg.Hangup(leg.Rejected.GivenBy(leg.Us).Because("a stranger may not take over a call"))
		return discard{}
	case c == nil:
		in.Leg.Hangup(errNoSuchDialog)
		return discard{}
	}
	s := newSeat(c)
	if !c.inbox.Put(replace{old: in.Replaces, leg: in.Leg, seat: s, source: in.Source, early: in.EarlyOnly, waiting: true}) {
		in.Leg.Hangup(errNoSuchDialog)
		return discard{}
	}
	return s
}

// referToCall begins an attended transfer: the transferee takes the
// transferor's place in the call that the transferor has with the target
// (RFC 5359 §2.5, RFC 5589 §7).
//
//	alice           b2bua           carol
//	 |==talking======|==talking======|    both with bob, who refers
//	 |==talking======================|    bob: NOTIFY 200 and BYE, twice
func (c *Call) referToCall(t *transfer, ev leg.Referred) State {
	target := c.x.callOf(ev.ReplacesLeg)
	if target == nil || target == c {
		t.tell(errNoSuchDialog)
		return Talking
	}
	c.log.Info("attended transfer", "by", t.transferor.name(), "of", t.transferee.name(), "to call", target.id)
	t.detach()
	t.tell(leg.Cause{Status: 100})
	c.bridge.Leave(t.transferee.leg.Stream())
	c.setup = setup{seeker: t}
	c.giveUp = time.Now().Add(replyWithin)
	if !target.inbox.Put(replace{old: ev.ReplacesLeg, leg: t.transferee.leg, seat: t.transferee.seat, source: t.transferee.source, asker: c}) {
		return t.failed(errNoSuchDialog)
	}
	return Transferring
}

// wasReplaced ends the attended transfer that referToCall began.
func (c *Call) wasReplaced(ev replaced) State {
	t, ok := c.setup.seeker.(*transfer)
	if !ok || c.state != Transferring || t.transferee.leg != ev.leg {
		return c.unexpected(ev)
	}
	if ev.why != (leg.Cause{}) {
		return t.failed(ev.why)
	}
	delete(c.parties, ev.leg)
	if extension := t.transferee.extension; extension != "" {
		c.x.use(extension, -1) // the other call counts it
	}
	t.tell(leg.Cause{Status: 200})
	by := leg.Us
	if t.transferor != nil {
		by = t.transferor.name()
	}
	return c.end(leg.NormalClearing.GivenBy(by).Because("transferred"))
}

// replace lets a leg take the place of one of this call's.
func (c *Call) replace(r replace) State {
	old := c.parties[r.old]
	why := leg.Cause{}
	switch {
	case old == nil || old.role == letGo || c.state == Ending:
		why = errNoSuchDialog
	case old.role == joined && r.early: // RFC 3891 §3
		why = leg.Busy.GivenBy(leg.Us).Because("the call to be replaced has been answered")
	case old.role == seeking && r.waiting: // RFC 3891 §3: only an early dialog that we began
		why = errNoSuchDialog
	case c.state == Transferring:
		why = leg.Cause{Status: 491, Text: "the call is being transferred", By: leg.Us}
	}
	if why != (leg.Cause{}) {
		return c.refuse(r, why)
	}
	r.seat.call.Store(c)
	p := c.add(r.leg, r.seat, joined, dialplan.Target{})
	p.source = r.source
	if r.source.Kind == leg.Phone {
		c.occupy(p, r.source.Name)
	}
	if r.waiting {
		p.leg.Answer()
	}
	c.log.Info("takes the place", "of", old.name(), "who", p.name())
	s := c.succeed(old, p)
	if r.asker != nil {
		r.asker.ladder.Also(c.ladder)
		r.asker.inbox.Put(replaced{leg: r.leg})
	}
	return s
}

// refuse answers a replace that can't be done.
func (c *Call) refuse(r replace, why leg.Cause) State {
	if r.asker != nil {
		r.asker.inbox.Put(replaced{r.leg, why})
	}
	if r.waiting {
		r.leg.Hangup(why)
	}
	return c.state
}

// succeed lets p do what old did: talk, wait for the callee's answer, or answer
// for a place that rings.
func (c *Call) succeed(old, p *party) State {
	switch old.role {
	case rung:
		return c.placeAnswered(p)
	case seeking:
		c.caller = p
		c.setup.seeker = &transfer{Call: c, transferee: p}
		c.playRingback(p)
		c.answer = time.Now()
		c.release(old, leg.Cancelled.GivenBy(leg.Us).Because("transferred"))
		return Transferring
	}
	other := c.other(old)
	if old == c.caller {
		c.caller = p
	} else {
		c.callee = p
	}
	if old.holds {
		other.leg.Resume()
		c.bridge.Resume(other.leg.Stream())
	}
	c.release(old, leg.NormalClearing.GivenBy(leg.Us).Because("transferred"))
	c.join(other, p)
	other.leg.Identify(p.leg.Party())
	p.leg.Identify(other.leg.Party())
	if other.holds {
		other.holds = false
		c.held(other)
	}
	return Talking
}
