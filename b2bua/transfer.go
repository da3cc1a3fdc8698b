package b2bua

import (
	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// transfer is the seeker of an unattended transfer: a party that talks already
// and is sent elsewhere by the other one (RFC 5359 §2.4, RFC 5589 §6). It
// keeps its leg, and hears ringback meanwhile.
//
//	bob             b2bua           carol
//	 |----REFER------>|               |
//	 |<----202--------|---INVITE----->|
//	 |<--NOTIFY 100---|               |
//	 |<--NOTIFY 180---|<----180-------|
//	 |<--NOTIFY 200---|<----200-------|
//	 |<-----BYE-------|               |
type transfer struct {
	*Call
	transferor *party // nil: it has left
	transferee *party
	hears      *party // whose early media the transferee hears; nil: nobody's
}

// refer begins a transfer that a party has asked for. Where it names a call
// whose party is to be replaced, and that call was here and has ended, nobody is
// rung anew: what the target would answer to an INVITE with such a Replaces, 481
// (RFC 3891 §3), is told to the transferor, who keeps its call. A call that is
// at another exchange is replaced there.
func (c *Call) refer(by *party, ev leg.Referred) State {
	t := &transfer{Call: c, transferor: by, transferee: c.other(by)}
	if ev.ReplacesLeg != nil {
		return t.toCall(ev.ReplacesLeg)
	}
	// Who transfers answers for the call: the transferee may be a stranger who
	// must not reach the PSTN by way of us.
	who := t.transferee.leg.Party()
	query := c.query(by.source, by.leg.Party(), ev.Target)
	query.With = c.callerOf(t.transferee)
	route, trail := c.x.cfg.Plan().Match(query)
	c.log.Info("transfer", "by", by.name(), "of", t.transferee.name(), "to", ev.Target, "route", route.Rule)
	c.log.Debug("route", "trail", trail)
	replaces := ev.Replaces
	switch {
	case replaces == "" || route.Refusal != nil || c.outside(route):
	case ev.Gone: // nobody is left who could be told
		replaces = ""
	default: // the call that it names was here, and has ended
		by.leg.Notify(errNoSuchDialog)
		return Talking
	}
	referredBy := ev.ReferredBy
	if referredBy == "" {
		referredBy = by.leg.Party().Number
	}
	c.setup = setup{
		seeker: t, route: route, shown: who, by: referredBy, replaces: replaces,
		also: ev.Gone, to: ev.To, law: t.transferee.leg.Stream().Law(), as: by.source,
		alerting: alerting{with: query.With},
	}
	if c.setup.to.Number == "" {
		c.setup.to.Number = ev.Target
	}
	t.detach()
	if ev.Gone { // BYE with Also: nobody is left to tell
		by.role, t.transferor = letGo, nil
	}
	t.tell(leg.Cause{Status: 100})
	return c.seek()
}

// outside tells a route that leads to other exchanges and nowhere else: a dialog
// that is not ours can be there.
func (c *Call) outside(r dialplan.Route) bool {
	for _, s := range r.Stages {
		for _, t := range s.Targets {
			if t.Kind != dialplan.ToSIPAddress && c.x.peerOf(t) == "" {
				return false
			}
		}
	}
	return len(r.Stages) > 0
}

// toCall begins an attended transfer: the transferee takes the transferor's
// place in the call that the transferor has with the target (RFC 5359 §2.5,
// RFC 5589 §7).
//
//	alice           b2bua           carol
//	 |==talking======|==talking======|    both with bob, who refers
//	 |==talking======================|    bob: NOTIFY 200 and BYE, twice
func (t *transfer) toCall(l leg.Leg) State {
	target := t.x.callOf(l)
	by := t.transferor.name()
	t.log.Info("attended transfer", "by", by, "of", t.transferee.name())
	t.detach()
	t.setup = setup{seeker: t}
	t.tell(leg.Cause{Status: 100})
	return t.handOver(t.transferee, target, replace{old: l}, func() State {
		t.tell(leg.Cause{Status: 200})
		return t.end(leg.NormalClearing.GivenBy(leg.Us).Because("%s transferred %s to call %s", by, t.transferee.name(), target.id))
	}, t.failed)
}

// tell notifies the transferor, if it is still there.
func (t *transfer) tell(how leg.Cause) {
	if t.transferor != nil {
		t.transferor.leg.Notify(how)
	}
}

// detach takes the transferor out of the conversation; a transferee that it
// had put on hold is taken back, to hear what happens.
func (t *transfer) detach() {
	t.bridge.Leave(t.transferor.leg.Stream())
	if t.transferor.holds {
		t.transferee.leg.Resume()
		t.bridge.Resume(t.transferee.leg.Stream())
	}
}

func (t *transfer) ringing(p *party) {
	t.tell(leg.Cause{Status: 180})
	if t.hears == nil {
		t.playRingback(t.transferee)
	}
}

func (t *transfer) early(p *party) {
	if t.hears != p {
		t.hears = p
		t.tell(leg.Cause{Status: 183})
		t.join(t.transferee, p)
	}
}

func (t *transfer) lost(p *party) {
	if t.hears == p {
		t.hears = nil
		t.bridge.Leave(p.leg.Stream())
	}
}

func (t *transfer) answered(p *party) State {
	t.tell(leg.Cause{Status: 200})
	if t.transferee == t.caller {
		t.callee = p
	} else {
		t.caller = p
	}
	if t.transferor != nil {
		t.release(t.transferor, leg.NormalClearing.GivenBy(leg.Us).Because("transferred"))
	}
	t.join(t.transferee, p)
	t.transferee.leg.Identify(p.leg.Party())
	t.heldAgain(t.transferee)
	t.log.Info("transferred", "to", p.name())
	return Talking
}

// failed lets the transferor have the call back; if it has left, nobody is
// there to talk to.
func (t *transfer) failed(why leg.Cause) State {
	t.log.Info("transfer failed", "to", t.setup.to.Number, "because", why, "hint", why.Hint)
	t.tell(why)
	if t.transferor == nil || t.parties[t.transferor.leg] == nil {
		return t.end(why)
	}
	t.join(t.transferee, t.transferor)
	t.heldAgain(t.transferor, t.transferee)
	return Talking
}

// other: the transferor may leave, hold and take back while it waits; the
// transferee may hang up.
func (t *transfer) other(p *party, ev leg.Event) State {
	switch ev := ev.(type) {
	case leg.HungUp:
		if p == t.transferor {
			t.transferor = nil
			return t.state
		}
		t.tell(leg.Cancelled.GivenBy(p.name()))
		return t.end(ev.Cause)
	case leg.Held, leg.Resumed:
		p.noteHold(ev)
		return t.state
	case leg.Referred:
		p.leg.Notify(leg.Cause{Status: 491, Text: "a transfer is already in progress", By: leg.Us})
		return t.state
	case leg.Silent, leg.Heard, leg.Digit, leg.Flash:
		return t.state
	}
	return t.unexpected(ev)
}
