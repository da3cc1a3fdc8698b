package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
)

// fxoState is what an FXO line is doing.
type fxoState uint8

const (
	fxoDown       fxoState = iota // the card does not answer, or the port is out of order
	fxoDead                       // on-hook, and the exchange feeds no battery
	fxoIdle                       // on-hook, may be seized or rung
	fxoWaiting                    // has a call, and waits for the guard time to end
	fxoSeizing                    // off-hook, waits for dial tone
	fxoDialing                    // sends digits
	fxoProceeding                 // dialled; the caller hears what the exchange says
	fxoTalking                    // both ways, whoever called
	fxoActivating                 // rings; a short ring would announce caller ID (fxo_primary.go)
	fxoReading                    // off-hook for the caller ID, not for the call
	fxoTaken                      // on-hook again; the ring is waited for
	fxoRinging                    // rings; its caller ID is waited for
	fxoOffered                    // call control has the call and has not answered it
	fxoRefused                    // rings on though call control refused the call
	fxoTesting                    // off-hook for a line test
)

// fxo is a line to an exchange.
type fxo struct {
	*line
	outward
	opt   FXO // with its defaults filled in
	state fxoState
	ring  ring
	dial  dialer
	clear clearing
	test  *lineTest // nil: none is under way

	primary bool // caller ID is taken off-hook, by us
	deaf    bool // the hardware does not tell which number is called (fxo_number.go)
}

func newFXO(l *line) *fxo {
	c := l.cfg.FXO
	c.DialToneWait = or(c.DialToneWait, 3*time.Second)
	c.Answer.After = or(c.Answer.After, 15*time.Second)
	c.Silence = or(c.Silence, 30*time.Minute)
	c.MinLoopDrop = or(c.MinLoopDrop, 80*time.Millisecond)
	c.Guard = or(c.Guard, 4*time.Second)
	c.CallerIDWait = or(c.CallerIDWait, 4*time.Second)
	c.FlashTime = or(c.FlashTime, l.country.flash)
	reader, _ := l.cfg.Port.(jack.Reader)
	byItself := reader != nil && reader.ReadsCallerID()
	return &fxo{line: l, opt: c, outward: outward{guard: c.Guard},
		primary: l.cidBy.PrimaryAnswer() && c.CallerIDWait > 0 && !byItself}
}

// or is d, or the default if d is zero; less than zero is none.
func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return max(d, 0)
}

// handle does with an event what is the same in each state, and leaves the rest
// to the state's method.
func (f *fxo) handle(ev event) {
	switch ev := ev.(type) {
	case jack.Change:
		switch {
		case f.presence(ev):
			return
		case ev.What == jack.CallerID:
			f.become(f.step(gotCallerID{caller: leg.Party{Number: ev.Caller.Number, Name: ev.Caller.Name, Withheld: ev.Caller.Withheld}}))
			return
		case ev.What == jack.Heard:
			if h := f.hint(ev.Tone); h != nothing {
				f.become(f.step(signal{h, true}))
			}
			return
		}
	case testLine:
		f.become(f.startTest(ev))
		return
	case seize:
		if f.yields(ev.call) {
			f.preempt(ev.call)
			return
		}
		if f.state != fxoIdle {
			f.notNow(ev.call)
			return
		}
	case order:
		if ev.what == hangup {
			f.hungUp(ev.cause)
			f.become(f.let())
			return
		}
	}
	f.become(f.step(ev))
}

func (f *fxo) step(ev event) fxoState {
	switch f.state {
	case fxoDead, fxoIdle:
		return f.idle(ev)
	case fxoWaiting:
		return f.waiting(ev)
	case fxoSeizing:
		return f.seizing(ev)
	case fxoDialing:
		return f.dialing(ev)
	case fxoProceeding:
		return f.proceeding(ev)
	case fxoTalking:
		return f.talking(ev)
	case fxoActivating:
		return f.activating(ev)
	case fxoReading:
		return f.reading(ev)
	case fxoTaken:
		return f.taken(ev)
	case fxoRinging:
		return f.ringing(ev)
	case fxoOffered:
		return f.offered(ev)
	case fxoRefused:
		return f.refused(ev)
	case fxoTesting:
		return f.testing(ev)
	}
	return f.state
}

// hint is what a tone that the hardware told of is worth: it may know dial tone
// before us, and how a call goes on that nobody has answered. It cannot end a
// talk, for there are modems that take speech for tones.
func (f *fxo) hint(t jack.Tone) heard {
	switch {
	case t == jack.DialTone && f.state == fxoSeizing:
		return dialTone
	case f.state != fxoProceeding:
		return nothing
	case t == jack.RingbackTone:
		return ringbackTone
	case t == jack.BusyTone:
		return busyTone
	case t == jack.CongestionTone:
		return congestionTone
	}
	return nothing
}

