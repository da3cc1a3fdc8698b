package gateway

import (
	"fmt"
	"time"

	"crosspoint/gateway/jack"
)

// A test of a timeslot seizes it, and sees whether the far end winks. Levels
// and echo are not measured: the span carries samples as they are.

// startTest begins a test of an idle timeslot.
func (d *tdm) startTest(ev testLine) tdmState {
	t := d.newTest(ev)
	switch d.state {
	case tdmDown:
		if d.jack.Present {
			t.found("span", false, d.jack.Alarm.Hint(), "%s", d.jack.Alarm)
		}
	case tdmHeld:
		t.found("span", true, "", "no alarm")
		t.found("far end", false, "look there: is the timeslot in service, and its signalling E&M?", "off-hook without a call")
	case tdmIdle:
		t.found("span", true, "", "no alarm")
		t.found("far end", true, "", "on-hook")
		if d.busied {
			t.found("service", false, "crosspoint lines return "+d.cfg.Name, "busied out by hand")
			break
		}
		if d.opt.Immediate {
			t.found("seizure", true, "", "not tried: with immediate start the far end gives no sign before digits")
			break
		}
		d.test = t
		d.claimed.Store(true)
		d.timers.set(stepTimer, max(time.Until(d.guardEnd), 0))
		return tdmTesting
	default:
		ev.result <- testResult{err: fmt.Errorf("line %s is in use: it is %s", d.cfg.Name, d.words())}
		return d.state
	}
	ev.result <- testResult{report: t.report}
	return d.state
}

// endTest hands the report over, whole or as far as it has come.
func (d *tdm) endTest() {
	if d.test == nil {
		return
	}
	d.log.Info("line test", "ok", d.test.report.OK())
	d.test.order.result <- testResult{report: d.test.report}
	d.test = nil
}

// testing seizes the timeslot and waits for the wink.
func (d *tdm) testing(ev event) tdmState {
	t := d.test
	lasted := time.Since(t.lifted).Round(10 * time.Millisecond)
	switch ev := ev.(type) {
	case expired:
		switch {
		case ev.timer != stepTimer:
		case !d.offHook:
			t.lifted = time.Now()
			d.goOffHook()
			d.timers.set(stepTimer, d.opt.WinkWait)
		case d.jack.FarOffHook:
			t.found("wink", false, "a call may have come in at the same time (glare): test it again", "none: the far end is off-hook and stays so")
			return tdmHeld
		default:
			t.found("wink", false, "has the far end the timeslot in service, with E&M wink start?", "none within %v", d.opt.WinkWait)
			return d.rest()
		}
	case jack.Change:
		switch {
		case ev.What == jack.OffHook && !d.offHook:
			t.found("interrupted", false, "test it again", "a call came in")
			d.endTest()
			return d.comesIn(winkDelay)
		case ev.What == jack.OnHook && d.offHook:
			d.winked(t, ev.For, lasted)
			return tdmIdle
		}
	}
	return d.state
}

// winked judges what the far end answered to the seizure.
func (d *tdm) winked(t *lineTest, length, after time.Duration) {
	ok := winkMin <= length && length <= winkMax
	t.found("wink", ok, fmt.Sprintf("a wink lasts %v to %v: was it a seizure (glare)? test it again", winkMin, winkMax),
		"of %v, over %v after the seizure", length.Round(10*time.Millisecond), after)
	t.found("levels, echo", true, "", "not measured: a timeslot carries the samples as they are")
}
