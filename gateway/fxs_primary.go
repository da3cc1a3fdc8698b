package gateway

import (
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
)

// A call to a telephone on a Japanese FXS line, which goes off-hook to be told
// the caller (see callerid.NTT):
//
//	b2bua                   fxs1
//	 |-------activation------->|
//	 |<------off-hook----------|  the primary answer: nobody has lifted it
//	 |--caller ID 0312345678-->|
//	 |<------on-hook-----------|
//	 |---------ring----------->|
//	 |<------off-hook----------|  Answered
//
// A telephone without display lets the activation signal pass.

// primarySilence is the silence between the primary answer and the message.
const primarySilence = 200 * time.Millisecond

// activating goes from the reversal of polarity to the activation signal, and
// on to the bell if the telephone does not answer it.
func (f *fxs) activating(ev event) fxsState {
	switch ev := ev.(type) {
	case jack.Change:
		switch {
		case ev.What != jack.OffHook:
		case f.bell.activated:
			return fxsReading
		default: // it did not ring yet: it was lifted for another reason
			return f.lifted()
		}
	case expired:
		switch {
		case ev.timer != stepTimer:
		case !f.bell.activated:
			f.bell.activated = true
			f.out("activation")
			f.cfg.Port.SetRing(true, callerid.Activation())
			f.timers.set(stepTimer, callerid.ActivationLimit)
		default:
			f.bell.callerID = nil
			f.cfg.Port.SetRing(false, nil)
			f.ringBell()
			return fxsRinging
		}
	}
	return f.state
}

// enterReading begins to tell the telephone the caller.
func (f *fxs) enterReading() {
	f.in("off-hook")
	f.cfg.Port.SetRing(false, nil)
	f.timers.set(stepTimer, primarySilence)
	f.timers.set(stateTimer, callerid.CompletionLimit)
}

// reading waits until the telephone has the caller ID. One that is still
// off-hook long after was lifted by somebody, and is an answer.
func (f *fxs) reading(ev event) fxsState {
	switch ev := ev.(type) {
	case jack.Change:
		if ev.What == jack.OnHook {
			f.in("on-hook")
			f.bell.callerID = nil
			f.audio.play(program{})
			f.cfg.Port.SetAudio(false)
			f.ringBell()
			return fxsRinging
		}
	case played:
		f.audio.play(program{})
	case expired:
		switch ev.timer {
		case stepTimer:
			f.sendCallerID()
		case stateTimer:
			return f.lifted()
		}
	}
	return f.state
}
