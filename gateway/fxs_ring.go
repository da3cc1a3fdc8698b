package gateway

import (
	"fmt"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// A call to a telephone on an FXS line:
//
//	b2bua               fxs1
//	 |-------ring-------->|
//	 |-caller ID 5551234->|
//	 |<-----off-hook------|  Answered
//	 |-loop-current drop->|  Hangup
//	 |-----busy tone----->|
//	 |<-----on-hook-------|
//
// In some countries the caller ID precedes the first ring, in Japan it is sent
// to a telephone off-hook (fxs_primary.go).

const (
	// callerIDAfter is the silence between the first ring and the caller ID,
	// or between the caller ID and the first ring (GR-30 §2.3: 0.5 s).
	callerIDAfter = 500 * time.Millisecond
	// reversalTime is the silence between the reversal of polarity that
	// announces caller ID and its signal (SIN 227 §5.2: 0.1 s or more).
	reversalTime = 150 * time.Millisecond
)

// bell is how far the ringing of the telephone has come.
type bell struct {
	rests     bool   // it begins after a silence
	callerID  *sound // not yet sent; nil: sent, or none
	activated bool   // the activation signal is sent
	rings     bool
}

// startRinging calls the telephone, after a silence if a signal was cut off for it.
func (f *fxs) startRinging(c *call, cut bool) fxsState {
	c.other = c.from
	f.begin(c, false)
	c.deliver(leg.Ringing{Of: c.of()})
	if cut {
		f.bell.rests = true
		f.timers.set(stepTimer, lampCut)
		return fxsRinging
	}
	return f.alert()
}

// alert rings the telephone for the line's call, and tells it whose it is.
func (f *fxs) alert() fxsState {
	if !f.opt.NoCallerID {
		f.bell.callerID = newCallerID(f.cidBy, f.call.other, time.Now())
	}
	switch {
	case f.bell.callerID == nil || !f.cidBy.BeforeRing():
		f.ringBell()
	case f.cidBy.PrimaryAnswer():
		f.cfg.Port.SetReversed(true)
		f.timers.set(stepTimer, reversalTime)
		return fxsActivating
	case f.cidBy.Reverses():
		f.cfg.Port.SetReversed(true)
		f.timers.set(stepTimer, reversalTime)
	default:
		f.sendCallerID()
	}
	return fxsRinging
}

// ringBell rings the bell as the line's call asks for, and so that it is told who
// calls after the first ring, if it was not yet.
func (f *fxs) ringBell() {
	name, cadence := f.howToRing()
	f.bell.rings = true
	switch name {
	case leg.RingOutside, leg.RingInside, leg.RingRecall: // as the rest of the ladder shows
		f.out("ring")
	default:
		f.out("ring (%s)", name)
	}
	f.call.log.Debug("rings", "line", f.cfg.Name, "ring", name, "cadence", cadence)
	f.cfg.Port.SetRing(true, cadence)
	if f.bell.callerID != nil {
		pause, _ := longestPause(cadence)
		f.timers.set(stepTimer, pause+callerIDAfter)
	}
}

// howToRing is the ring for the line's call, by its name and its cadence. A held
// call rings back, whatever it rang as before.
func (f *fxs) howToRing() (name string, cadence []time.Duration) {
	name = f.call.ring
	switch {
	case f.opt.PlainRing:
		return leg.RingOutside, f.country.Bell
	case !f.answer.IsZero():
		name = leg.RingRecall
	case name == "":
		name = leg.RingOutside
	}
	cadence, ok := f.cadence(name)
	if !ok {
		f.call.log.Info(fmt.Sprintf("ring %q has no cadence: the telephone rings as for any call", name), "line", f.cfg.Name)
		name = leg.RingOutside
	}
	return name, cadence
}

func (f *fxs) sendCallerID() {
	f.out("caller ID %s", callerText(f.call.other))
	f.cfg.Port.SetAudio(true)
	f.audio.play(program{sound: f.bell.callerID})
	f.bell.callerID = nil
}

// ringing waits for the telephone to be lifted, and sends the caller ID
// meanwhile.
func (f *fxs) ringing(ev event) fxsState {
	switch ev := ev.(type) {
	case jack.Change:
		if ev.What == jack.OffHook {
			return f.lifted()
		}
	case played: // the card has yet to play the end of it
		f.audio.play(program{})
		f.timers.set(stepTimer, callerIDAfter)
	case expired:
		switch {
		case ev.timer == stateTimer: // a held call was not taken back
			return f.notTakenBack()
		case ev.timer != stepTimer:
		case f.bell.rests:
			f.bell.rests = false
			return f.alert()
		case f.bell.callerID != nil:
			f.sendCallerID()
		default:
			f.cfg.Port.SetAudio(false)
			if !f.bell.rings {
				f.ringBell()
			}
		}
	}
	return f.state
}

// lifted is the answer.
func (f *fxs) lifted() fxsState {
	f.cfg.Port.SetRing(false, nil)
	f.cfg.Port.SetReversed(false)
	f.cfg.Port.SetAudio(true)
	f.in("off-hook")
	return fxsTalking
}
