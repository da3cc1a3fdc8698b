package b2bua

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// desk is a telephone with a hook-flash and two parties: it holds one and
// calls another. The telephone has one leg for both, as an analog line has one
// pair of wires.
//
//	flash      hold, dial tone
//	flash      three-way call, or swap, as configured; before the answer: back
//	hang up    the two who are left are joined (transfer)
type desk struct {
	*Call
	host   *party // who flashes
	held   *party // waits, with music
	third  *party // nil until it answers
	digits string // dialled so far
}

// Digit timers of a telephone that dials after a hook-flash: as for one that
// is lifted.
const (
	firstDigitWithin = 16 * time.Second
	interDigit       = 8 * time.Second
	matchDigit       = 3 * time.Second // the number is complete, but may go on
)

// flash holds the other party and gives dial tone.
func (c *Call) flash(host *party) State {
	if host.source.Kind != leg.Phone {
		return c.state // a line that flashes at us means nothing
	}
	d := &desk{Call: c, host: host, held: c.other(host)}
	c.desk = d
	d.held.leg.Hold()
	c.bridge.Hold(d.held.leg.Stream(), c.music())
	if c.x.cfg.DialTone != nil {
		c.bridge.Play(host.leg.Stream(), c.x.cfg.DialTone())
	}
	c.giveUp = time.Now().Add(firstDigitWithin)
	return Dialing
}

// dialing collects the digits of a telephone that has flashed.
func (c *Call) dialing(p *party, ev leg.Event) State {
	d := c.desk
	switch ev := ev.(type) {
	case leg.Digit:
		if p == d.host {
			return d.digit(ev.Digit)
		}
		return Dialing
	case leg.Flash:
		if p == d.host {
			return d.back()
		}
		return Dialing
	case timedOut:
		if d.digits != "" {
			return d.call()
		}
		return d.back()
	case leg.HungUp:
		return d.left(p, ev.Cause)
	case leg.Referred:
		return d.notNow(p, ev)
	case leg.Held, leg.Resumed:
		p.noteHold(ev)
		return Dialing
	case leg.Silent, leg.Heard:
		return Dialing
	}
	return c.unexpected(ev)
}

// digit takes a digit; the plan knows when the number is complete.
func (d *desk) digit(digit byte) State {
	d.bridge.Stop(d.host.leg.Stream())
	d.digits += string(digit)
	wait := interDigit
	switch d.complete() {
	case dialplan.Complete, dialplan.Impossible: // what is impossible is refused with its reason
		return d.call()
	case dialplan.CompleteOrMore:
		wait = matchDigit
	}
	d.giveUp = time.Now().Add(wait)
	return Dialing
}

// complete is what the plan says of the digits so far.
func (d *desk) complete() dialplan.Completeness {
	from := dialplan.Caller{Kind: dialplan.FromPhone, Name: d.host.source.Name, Number: d.host.source.Name}
	return d.x.cfg.Plan().Complete(from, d.digits)
}

// call rings what was dialled.
func (d *desk) call() State {
	return d.sendTo(d.host, d.host.source, d.digits, d)
}

// back ends what the flash began: the held party is talked to again.
func (d *desk) back() State {
	d.releaseRung(leg.Cancelled.GivenBy(d.host.name()))
	d.desk = nil
	d.giveUp = time.Time{}
	d.bridge.Stop(d.host.leg.Stream())
	d.held.leg.Resume()
	d.bridge.Resume(d.held.leg.Stream())
	d.join(d.host, d.held)
	d.heldAgain(d.held)
	return Talking
}

// left: one of the two has hung up before there was a third. A host that hangs up
// on a whole number, as behind the code for a parking place, sends the held party
// there; one that has dialled nothing is called back by it.
func (d *desk) left(p *party, why leg.Cause) State {
	d.desk = nil
	if p == d.held {
		return d.end(why)
	}
	d.held.leg.Resume()
	d.bridge.Resume(d.held.leg.Stream())
	if d.digits != "" && d.complete() == dialplan.CompleteOrMore {
		d.caller, d.callee = d.held, nil
		return d.sendTo(d.held, d.host.source, d.digits, &onward{transfer{Call: d.Call, transferee: d.held}, d})
	}
	return d.recall()
}

// recall rings the host, who has hung up, for the held party.
func (d *desk) recall() State {
	d.caller, d.callee = d.held, nil
	d.log.Info("calls back", "who", d.held.name(), "whom", d.host.source.Name)
	return d.callBackTo(d.held, d.host.source, &transfer{Call: d.Call, transferee: d.held})
}

