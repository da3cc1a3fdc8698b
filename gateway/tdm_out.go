package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// A call out over a timeslot:
//
//	b2bua            tdm1
//	  |----seizure---->|
//	  |<-----wink------|   not with immediate start
//	  |--DTMF 7773660->|
//	  |<---off-hook----|   Answered
//	  |<---on-hook-----|   HungUp
//	  |----on-hook---->|

// seizure is how far a call out has come before its digits.
type seizure struct {
	winked bool // the far end is ready for digits
	glare  bool // the far end has seized the timeslot as well
}

// seize takes the call, and the timeslot if it has rested for the guard time
// and the far end has released it.
func (d *tdm) seize(c *call) tdmState {
	d.begin(c, false)
	if !c.trying {
		c.trying = true
		c.deliver(leg.Trying{Of: c.of()})
	}
	if d.opt.Pulse && !pulsable(c.number) {
		d.end(leg.InvalidNumber.GivenBy(leg.Us).Because("%s dials by pulses, and %s has digits that have none", d.where(), c.dialed))
		d.claimed.Store(false)
		return d.rest()
	}
	if rest := time.Until(d.guardEnd); rest > 0 || d.jack.FarOffHook {
		d.timers.set(stepTimer, max(rest, 0))
		return tdmWaiting
	}
	d.lift()
	return tdmSeizing
}

// lift seizes the timeslot.
func (d *tdm) lift() {
	d.out("seizure")
	d.goOffHook()
	d.audio.play(program{})
	d.seized = seizure{}
	if d.opt.Immediate {
		d.seized.winked = true
		d.timers.set(stepTimer, startDelay)
	} else {
		d.timers.set(answerTimer, d.opt.WinkWait)
	}
}

// waiting waits for the end of the guard time; the timeslot is still on-hook.
func (d *tdm) waiting(ev event) tdmState {
	switch ev := ev.(type) {
	case jack.Change:
		switch {
		case ev.What == jack.OffHook: // glare: the incoming call has the timeslot
			d.stats.Glare++
			d.pass(leg.NoCircuit.GivenBy(leg.Us).Because("%s was seized by the far end", d.where()))
			return d.comesIn(winkDelay)
		case ev.What == jack.OnHook && time.Now().After(d.guardEnd):
			d.lift()
			return tdmSeizing
		}
	case expired:
		if ev.timer != stepTimer {
			break
		}
		if !d.jack.FarOffHook {
			d.lift()
			return tdmSeizing
		}
		if time.Since(d.guardEnd) < d.opt.WinkWait {
			d.timers.set(stepTimer, d.opt.WinkWait)
			break
		}
		return d.fail(leg.NetworkFailure.Because("%s: the far end does not release", d.where()))
	}
	return d.state
}

// seizing waits for the wink, and a moment before the digits.
func (d *tdm) seizing(ev event) tdmState {
	switch ev := ev.(type) {
	case jack.Change:
		switch {
		case ev.What == jack.OffHook && d.opt.Immediate:
			return d.glare()
		case d.seized.winked:
		case ev.What == jack.OffHook:
			d.timers.set(stepTimer, glareAfter)
		case ev.What == jack.OnHook:
			d.farOnHook(ev.For)
		}
	case expired:
		switch {
		case ev.timer == answerTimer:
			return d.noWink()
		case ev.timer != stepTimer:
		case d.seized.winked:
			return d.startDialing()
		default:
			return d.glare()
		}
	}
	return d.state
}

// farOnHook sorts an off-hook of the far end that is over.
func (d *tdm) farOnHook(lasted time.Duration) {
	d.timers.stop(stepTimer)
	switch {
	case winkMin <= lasted && lasted <= winkMax:
		d.in("wink")
		d.seized.winked = true
		d.timers.stop(answerTimer)
		d.timers.set(stepTimer, digitDelay)
	case lasted > winkMax: // it has yielded
		d.seesGlare()
		d.timers.set(answerTimer, d.opt.WinkWait)
	}
}

// noWink: the far end does not answer the seizure.
func (d *tdm) noWink() tdmState {
	d.stats.NoWink++
	d.suspect = time.Now().Add(suspectFor)
	return d.fail(leg.NetworkFailure.Because("%s: no wink after %v", d.where(), d.opt.WinkWait).
		WithHint("has the far end the timeslot in service, with E&M wink start?"))
}

// glare: both ends have seized the timeslot. If we yield, our call moves to
// another line, and the far end's comes in once it sees that.
func (d *tdm) glare() tdmState {
	d.seesGlare()
	if d.opt.KeepGlare && !d.opt.Immediate {
		return d.state // until the wink, or the end of the wait for it
	}
	d.out("on-hook")
	d.pass(leg.NoCircuit.GivenBy(leg.Us).Because("%s was seized by the far end", d.where()))
	d.offHook = false
	d.cfg.Port.SetHook(false)
	d.timers.stop(answerTimer)
	return d.comesIn(yieldDelay)
}

// seesGlare counts it once.
func (d *tdm) seesGlare() {
	if !d.seized.glare {
		d.seized.glare = true
		d.stats.Glare++
		d.in("seizure (glare)")
	}
}

// fail gives the timeslot back and the call to the next line of its trunk.
func (d *tdm) fail(why leg.Cause) tdmState {
	d.trouble("%s", why.Error())
	if d.offHook {
		d.out("on-hook")
	}
	d.pass(why.GivenBy(d.cfg.Name))
	return d.rest()
}

func (d *tdm) pass(why leg.Cause) { d.drop(why.Text).hunt(d.line, why) }

// startDialing begins to send the number.
func (d *tdm) startDialing() tdmState {
	d.dial = dialer{pulse: d.opt.Pulse, toneWait: dialToneWait}
	if d.dial.begin(d.line) {
		return d.dialled()
	}
	return tdmDialing
}

// dialToneWait is how long a far end that gives a dial tone in the midst of a
// number may take for it.
const dialToneWait = 3 * time.Second

// dialing goes from step to step of the number.
func (d *tdm) dialing(ev event) tdmState {
	if d.dial.take(d.line, ev) {
		return d.dialled()
	}
	return d.state
}

// dialled: the number is sent. Who answers fast may have done so.
func (d *tdm) dialled() tdmState {
	if d.jack.FarOffHook {
		d.in("off-hook")
		return tdmTalking
	}
	return tdmProceeding
}

// enterProceeding lets the caller hear the far end.
func (d *tdm) enterProceeding() {
	c := d.call
	c.stream.open()
	d.audio.play(program{stream: c.stream, hear: true, say: true, tones: true, keys: true, anew: true})
	c.deliver(leg.EarlyMedia{Of: c.of()})
}

// proceeding waits for the answer, which is the far end's off-hook. Its tones
// only tell how far the call has come.
func (d *tdm) proceeding(ev event) tdmState {
	switch ev := ev.(type) {
	case jack.Change:
		if ev.What == jack.OffHook {
			d.in("off-hook")
			return tdmTalking
		}
	case order:
		if ev.what == sendDigit {
			d.out("DTMF %c", ev.digit)
			d.audio.digit(ev.digit, ev.d)
		}
	case signal:
		switch {
		case !ev.on:
		case ev.heard == ringbackTone && !d.call.rings:
			d.call.rings = true
			d.in("ringback")
			d.call.deliver(leg.Ringing{Of: d.call.of()})
		case ev.heard == busyTone, ev.heard == congestionTone:
			d.in("%s", ev.heard)
			d.out("on-hook")
			d.end(d.refusal(ev.heard.String()))
			return d.rest()
		}
	}
	return d.state
}
