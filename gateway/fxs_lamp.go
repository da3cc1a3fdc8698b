package gateway

import (
	"time"

	"crosspoint/gateway/callerid"
)

// The message lamp of a telephone on an FXS line (visual message waiting) is
// switched while the line is idle, by a message that no ring precedes:
//
//	b2bua                             fxs1
//	 |--loop open for 200 ms------------>|  Bellcore; BT: polarity reversed
//	 |--2130+2750 Hz for 100 ms--------->|  BT and ETSI
//	 |--FSK: messages wait, or none do-->|
//
// Nobody's ladder shows it, for it is no call, and the line is idle for whoever
// looks. A call in, the telephone when it is lifted, and another change end it at
// once; it is begun anew when the line has been idle for a while. Telephones in
// countries with DTMF caller ID, and in Japan, know no such message; on a
// ground-start line there is another exchange and no telephone.

const (
	// lampRest is how long the line is idle before the signal: the next call may
	// come at once, and so may the next change.
	lampRest = 2 * time.Second
	// loopOpen is the open switching interval (GR-30 §2.2: 150 to 300 ms), and
	// loopPause the silence between it and the message.
	loopOpen  = 200 * time.Millisecond
	loopPause = 300 * time.Millisecond
	// lampMost is the longest that the card may take to play the message: that is
	// 0.6 s long. A card that sends no ticks would never end it.
	lampMost = 3 * time.Second
	// lampTail is how long the card may have yet to play after the last sample.
	lampTail = 300 * time.Millisecond
	// lampTurn is when a line looks again whether the one that is told has ended.
	lampTurn = 500 * time.Millisecond
	// lampCut is the silence between a signal that was cut off and the call that
	// did it, longer than the loop is open: the caller ID of the call is no part of
	// the message before it.
	lampCut = 250 * time.Millisecond
)

// lampPhase is how far the signal has come.
type lampPhase uint8

const (
	lampQuiet lampPhase = iota // nothing is on the line; while lampTimer runs the signal is to come
	lampAlert                  // the loop was opened or polarity reversed
	lampSent                   // alerting tone and message are played
	lampEnds                   // the card plays the rest
)

// lamp is what the line knows of the telephone's message lamp.
type lamp struct {
	wanted callerid.Waiting // zero: nobody has said
	told   callerid.Waiting // what the telephone was told last; zero: not known what it shows
	phase  lampPhase
	sound  *sound
}

// hasLamp tells whether there is a message for the telephone's lamp. A device that
// mistakes caller ID for speech is not sent it.
func (f *fxs) hasLamp() bool {
	return f.cidBy.Lamps() && !f.opt.NoCallerID && !f.cfg.GroundStart
}

// messagesWait notes whether messages wait for the telephone.
func (f *fxs) messagesWait(waiting bool) {
	want := callerid.NoMessagesWait
	if waiting {
		want = callerid.MessagesWait
	}
	if want != f.lamp.wanted {
		f.lamp.wanted = want
		f.tellLamp()
	}
}

// tellLamp sees to it that the telephone's lamp is told, after a rest, if it may
// show something else than is wanted.
func (f *fxs) tellLamp() {
	f.endLamp()
	if f.state == fxsIdle && f.hasLamp() && f.lamp.wanted != f.lamp.told {
		f.timers.set(lampTimer, lampRest)
	}
}

// goOnLamp is the next step of the signal.
func (f *fxs) goOnLamp() {
	switch l := &f.lamp; l.phase {
	case lampQuiet:
		// One after the other: a serial line may be too slow for the audio of all
		// the ports of a card that has begun anew.
		if !f.gw.lamp.CompareAndSwap(nil, f.line) {
			f.timers.set(lampTimer, lampTurn)
			return
		}
		l.told = 0
		f.alertLamp()
	case lampAlert:
		f.sendLamp()
	case lampSent:
		f.trouble("%s: the card sends no audio: the telephone is not told of its messages", f.where())
		f.lampTold("was not told")
	case lampEnds:
		f.lampTold("was told")
	}
}

// alertLamp has the telephone listen, by what the line itself can do.
func (f *fxs) alertLamp() {
	f.log.Debug("message lamp", "on", f.lamp.wanted == callerid.MessagesWait, "telephone", "is told")
	f.lamp.phase = lampAlert
	switch {
	case f.cidBy.OpensLoop():
		f.cfg.Port.DropLoop(loopOpen)
		f.timers.set(lampTimer, loopOpen+loopPause)
	case f.cidBy.Reverses():
		f.cfg.Port.SetReversed(true)
		f.timers.set(lampTimer, reversalTime)
	default:
		f.sendLamp()
	}
}

// sendLamp plays the message.
func (f *fxs) sendLamp() {
	on := f.lamp.wanted == callerid.MessagesWait
	f.lamp.phase = lampSent
	f.lamp.sound = &sound{Source: callerid.NewWaitingSender(on, callerid.Config{Standard: f.cidBy})}
	f.cfg.Port.SetAudio(true)
	f.audio.play(program{sound: f.lamp.sound})
	f.timers.set(lampTimer, lampMost)
}

// playedLamp waits until the telephone has heard the end.
func (f *fxs) playedLamp(s *sound) {
	if f.lamp.phase == lampSent && s == f.lamp.sound {
		f.lamp.phase = lampEnds
		f.audio.play(program{})
		f.timers.set(lampTimer, lampTail)
	}
}

// lampTold is the end of the signal, which is not repeated before the next change.
func (f *fxs) lampTold(how string) {
	f.endLamp()
	f.lamp.told = f.lamp.wanted
	f.log.Debug("message lamp", "on", f.lamp.wanted == callerid.MessagesWait, "telephone", how)
}

// endLamp leaves the line as it is between two calls, and tells whether a signal
// was cut off by it. What the telephone shows is not known then.
func (f *fxs) endLamp() (cut bool) {
	f.timers.stop(lampTimer)
	if f.lamp.phase == lampQuiet {
		return false
	}
	f.lamp.phase, f.lamp.sound = lampQuiet, nil
	f.gw.lamp.CompareAndSwap(f.line, nil)
	f.audio.play(program{})
	f.cfg.Port.SetAudio(false)
	f.cfg.Port.SetReversed(false)
	return true
}
