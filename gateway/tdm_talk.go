package gateway

import (
	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// talking waits for either end to hang up.
func (d *tdm) talking(ev event) tdmState {
	switch ev := ev.(type) {
	case order:
		if ev.what == sendDigit {
			d.out("DTMF %c", ev.digit)
			d.audio.digit(ev.digit, ev.d)
		}
	case keyUp:
		d.in("DTMF %c", ev.digit)
		d.call.deliver(leg.Digit{Of: d.call.of(), Digit: ev.digit, For: ev.d, Relayed: true})
	case jack.Change:
		switch ev.What {
		case jack.Pulse:
			d.in("pulses %c", ev.Digit)
			d.call.deliver(leg.Digit{Of: d.call.of(), Digit: ev.Digit})
		case jack.OnHook:
			d.in("on-hook")
			d.out("on-hook")
			d.end(leg.NormalClearing.GivenBy(d.cfg.Name).Because("the other end hung up"))
			return tdmIdle
		}
	}
	return d.state
}

// enterTalking joins the timeslot and its stream, both ways.
func (d *tdm) enterTalking() {
	c := d.call
	c.stream.open()
	if d.record.Incoming {
		d.out("off-hook")
		d.goOffHook()
	}
	d.audio.play(program{stream: c.stream, hear: true, say: true, keys: true})
	d.answered()
	if !d.record.Incoming {
		c.deliver(leg.Answered{Of: c.of()})
	}
}

// hungUp ends the call because our side did. A far end that has not been
// answered hears why.
func (d *tdm) hungUp(cause leg.Cause) tdmState {
	if d.state == tdmOffered {
		return d.refuse(cause)
	}
	if d.offHook {
		d.out("on-hook")
	}
	d.end(cause)
	return d.rest()
}
