package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// The talk of a telephone on an FXS line, whoever called, and its end:
//
//	b2bua               fxs1
//	 |<------flash--------|  Flash
//	 |-loop-current drop->|  Hangup
//	 |-----busy tone----->|
//	 |------howler------->|  if it is left off-hook
//	 |<-----on-hook-------|

// talking waits for either end to hang up.
func (f *fxs) talking(ev event) fxsState {
	switch ev := ev.(type) {
	case order:
		if ev.what == sendDigit {
			f.out("DTMF %c", ev.digit)
			f.audio.digit(ev.digit, ev.d)
		}
	case keyUp:
		if ev.digit == 'D' && time.Since(f.noticed) < lateAck {
			break
		}
		f.in("DTMF %c", ev.digit)
		f.call.deliver(leg.Digit{Of: f.call.of(), Digit: ev.digit, For: ev.d, Relayed: true})
	case carries:
		f.audio.interrupt(nil)
	case expired:
		if ev.timer == waitingTimer {
			f.remind()
		}
	case jack.Change:
		switch {
		case ev.What == jack.Pulse:
			f.in("pulses %c", ev.Digit)
			f.call.deliver(leg.Digit{Of: f.call.of(), Digit: ev.Digit})
		case ev.What != jack.Flash || !f.isFlash(ev.For):
		case f.aside.call != nil:
			return f.changeOver()
		default:
			f.in("flash")
			f.call.deliver(leg.Flash{Of: f.call.of()})
		}
	}
	return f.state
}

// enterTalking joins the telephone and its stream, both ways. A call that was
// answered before was held.
func (f *fxs) enterTalking() {
	c := f.call
	c.stream.open()
	f.audio.play(program{stream: c.stream, hear: true, say: true, keys: true})
	if f.opt.ReverseOnAnswer {
		f.cfg.Port.SetReversed(f.record.Incoming)
	}
	if !f.answer.IsZero() {
		f.watchAudio()
		c.deliver(leg.Resumed{Of: c.of()})
		return
	}
	f.answered()
	if !f.record.Incoming {
		c.deliver(leg.Answered{Of: c.of()})
	} else if f.opt.ReverseOnAnswer {
		f.out("polarity reversal")
	}
}

// onHook ends what the telephone was doing: it was hung up.
func (f *fxs) onHook() {
	if f.call == nil {
		if f.aside.call != nil {
			f.ringBack()
			return
		}
		f.become(fxsIdle)
		return
	}
	f.in("on-hook")
	why := leg.NormalClearing.GivenBy(f.cfg.Name).Because("the telephone on line %s was hung up", f.cfg.Name)
	c := f.drop(why.Text)
	if f.aside.call != nil {
		f.ringBack()
	} else {
		f.become(fxsIdle)
	}
	f.publish() // call control may ring the telephone back at once
	c.end(why)
}

// hungUp ends the call because the other side did, and lets the telephone hear
// it if it is off-hook.
func (f *fxs) hungUp(cause leg.Cause) fxsState {
	if f.aside.call != nil {
		return f.leftAlone(cause)
	}
	ringing, talked := f.state == fxsRinging || f.state == fxsActivating, f.state == fxsTalking
	f.hears = toneFor(cause)
	if ringing {
		f.out("ringing stopped")
	} else {
		if f.opt.ReverseOnAnswer {
			f.cfg.Port.SetReversed(false)
		}
		if talked {
			f.out("loop-current drop")
			f.cfg.Port.DropLoop(openTime)
		}
		f.out("%s", f.hears)
	}
	f.end(cause)
	if ringing {
		return fxsIdle
	}
	return fxsReorder
}

// toneFor is what a telephone hears of a cause: busy tone when somebody was
// reached and is busy, has refused or has hung up, else congestion tone; so too
// when it is this exchange that refuses, for nobody was reached.
func toneFor(cause leg.Cause) heard {
	switch cause.Filled().Q850 {
	case 16, 17, 19:
		return busyTone
	case 21:
		if cause.By != leg.Us {
			return busyTone
		}
	}
	return congestionTone
}

// left goes on from the tone to the howler and to silence while the telephone
// stays off-hook after its call.
func (f *fxs) left(ev event) fxsState {
	switch ev := ev.(type) {
	case jack.Change:
		switch {
		case ev.What != jack.Flash || !f.isFlash(ev.For):
		case f.aside.call != nil:
			return f.takeWaiting()
		default:
			return f.offHook()
		}
	case expired:
		if ev.timer != stateTimer {
			break
		}
		if f.aside.call != nil {
			f.timers.set(stateTimer, reorderTime)
			break
		}
		if f.state == fxsReorder {
			return fxsHowling
		}
		return fxsParked
	}
	return f.state
}
