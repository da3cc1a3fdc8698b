package gateway

import (
	"time"

	"crosspoint/gateway/jack"
)

// What a timeslot does without a call: it waits, is blocked by either end, or is
// lent to a call for help.

// idle waits for a call from either side.
func (d *tdm) idle(ev event) tdmState {
	switch ev := ev.(type) {
	case seize:
		return d.seize(ev.call)
	case jack.Change:
		if ev.What == jack.OffHook {
			if d.busied {
				return tdmHeld
			}
			return d.comesIn(winkDelay)
		}
	case busyOut:
		d.block()
	case expired:
		if ev.timer == stepTimer { // the far end has had time to notice our release
			d.slot.SetBlocked(d.busied)
		}
	}
	return d.state
}

// block tells the far end that the timeslot is out of service, or back: not
// before the guard time is over, for the bits are those of a seizure.
func (d *tdm) block() {
	if rest := time.Until(d.guardEnd); d.busied && rest > 0 {
		d.timers.set(stepTimer, rest)
		return
	}
	d.timers.stop(stepTimer)
	d.slot.SetBlocked(d.busied)
}

// holding waits for the far end to go on-hook. It is slow to release, or has
// blocked the timeslot: the bits are the same.
func (d *tdm) holding(ev event) tdmState {
	switch ev := ev.(type) {
	case jack.Change:
		if ev.What == jack.OnHook {
			d.held = false
			return tdmIdle
		}
	case busyOut:
		d.block()
		d.timers.set(stateTimer, heldAfter)
	case expired:
		switch {
		case ev.timer == stateTimer && !d.busied:
			d.tooLong()
		case ev.timer == stepTimer:
			d.slot.SetBlocked(d.busied)
		}
	}
	return d.state
}

// tooLong notes that the far end keeps the timeslot for nothing.
func (d *tdm) tooLong() {
	d.held = true
	d.trouble("%s: %s", d.where(), heldWords)
}

const heldWords = "the far end is off-hook without a call: is the timeslot blocked there, or its signalling not E&M?"

// rest is the state without a call, by the far end's hook.
func (d *tdm) rest() tdmState {
	if d.jack.FarOffHook {
		return tdmHeld
	}
	return tdmIdle
}

// lends tells whether the timeslot has a call that may be ended for the sake of
// an emergency call.
func (d *tdm) lends() bool {
	return d.state == tdmTesting || d.call != nil && !d.call.emergency && (d.state == tdmWaiting || d.offHook)
}

// yields tells whether the timeslot gives its call up for another one.
func (d *tdm) yields(c *call) bool { return c.emergency && d.lends() }

// preempt ends the timeslot's call, and gives it to one that calls for help, as
// soon as the far end has released.
func (d *tdm) preempt(c *call) {
	d.log.Warn("a call is ended: its line is needed for an emergency call", "was", d.words(), "for", c.dialed)
	if d.test != nil {
		d.test.found("interrupted", false, "test it again", "an emergency call needed the line")
	} else {
		d.stats.Preempted++
		d.out("on-hook")
		d.end(preempted)
	}
	d.become(tdmIdle)
	d.become(d.seize(c))
}
