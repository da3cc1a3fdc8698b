package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// fxsState is what an FXS line, and the telephone on it, is doing.
type fxsState uint8

const (
	fxsDown       fxsState = iota // the card does not answer, or the port is out of order
	fxsIdle                       // on-hook
	fxsActivating                 // the telephone is called off-hook for the caller ID (fxs_primary.go)
	fxsReading                    // it is off-hook for that
	fxsRinging                    // the telephone rings
	fxsDialing                    // off-hook: hears dial tone, or has dialled some digits
	fxsCalling                    // call control has the call and has not answered it
	fxsTalking                    // both ways, whoever called
	fxsReorder                    // the call is over, and the telephone hears why
	fxsHowling                    // off-hook for too long, and told so
	fxsParked                     // off-hook though nobody listens: left alone until it is hung up
)

const (
	reorderTime = 30 * time.Second       // how long busy or congestion tone is played
	howlTime    = 60 * time.Second       // how long the howler is
	openTime    = 500 * time.Millisecond // the loop break that tells a telephone's device that the other end is gone
)

// fxs is a line to a telephone.
type fxs struct {
	*line
	opt   FXS // with its defaults filled in
	state fxsState

	digits  string
	hears   heard // what the telephone is played in fxsReorder
	early   bool  // the telephone hears the other end before the answer
	lamp    lamp
	bell    bell
	noticed time.Time // when the last notice of a waiting call ended
}

func newFXS(l *line) *fxs {
	c := l.cfg.FXS
	c.FirstDigit = or(c.FirstDigit, 16*time.Second)
	c.InterDigit = or(c.InterDigit, 8*time.Second)
	c.Match = or(c.Match, 3*time.Second)
	c.FlashMin = or(c.FlashMin, l.country.flashMin)
	c.FlashMax = or(c.FlashMax, l.country.flashMax)
	return &fxs{line: l, opt: c}
}

// handle does with an event what is the same in each state, and leaves the rest
// to the state's method.
func (f *fxs) handle(ev event) {
	switch ev := ev.(type) {
	case jack.Change:
		switch {
		case f.presence(ev):
			return
		case ev.What == jack.OnHook && f.state > fxsRinging:
			f.onHook()
			return
		}
	case seize:
		f.second.Store(f.aside.call != nil)
		if f.waits() {
			f.awaited(ev.call)
			return
		}
		if f.state != fxsIdle {
			ev.call.end(leg.Busy.GivenBy(f.cfg.Name).Because("the telephone on line %s is %s", f.cfg.Name, f.words()))
			return
		}
	case testLine:
		f.testPhone(ev)
		return
	case messages:
		f.messagesWait(ev.waiting)
		return
	case noticed:
		f.notified(ev.notice)
		return
	case order:
		if ev.call == f.aside.call {
			f.orderAside(ev)
			return
		}
		if ev.what == hangup {
			f.become(f.hungUp(ev.cause))
			return
		}
	}
	f.become(f.step(ev))
}

func (f *fxs) step(ev event) fxsState {
	switch f.state {
	case fxsIdle:
		return f.idle(ev)
	case fxsActivating:
		return f.activating(ev)
	case fxsReading:
		return f.reading(ev)
	case fxsRinging:
		return f.ringing(ev)
	case fxsDialing:
		return f.dialing(ev)
	case fxsCalling:
		return f.calling(ev)
	case fxsTalking:
		return f.talking(ev)
	case fxsReorder, fxsHowling, fxsParked:
		return f.left(ev)
	}
	return f.state
}

// become changes the state and does what belongs to arriving in it.
func (f *fxs) become(next fxsState) {
	if next == f.state {
		return
	}
	f.log.Debug("line", "was", f.state, "is", next)
	f.state, f.since = next, time.Now()
	f.timers.stop(stateTimer)
	if next != fxsDialing && next != fxsRinging && next != fxsActivating { // these set it on the way in
		f.timers.stop(stepTimer)
	}
	switch next {
	case fxsDown, fxsIdle:
		f.release()
		f.tellLamp()
	case fxsReading:
		f.enterReading()
	case fxsRinging:
		if !f.answer.IsZero() { // it was talked to, and held
			f.timers.set(stateTimer, recallTime)
		}
	case fxsTalking:
		f.enterTalking()
	case fxsReorder:
		f.audio.play(program{sound: f.tone(f.hears)})
		f.timers.set(stateTimer, reorderTime)
	case fxsHowling:
		f.audio.play(program{sound: f.tone(howlerTone)})
		f.timers.set(stateTimer, howlTime)
	case fxsParked:
		f.audio.play(program{})
		f.cfg.Port.SetAudio(false)
		f.trouble("%s: the telephone was left off-hook", f.where())
	}
}

// idle waits for a call from either side, and switches the lamp meanwhile.
func (f *fxs) idle(ev event) fxsState {
	switch ev := ev.(type) {
	case seize:
		return f.startRinging(ev.call, f.endLamp())
	case jack.Change:
		if ev.What == jack.OffHook {
			f.endLamp()
			return f.offHook()
		}
	case played:
		f.playedLamp(ev.sound)
	case expired:
		if ev.timer == lampTimer {
			f.goOnLamp()
		}
	}
	return f.state
}

func (f *fxs) down() bool     { return f.state == fxsDown }
func (f *fxs) talks() bool    { return f.state == fxsTalking }
func (f *fxs) goesOn() bool   { return false }
func (f *fxs) side() *outward { return nil }

// fall ends both calls of a line that can't be used any more.
func (f *fxs) fall() {
	f.endAside(f.lost(f.why, !f.aside.waits()))
	f.become(fxsDown)
}

// arrive begins as the card reports.
func (f *fxs) arrive() {
	f.endAside(leg.TemporaryFailure.GivenBy(f.cfg.Name).Because("%s: the line card has begun anew", f.where()))
	f.setHook()
	f.lamp.told = 0   // it may be another telephone
	f.state = fxsDown // arrive anew, whatever it was
	f.become(fxsIdle)
	if f.jack.OffHook {
		f.become(f.offHook())
	}
}

// release leaves the line silent, for the next call.
func (f *fxs) release() {
	f.endLamp()
	f.cfg.Port.SetRing(false, nil)
	f.cfg.Port.SetReversed(false)
	f.audio.play(program{})
	f.cfg.Port.SetAudio(false)
	f.timers = timers{}
	f.digits, f.early, f.bell = "", false, bell{}
	f.claimed.Store(false)
}

func (f *fxs) ready() bool { return f.state == fxsIdle && !f.busied }

func (f *fxs) failed() string {
	if f.state == fxsDown {
		return f.why
	}
	return ""
}
