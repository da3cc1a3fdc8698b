package b2bua

import "crosspoint/b2bua/leg"

// handover is a party on its way to another call: that of a consultation, of a
// ringing phone, of a parked party. Until the other call has answered, what the
// party does is passed on there.
type handover struct {
	party *party
	to    *Call
	gone  *leg.Cause // the party has hung up meanwhile
	done  func() State
	back  func(why leg.Cause) State
}

// replace asks a call to take a leg in: in the place of one of its own (RFC
// 3891), or beside them.
type replace struct {
	old     leg.Leg // whose place is taken; nil: the one who is missing in a parked call
	beside  bool    // nobody's place is taken: three talk then
	leg     leg.Leg
	seat    *seat
	source  leg.Source
	early   bool  // only a dialog that is not answered may be replaced
	waiting bool  // the leg is a caller to be answered, not one that talks
	asker   *Call // who hands over, and is told by replaced; nil: nobody
}

// replaced is the answer to replace.
type replaced struct{ why leg.Cause } // zero: it is done

func (replace) From() leg.Leg  { return nil }
func (replaced) From() leg.Leg { return nil }

var errNoSuchDialog = leg.Cause{Status: 481, Text: "the call to be taken over does not exist any more", By: leg.Us}

// callOf is the call that a leg is in; nil: none.
func (x *Exchange) callOf(l leg.Leg) *Call {
	if s, ok := x.seats.Load(l); ok {
		return s.(*seat).call.Load()
	}
	return nil
}

// handOver offers a party to another call. Done or back tells what comes of it.
func (c *Call) handOver(p *party, to *Call, r replace, done func() State, back func(leg.Cause) State) State {
	c.bridge.Leave(p.leg.Stream())
	r.leg, r.seat, r.source, r.waiting, r.asker = p.leg, p.seat, p.source, p.role == seeking, c
	c.handing = &handover{party: p, to: to, done: done, back: back}
	if to == nil || to == c || !to.inbox.Put(r) {
		c.handing = nil
		return back(errNoSuchDialog)
	}
	return HandingOver
}

// handingOver waits for the other call's answer. Both calls are goroutines of
// this process, and a call that ends answers what it has not taken yet. Who
// stays behind may hang up meanwhile: done and back look who is left.
func (c *Call) handingOver(ev leg.Event) State {
	c.log.Debug("while a party is handed over", "event", describe(ev), "leg", ev.From().Name())
	return HandingOver
}

// passOn gives an event of a party that is being handed over to the call that
// will have it.
func (h *handover) passOn(ev leg.Event) {
	if hungUp, ok := ev.(leg.HungUp); ok {
		h.gone = &hungUp.Cause
	}
	h.to.inbox.Put(ev)
}

// wasReplaced ends a handover.
func (c *Call) wasReplaced(ev replaced) State {
	h := c.handing
	if h == nil {
		return c.unexpected(ev)
	}
	c.handing = nil
	switch {
	case ev.why == leg.Cause{}:
		delete(c.parties, h.party.leg)
		c.vacate(h.party) // the other call counts it
		return h.done()
	case h.gone != nil:
		c.leave(h.party)
		return c.end(*h.gone)
	}
	return h.back(ev.why)
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
	in.Ladder.Lead(c.ladder)
	if !c.inbox.Put(replace{old: in.Replaces, leg: in.Leg, seat: s, source: in.Source, early: in.EarlyOnly, waiting: true}) {
		in.Leg.Hangup(errNoSuchDialog)
		return discard{}
	}
	return s
}

// replace takes a leg in, or says why not.
func (c *Call) replace(r replace) State {
	old := c.parties[r.old]
	if why := c.mayReplace(r, old); why != (leg.Cause{}) {
		c.refuse(r, why)
		return c.state
	}
	r.seat.call.Store(c)
	p := c.add(r.leg, r.seat, joined, noTarget)
	p.source = r.source
	if r.source.Kind == leg.Phone {
		c.occupy(p, r.source.Name)
	}
	if r.asker != nil {
		r.asker.ladder.Also(c.ladder)
	}
	if r.waiting {
		p.leg.Answer()
	}
	var s State
	switch {
	case r.beside:
		s = c.conferWith(old, p)
	case old == nil:
		s = c.retrieved(p)
	default:
		c.log.Info("takes the place", "of", old.name(), "who", p.name())
		s = c.succeed(old, p)
	}
	if r.asker != nil {
		r.asker.inbox.Put(replaced{})
	}
	return s
}

// mayReplace says why a leg can't be taken in; zero: it can.
func (c *Call) mayReplace(r replace, old *party) leg.Cause {
	switch {
	case r.old == nil && c.waits():
		return leg.Cause{}
	case old == nil || old.role == letGo || c.state == Ending:
		return errNoSuchDialog
	case old.role == joined && r.early: // RFC 3891 §3
		return leg.Busy.GivenBy(leg.Us).Because("the call to be taken over has been answered")
	case old.role == seeking && r.waiting: // RFC 3891 §3: only an early dialog that we began
		return errNoSuchDialog
	case old.role == rung || c.state == Talking || c.state == Calling && old.role == seeking:
		return leg.Cause{}
	case r.beside && c.state == Conference:
		return leg.Cause{}
	}
	return leg.Cause{Status: 491, Text: "the call is " + c.state.String() + " at the moment", By: leg.Us}
}

// refuse answers a replace that can't be done.
func (c *Call) refuse(r replace, why leg.Cause) {
	switch {
	case r.asker != nil:
		r.asker.inbox.Put(replaced{why})
	case r.waiting:
		r.leg.Hangup(why)
	}
}

// succeed lets p do what old did: answer for a place that rings, wait for the
// callee's answer, or talk.
func (c *Call) succeed(old, p *party) State {
	switch old.role {
	case rung:
		return c.placeAnswered(p)
	case seeking:
		c.caller = p
		c.setup.seeker = &transfer{Call: c, transferee: p}
		c.playRingback(p)
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
	c.heldAgain(other)
	return Talking
}