func (d *desk) ringing(*party) { d.playRingback(d.host) }

func (d *desk) early(p *party) { d.join(d.host, p) }

func (d *desk) lost(p *party) { d.bridge.Leave(p.leg.Stream()) }

func (d *desk) answered(p *party) State {
	d.third = p
	d.join(d.host, p)
	d.log.Info("consultation", "by", d.host.name(), "with", p.name(), "held", d.held.name())
	return Consulting
}

// failed: the host hears why in its ringback's place, by having the held party again.
func (d *desk) failed(why leg.Cause) State {
	d.log.Info("consultation failed", "by", d.host.name(), "to", d.digits, "because", why, "hint", why.Hint)
	return d.back()
}

// other: somebody who is not rung does something while the third is rung.
func (d *desk) other(p *party, ev leg.Event) State {
	switch ev := ev.(type) {
	case leg.Flash:
		if p == d.host {
			return d.back()
		}
	case leg.HungUp:
		if p == d.host { // transfer before the answer
			return d.transferOnward()
		}
		d.releaseRung(leg.Cancelled.GivenBy(p.name()))
		return d.end(ev.Cause)
	case leg.Referred:
		return d.notNow(p, ev)
	case leg.Held, leg.Resumed:
		p.noteHold(ev)
	case leg.Digit, leg.Silent, leg.Heard:
	default:
		return d.unexpected(ev)
	}
	return d.state
}

// transferOnward lets the held party wait for the third's answer itself.
func (d *desk) transferOnward() State {
	d.desk = nil
	d.caller, d.callee = d.held, nil
	d.held.leg.Resume()
	d.bridge.Resume(d.held.leg.Stream())
	d.setup.seeker = &onward{transfer{Call: d.Call, transferee: d.held}, d}
	d.setup.alerting.with = d.callerOf(d.held)
	d.playRingback(d.held)
	return Transferring
}

// onward is a transfer by a telephone that was hung up while the third rang. If
// nobody answers there, the telephone is rung: a caller is not lost for that.
type onward struct {
	transfer
	desk *desk
}

func (o *onward) failed(why leg.Cause) State {
	o.log.Info("transfer failed", "to", o.setup.to.Number, "because", why, "hint", why.Hint)
	return o.desk.recall()
}

// consulting lets the host talk to the third while the first is held.
func (c *Call) consulting(p *party, ev leg.Event) State {
	d := c.desk
	switch ev := ev.(type) {
	case leg.Flash:
		if p == d.host {
			return d.flashAgain()
		}
		return Consulting
	case leg.HungUp:
		return d.oneLeft(p)
	case leg.Referred:
		return d.notNow(p, ev)
	case leg.Digit:
		c.passDigit(p, ev)
		return Consulting
	case leg.Held, leg.Resumed:
		p.noteHold(ev)
		return Consulting
	case leg.Silent, leg.Heard:
		return Consulting
	}
	return c.unexpected(ev)
}

// notNow refuses a transfer by one of the two others, who may ask again when
// the telephone is done.
func (d *desk) notNow(p *party, ev leg.Referred) State {
	if !ev.Gone {
		p.leg.Notify(leg.Cause{Status: 491, Text: "a telephone consults at the moment", By: leg.Us})
	}
	return d.state
}

// flashAgain swaps the two, or joins all three.
func (d *desk) flashAgain() State {
	d.held.leg.Resume()
	d.bridge.Resume(d.held.leg.Stream())
	if d.x.cfg.FlashSwaps {
		d.held, d.third = d.third, d.held
		d.held.leg.Hold()
		d.bridge.Hold(d.held.leg.Stream(), d.music())
		return Consulting
	}
	return d.conferWith(d.host, d.third)
}

// oneLeft: two of the three remain, and are joined.
func (d *desk) oneLeft(p *party) State {
	d.desk = nil
	if p != d.held {
		d.held.leg.Resume()
		d.bridge.Resume(d.held.leg.Stream())
	}
	left := d.joinedParties()
	if len(left) < 2 {
		return d.end(leg.NormalClearing.GivenBy(p.name()))
	}
	d.pair(left[0], left[1])
	return Talking
}

// flashInConference lets the one go who came last, if the host flashes.
func (c *Call) flashInConference(p *party) State {
	if c.desk == nil || p != c.host {
		return Conference
	}
	third, d := c.desk.third, c.desk
	c.desk = nil
	c.release(third, leg.NormalClearing.GivenBy(p.name()))
	c.pair(d.host, d.held)
	return Talking
}
