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
	waiting bool  // messages wait
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
		f.waiting = ev.waiting
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

// idle waits for a call from either side.
func (f *fxs) idle(ev event) fxsState {
	switch ev := ev.(type) {
	case seize:
		return f.startRinging(ev.call)
	case jack.Change:
		if ev.What == jack.OffHook {
			return f.offHook()
		}
	}
	return f.state
}

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

// isFlash tells a hook-flash from a loop break that is none. A card that does
// not say how long it was has judged itself.
func (f *fxs) isFlash(d time.Duration) bool {
	return !f.opt.NoFlash && (d == 0 || f.opt.FlashMin <= d && d <= f.opt.FlashMax)
}

// pulseMax is the longest loop break of a dial: 67 ms, and what old dials are
// slow. noFlash is one that no dial makes, of a telephone without hook-flash.
const (
	pulseMax = 90 * time.Millisecond
	noFlash  = 200 * time.Millisecond
)

// setHook tells the port what the telephone's loop breaks mean, if it can be told.
func (f *fxs) setHook() {
	port, ok := f.cfg.Port.(jack.HookTimer)
	if !ok {
		return
	}
	t := jack.HookTiming{PulseMax: min(pulseMax, f.opt.FlashMin-time.Millisecond), FlashMin: f.opt.FlashMin, FlashMax: f.opt.FlashMax}
	if f.opt.NoFlash {
		t = jack.HookTiming{PulseMax: pulseMax, FlashMin: noFlash, FlashMax: noFlash}
	}
	port.SetHookTiming(t)
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
	f.state = fxsDown // arrive anew, whatever it was
	f.become(fxsIdle)
	if f.jack.OffHook {
		f.become(f.offHook())
	}
}

// release leaves the line silent, for the next call.
func (f *fxs) release() {
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

// asideWords is what a telephone has beside its talk, for people.
func (f *fxs) asideWords() string {
	switch {
	case f.aside.call == nil:
		return ""
	case f.aside.waits():
		return ", " + f.aside.call.other.String() + " waits"
	}
	return ", " + f.aside.call.other.String() + " on hold"
}

func (f *fxs) words() string {
	other := "unknown"
	if f.call != nil {
		other = f.call.other.String()
	}
	switch f.state {
	case fxsDown:
		return "failed: " + f.why
	case fxsIdle:
		if f.busied {
			return "busied out"
		}
		return "idle"
	case fxsActivating, fxsReading, fxsRinging:
		return "ringing, caller " + other
	case fxsDialing:
		if f.digits == "" {
			return "off-hook, hears dial tone"
		}
		return "off-hook, has dialled " + f.digits
	case fxsCalling:
		return "calling " + other
	case fxsTalking:
		return "talking with " + other + f.asideWords()
	case fxsReorder:
		return "off-hook, hears " + f.hears.String()
	case fxsHowling:
		return "off-hook, hears the howler"
	}
	return "left off-hook"
}