// become changes the state and does what belongs to arriving in it.
func (f *fxo) become(next fxoState) {
	if next == f.state {
		return
	}
	f.log.Debug("line", "was", f.state, "is", next)
	f.state, f.since = next, time.Now()
	f.lendable.Store(f.lends())
	f.timers.stop(stateTimer)
	switch next {
	case fxoIdle, fxoDead, fxoDown:
		f.release()
	case fxoSeizing:
		f.timers.set(stateTimer, f.opt.DialToneWait)
	case fxoActivating:
		f.timers.set(stateTimer, callerid.ActivationBurst*3/2)
	case fxoReading:
		f.enterReading()
	case fxoTaken:
		f.enterTaken()
	case fxoProceeding:
		f.enterProceeding()
	case fxoTalking:
		f.enterTalking()
	}
}

// idle waits for a call from either side.
func (f *fxo) idle(ev event) fxoState {
	switch ev := ev.(type) {
	case seize:
		return f.seize(ev.call)
	case jack.Change:
		switch ev.What {
		case jack.RingOn:
			return f.rung()
		case jack.BatteryOff:
			f.timers.set(batteryTimer, batteryAlarm)
		case jack.BatteryOn:
			f.timers.stop(batteryTimer)
			return fxoIdle
		case jack.Polarity:
			if !f.primary { // else there is nothing to hear before it is off-hook
				f.early()
			}
		}
	case gotCallerID:
		f.ring.take(ev)
		f.timers.set(ringTimer, earlyWait)
	case expired:
		switch ev.timer {
		case batteryTimer:
			if !f.jack.Battery {
				f.trouble("%s: no battery: is the wall jack plugged in?", f.where())
				return fxoDead
			}
		case ringTimer: // caller ID, or its announcement, that no ring followed
			f.ring = ring{}
			f.rest()
		}
	}
	return f.state
}

// batteryAlarm is how long battery may be gone before the line counts as dead.
const batteryAlarm = time.Second

func (f *fxo) down() bool  { return f.state == fxoDown }
func (f *fxo) talks() bool { return f.state == fxoTalking }
func (f *fxo) fall()       { f.become(fxoDown) }

// goesOn: the card's report is a snapshot in the midst of a call.
func (f *fxo) goesOn() bool { return f.offHook && f.jack.OffHook && f.call != nil }

// arrive begins as the card reports.
func (f *fxo) arrive() {
	f.state = fxoDown // arrive anew, whatever it was
	f.become(fxoIdle)
	if !f.jack.Battery {
		f.timers.set(batteryTimer, batteryAlarm)
	}
	f.checkTiming()
	if f.jack.Ringing {
		f.ring.late = true
		f.become(f.rung())
	}
}

// hungUp ends the call because our side did.
func (f *fxo) hungUp(cause leg.Cause) {
	if f.offHook {
		f.out("on-hook")
	}
	f.end(cause)
}

// let lets the exchange have the line back after a call: on-hook, unless it
// rings on.
func (f *fxo) let() fxoState {
	if !f.offHook && (f.jack.Ringing || f.timers.running(ringTimer)) {
		return fxoRefused
	}
	return fxoIdle
}

// release leaves the line on-hook and silent, for the next call.
func (f *fxo) release() {
	f.endTest()
	if f.offHook {
		f.guardEnd = time.Now().Add(f.opt.Guard)
	}
	f.offHook = false
	f.cfg.Port.SetHook(false)
	f.timers = timers{}
	f.ring, f.dial, f.clear = ring{}, dialer{}, clearing{}
	f.rest()
	if f.state == fxoIdle && !f.jack.Battery {
		f.timers.set(batteryTimer, batteryAlarm)
	}
	f.claimed.Store(false)
}

// rest stops the card's audio, unless the exchange may send caller ID before
// it rings without announcing it.
func (f *fxo) rest() {
	if f.state == fxoIdle && !f.closing && f.cidBy.BeforeRing() && !f.cidBy.Reverses() {
		f.hear()
		return
	}
	f.quiet()
}

// quiet stops the card's audio.
func (f *fxo) quiet() {
	f.audio.play(program{})
	f.cfg.Port.SetAudio(false)
}

// notNow passes on a call that reached the line when it could no longer be
// seized: it rings, or was lost.
func (f *fxo) notNow(c *call) {
	switch f.state {
	case fxoActivating, fxoReading, fxoTaken, fxoRinging, fxoOffered:
		f.stats.Glare++
	}
	c.hunt(f.line, leg.NoCircuit.GivenBy(leg.Us).Because("%s: %s", f.where(), f.words()))
	if f.state == fxoDown || f.state == fxoDead {
		f.claimed.Store(false)
	}
}

func (f *fxo) ready() bool { return f.state == fxoIdle && f.jack.Battery && !f.busied }

func (f *fxo) failed() string {
	switch {
	case f.state == fxoDown:
		return f.why
	case f.state == fxoDead, f.state == fxoIdle && !f.jack.Battery:
		return "no battery: is the wall jack plugged in?"
	}
	return ""
}
