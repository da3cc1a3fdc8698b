package b2bua

import (
	"strconv"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// maxSlots is how many parking places there are, 1 to maxSlots.
const maxSlots = 99

// park lets the transferee of a transfer to the park code wait, with music,
// until somebody retrieves it from the slot (RFC 5359 §2.17).
//
//	bob             b2bua          alice
//	 |--REFER *70 1-->|               |
//	 |<--NOTIFY 200---|===music======>|
//	 |<-----BYE-------|               |
func (c *Call) park(t *transfer, slot string) State {
	slot, free := c.x.takeSlot(c, slot)
	if !free {
		why := leg.Busy.GivenBy(leg.Us).Because("parking place %s is taken", slot)
		if o, left := c.setup.seeker.(*onward); left {
			return o.failed(why)
		}
		return t.failed(why)
	}
	c.slot = slot
	c.caller, c.callee = t.transferee, nil
	if c.setup.as.Kind == leg.Phone { // also one that has left, by BYE with Also
		c.parker = c.setup.as.Name
	}
	if t.transferor != nil {
		t.transferor.leg.Identify(leg.Party{Number: slot, Name: "parked at " + slot})
		t.tell(leg.Cause{Status: 200})
		c.release(t.transferor, leg.NormalClearing.GivenBy(leg.Us).Because("parked at %s", slot))
	}
	c.log.Info("parked", "who", t.transferee.name(), "slot", slot)
	return c.rest()
}

// rest lets the parked party hear music, also after a ringback.
func (c *Call) rest() State {
	c.bridge.Stop(c.caller.leg.Stream())
	c.bridge.Join(c.caller.leg.Stream())
	c.bridge.Hold(c.caller.leg.Stream(), c.music())
	return Parked
}

// parked waits for somebody to retrieve the party; after a time the one who
// parked it is called.
func (c *Call) parked(ev leg.Event) State {
	switch ev := ev.(type) {
	case leg.HungUp:
		return c.end(ev.Cause)
	case timedOut:
		return c.recall()
	case leg.Held, leg.Resumed, leg.Digit, leg.Flash, leg.Silent, leg.Heard:
		return Parked
	}
	return c.unexpected(ev)
}

// waits tells that the call's party may be retrieved: it is parked, also while
// whoever parked it is called back.
func (c *Call) waits() bool {
	_, calledBack := c.setup.seeker.(*recalling)
	return c.state == Parked || c.state == Transferring && calledBack
}

// retrieved joins a parked party to whoever has retrieved it.
func (c *Call) retrieved(p *party) State {
	c.x.leaveSlot(c)
	c.releaseRung(leg.ElsewhereAnswer.GivenBy(p.name()))
	c.callee = p
	c.bridge.Resume(c.caller.leg.Stream())
	c.join(c.caller, p)
	c.caller.leg.Identify(p.leg.Party())
	p.leg.Identify(c.caller.leg.Party())
	c.log.Info("retrieved", "by", p.name())
	return Talking
}

// retrieve hands the caller of the feature code over to the parked call.
func (c *Call) retrieve(slot string) State {
	parked := c.x.slotOf(slot)
	if parked == nil {
		return c.setup.seeker.failed(leg.Unallocated.GivenBy(leg.Us).Because("nobody is parked at %q", slot))
	}
	return c.takeOver(parked, replace{})
}

// recall rings whoever parked the party; if that does not help it goes on waiting.
func (c *Call) recall() State {
	if c.parker == "" {
		return c.rest()
	}
	c.log.Info("parked for too long: calls back", "who", c.caller.name(), "whom", c.parker)
	c.bridge.Resume(c.caller.leg.Stream())
	return c.callBackTo(c.caller, leg.Source{Kind: leg.Phone, Name: c.parker}, &recalling{transfer{Call: c, transferee: c.caller}})
}

// recalling is a transfer back to whom a party was with before.
type recalling struct{ transfer }

func (r *recalling) answered(p *party) State {
	r.x.leaveSlot(r.Call)
	return r.transfer.answered(p)
}

func (r *recalling) failed(leg.Cause) State { return r.rest() }

// sendTo routes a call for a party by what another one may dial, and rings.
func (c *Call) sendTo(who *party, as leg.Source, dialed string, s seeker) State {
	return c.sendRinging("", who, as, dialed, s)
}

// callBackTo rings a phone that has left a party waiting.
func (c *Call) callBackTo(who *party, phone leg.Source, s seeker) State {
	return c.sendRinging(dialplan.RingRecall, who, phone, phone.Name, s)
}

// sendRinging is sendTo with a distinctive ring; an empty one is as the plan says.
func (c *Call) sendRinging(ring string, who *party, as leg.Source, dialed string, s seeker) State {
	query := c.query(as, who.leg.Party(), dialed)
	query.With = c.callerOf(who)
	route, _ := c.x.cfg.Plan().Match(query)
	c.setup = setup{
		seeker: s, route: route, shown: who.leg.Party(), to: leg.Party{Number: dialed}, law: who.leg.Stream().Law(), as: as,
		alerting: alerting{with: query.With, ring: ring},
	}
	return c.seek()
}

// takeSlot takes a parking place; an empty one is the first that is free.
func (x *Exchange) takeSlot(c *Call, slot string) (string, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := 1; slot == "" && i <= maxSlots; i++ {
		if s := strconv.Itoa(i); x.slots[s] == nil {
			slot = s
		}
	}
	if slot == "" || x.slots[slot] != nil {
		return slot, false
	}
	x.slots[slot] = c
	return slot, true
}

func (x *Exchange) slotOf(slot string) *Call {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.slots[slot]
}

// leaveSlot gives a call's parking place back, if it has one.
func (x *Exchange) leaveSlot(c *Call) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.slots[c.slot] == c {
		delete(x.slots, c.slot)
	}
}

// noTarget is the target of a party that called us.
var noTarget dialplan.Target
