package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// TDM is how a timeslot with E&M signalling behaves: a trunk to another
// exchange, over a T1 or E1. The zero value is two-way, wink start.
type TDM struct {
	// Immediate sends digits after the seizure without waiting for a wink, and
	// gives none.
	Immediate bool
	// WinkWait is how long the far end may take to wink. Zero is 5 s.
	WinkWait time.Duration
	// Pulse dials by breaks, for an exchange that knows no DTMF.
	Pulse bool
	// Digits is how many the far end sends for a call in. Zero: as many as the
	// dial plan needs. Negative: none; the call is offered at once.
	Digits int
	// FirstDigit, InterDigit and Match are how long the far end may wait before
	// the first digit, between digits, and after a number that is whole though
	// longer ones exist. Zero is 10 s, 5 s and 3 s.
	FirstDigit, InterDigit, Match time.Duration
	// Guard is how long the timeslot rests on-hook after a call. Zero is 1 s,
	// negative none.
	Guard time.Duration
	// KeepGlare keeps a timeslot that both ends have seized, and waits for the
	// far end to yield. Otherwise we yield.
	KeepGlare bool
}

// Timing of E&M signalling (ANSI/TIA-464-C; docs/linecard-protocol.md §5.5).
const (
	winkTime   = 200 * time.Millisecond // of ours
	winkMin    = 100 * time.Millisecond // of the far end's
	winkMax    = 350 * time.Millisecond
	winkDelay  = 150 * time.Millisecond // from the far end's seizure to our wink
	yieldDelay = 300 * time.Millisecond // the same after a glare: it has to notice that we yield
	digitDelay = 100 * time.Millisecond // from the end of the far end's wink to our digits
	startDelay = 150 * time.Millisecond // from our seizure to our digits, immediate start
	// glareAfter is how long the far end is off-hook until that is no wink, with
	// time for a message of the card to be lost and repeated.
	glareAfter = winkMax + 250*time.Millisecond
	// heldAfter is how long the far end may take to release after us.
	heldAfter = 30 * time.Second
)

// tdmState is what a timeslot is doing.
type tdmState uint8

const (
	tdmDown       tdmState = iota // the card does not answer, the port is out of order, or the span has an alarm
	tdmIdle                       // on-hook at both ends
	tdmHeld                       // the far end is off-hook without a call
	tdmWaiting                    // has a call, and waits for the guard time to end
	tdmSeizing                    // off-hook, waits for the wink, or to send digits
	tdmDialing                    // sends digits
	tdmProceeding                 // dialled; the caller hears the far end
	tdmTalking                    // both ways, whoever called
	tdmCollecting                 // seized by the far end, which sends digits
	tdmOffered                    // call control has the call and has not answered it
	tdmRefused                    // the call is over, and the far end hears why
	tdmTesting                    // off-hook for a line test
)

// tdm is a timeslot whose signalling bits are a trunk's to another exchange.
type tdm struct {
	*line
	outward
	slot   jack.Timeslot
	opt    TDM // with its defaults filled in
	state  tdmState
	held   bool // the far end has been off-hook for too long without a call
	seized seizure
	dial   dialer
	inward inward
	test   *lineTest // nil: none is under way
}

func newTDM(l *line, slot jack.Timeslot) *tdm {
	c := l.cfg.TDM
	c.WinkWait = or(c.WinkWait, 5*time.Second)
	c.FirstDigit = or(c.FirstDigit, 10*time.Second)
	c.InterDigit = or(c.InterDigit, 5*time.Second)
	c.Match = or(c.Match, 3*time.Second)
	c.Guard = or(c.Guard, time.Second)
	return &tdm{line: l, slot: slot, opt: c, outward: outward{guard: c.Guard}}
}

// handle does with an event what is the same in each state, and leaves the rest
// to the state's method.
func (d *tdm) handle(ev event) {
	switch ev := ev.(type) {
	case jack.Change:
		if d.presence(ev) {
			return
		}
	case testLine:
		d.become(d.startTest(ev))
		return
	case seize:
		if d.yields(ev.call) {
			d.preempt(ev.call)
			return
		}
		if d.state != tdmIdle {
			d.notNow(ev.call)
			return
		}
	case order:
		if ev.what == hangup {
			d.become(d.hungUp(ev.cause))
			return
		}
	}
	d.become(d.step(ev))
}

