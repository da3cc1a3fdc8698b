package gateway

import (
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

// callerIDAfter is the silence between the first ring and the caller ID
// (GR-30: 0.3 to 0.5 s and more).
const callerIDAfter = 500 * time.Millisecond

// bell is how far the caller ID has come while the telephone rings.
type bell struct {
	sound *sound // the caller ID; nil: none
	sent  bool
}

// startRinging rings the telephone.
func (f *fxs) startRinging(c *call) fxsState {
	c.other = c.from
	f.begin(c, false)
	f.record.Number = c.from.Number
	cadence := f.country.Bell
	f.out("ring")
	f.cfg.Port.SetRing(true, cadence)
	c.deliver(leg.Ringing{Of: c.of()})
	if !f.opt.NoCallerID {
		f.bell.sound = newCallerID(f.country, c.from, time.Now())
		pause, _ := longestPause(cadence)
		f.timers.set(stepTimer, pause+callerIDAfter)
	}
	return fxsRinging
}

// ringing waits for the telephone to be lifted, and sends the caller ID after
// the first ring.
func (f *fxs) ringing(ev event) fxsState {
	switch ev := ev.(type) {
	case jack.Change:
		if ev.What == jack.OffHook {
			f.cfg.Port.SetRing(false, nil)
			f.cfg.Port.SetAudio(true)
			f.in("off-hook")
			return fxsTalking
		}
	case expired:
		if ev.timer == stepTimer && f.bell.sound != nil && !f.bell.sent {
			f.bell.sent = true
			f.out("caller ID %s", callerText(f.call.from))
			f.cfg.Port.SetAudio(true)
			f.audio.play(program{sound: f.bell.sound})
		}
	case played:
		f.audio.play(program{})
		f.cfg.Port.SetAudio(false)
	}
	return f.state
}
