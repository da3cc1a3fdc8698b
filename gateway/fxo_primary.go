package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
)

// A call in over a Japanese FXO line, whose exchange tells the caller to a
// telephone that goes off-hook for it (see callerid.NTT):
//
//	fxo1                     b2bua
//	 |-------activation------->|
//	 |<------off-hook----------|  the primary answer; nobody is connected
//	 |--caller ID 0312345678-->|
//	 |<------on-hook-----------|
//	 |---------ring----------->|  Incoming
//	 |<------off-hook----------|  Answer
//
// A ring that is longer than those of the activation signal is a call without
// caller ID.

// messageWait is how long after the primary answer a message may take that
// does not come, or that no one can make out. The exchange waits for the end
// of the reception at least 7 s (callerid.CompletionLimit).
const messageWait = 5 * time.Second

// noCallerID tells that a message was heard to its end, and was wrong.
type noCallerID struct{ err error }

// activating waits whether the ring is a short one.
func (f *fxo) activating(ev event) fxoState {
	switch ev := ev.(type) {
	case jack.Change:
		if ev.What != jack.RingOff {
			break
		}
		f.ring.off = time.Now()
		d := or(ev.For, f.ring.off.Sub(f.ring.on))
		switch {
		case d < ringMin:
			f.call = nil // noise
			return fxoIdle
		case callerid.IsActivation(d):
			return fxoReading
		}
		f.timers.set(ringTimer, ringGone)
		return f.ringsNow(d)
	case expired:
		if ev.timer == stateTimer {
			return f.ringsNow()
		}
	}
	return f.state
}

// ringsNow takes a call that rings for all to hear; what came before was no ring.
// Heard is the ring if it is over already.
func (f *fxo) ringsNow(heard ...time.Duration) fxoState {
	f.ring.rings = 1
	f.listenFor()
	for _, d := range heard {
		f.part(d, false)
	}
	f.in("ring")
	return f.settle()
}

// enterReading goes off-hook for the caller ID. It is no answer: the exchange
// connects nobody.
func (f *fxo) enterReading() {
	f.in("activation")
	f.out("off-hook for caller ID")
	f.offHook = true
	f.hear()
	f.cfg.Port.SetHook(true)
	f.timers.set(stateTimer, messageWait)
}

// reading waits for the message.
func (f *fxo) reading(ev event) fxoState {
	switch ev := ev.(type) {
	case gotCallerID:
		f.ring.take(ev)
		f.ring.told = true
		f.in("caller ID %s", ev.text())
		return fxoTaken
	case noCallerID:
		return fxoTaken
	case jack.Change:
		switch ev.What {
		case jack.RingOn:
			f.ring.on = time.Now()
			f.timers.set(stepTimer, callerid.ActivationBurst*3/2)
		case jack.RingOff:
			f.timers.stop(stepTimer)
		}
	case expired:
		switch ev.timer {
		case stateTimer:
			return fxoTaken
		case stepTimer: // it was late: the exchange has not seen it, and rings already
			f.putDown()
			return f.ringsNow()
		}
	}
	return f.state
}

// putDown is the end of the reception.
func (f *fxo) putDown() {
	f.out("on-hook")
	f.offHook = false
	f.cfg.Port.SetHook(false)
	f.quiet()
}

// enterTaken puts the line down and waits for the ring.
func (f *fxo) enterTaken() {
	f.putDown()
	f.timers.stop(stepTimer)
	f.timers.set(ringTimer, ringGone)
}

// taken waits for the ring that follows the reception.
func (f *fxo) taken(ev event) fxoState {
	switch ev := ev.(type) {
	case jack.Change:
		if ev.What == jack.RingOn {
			f.bell(ev)
			return f.ringsNow()
		}
	case expired:
		if ev.timer == ringTimer {
			f.beginIn()
			return f.gaveUp()
		}
	}
	return f.state
}

// text is the caller as a ladder shows it, or why there is no number.
func (g gotCallerID) text() string {
	if g.caller == (leg.Party{}) && g.absent != 0 {
		return g.absent.String()
	}
	return callerText(g.caller)
}