func (d *tdm) step(ev event) tdmState {
	switch d.state {
	case tdmIdle:
		return d.idle(ev)
	case tdmHeld:
		return d.holding(ev)
	case tdmWaiting:
		return d.waiting(ev)
	case tdmSeizing:
		return d.seizing(ev)
	case tdmDialing:
		return d.dialing(ev)
	case tdmProceeding:
		return d.proceeding(ev)
	case tdmTalking:
		return d.talking(ev)
	case tdmCollecting:
		return d.collecting(ev)
	case tdmOffered:
		return d.offered(ev)
	case tdmRefused:
		return d.refused(ev)
	case tdmTesting:
		return d.testing(ev)
	}
	return d.state
}

// become changes the state and does what belongs to arriving in it.
func (d *tdm) become(next tdmState) {
	if next == d.state {
		return
	}
	d.log.Debug("line", "was", d.state, "is", next)
	d.state, d.since = next, time.Now()
	d.lendable.Store(d.lends())
	d.timers.stop(stateTimer)
	switch next {
	case tdmDown:
		d.release()
	case tdmIdle:
		d.release()
		if d.busied {
			d.block()
		}
	case tdmHeld:
		d.release()
		if !d.held {
			d.timers.set(stateTimer, heldAfter)
		}
	case tdmProceeding:
		d.enterProceeding()
	case tdmTalking:
		d.enterTalking()
	}
}

func (d *tdm) down() bool  { return d.state == tdmDown }
func (d *tdm) talks() bool { return d.state == tdmTalking }
func (d *tdm) fall()       { d.held = false; d.become(tdmDown) }

// goesOn: the card's report is a snapshot in the midst of a call.
func (d *tdm) goesOn() bool { return d.offHook && d.jack.OffHook && d.call != nil }

// arrive begins as the card reports.
func (d *tdm) arrive() {
	d.state = tdmDown // arrive anew, whatever it was
	d.become(tdmIdle)
	if d.jack.FarOffHook {
		d.become(d.idle(jack.Change{What: jack.OffHook, State: d.jack}))
	}
}

func (d *tdm) goOffHook() {
	d.offHook = true
	d.cfg.Port.SetAudio(true)
	d.cfg.Port.SetHook(true)
}

// release leaves the timeslot on-hook and silent, for the next call.
func (d *tdm) release() {
	d.endTest()
	if d.offHook {
		d.guardEnd = time.Now().Add(d.guard)
	}
	d.offHook = false
	d.cfg.Port.SetHook(false)
	if d.closing || !d.busied {
		d.slot.SetBlocked(false)
	}
	d.timers = timers{}
	d.dial, d.seized, d.inward = dialer{}, seizure{}, inward{}
	d.audio.play(program{})
	d.cfg.Port.SetAudio(false)
	d.claimed.Store(false)
}

// notNow passes on a call that reached the timeslot when it could no longer be
// seized.
func (d *tdm) notNow(c *call) {
	if d.state == tdmCollecting || d.state == tdmOffered {
		d.stats.Glare++
	}
	c.hunt(d.line, leg.NoCircuit.GivenBy(leg.Us).Because("%s: %s", d.where(), d.words()))
	if d.call == nil && d.test == nil {
		d.claimed.Store(false)
	}
}

func (d *tdm) ready() bool { return d.state == tdmIdle && !d.busied }

func (d *tdm) failed() string {
	switch {
	case d.state == tdmDown:
		return d.why
	case d.held:
		return heldWords
	}
	return ""
}

// signalling is what the bits of the line's timeslot stand for, if it is one.
func (l *line) signalling() jack.Signalling {
	switch {
	case l.kind == jack.FXO && l.cfg.GroundStart:
		return jack.FXOGround
	case l.kind == jack.FXO:
		return jack.FXOLoop
	case l.kind == jack.FXS && l.cfg.GroundStart:
		return jack.FXSGround
	case l.kind == jack.FXS:
		return jack.FXSLoop
	}
	return jack.EM
}

// echoTail is that of the configuration, and none for a trunk, which has four
// wires, unless one is given.
func (l *line) echoTail() time.Duration {
	if l.kind == jack.TDM && l.cfg.EchoTail == 0 {
		return -1
	}
	return l.cfg.EchoTail
}
