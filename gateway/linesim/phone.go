package linesim

import (
	"fmt"
	"strings"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/media/dtmf"
	"crosspoint/media/tone"
)

// PhoneConfig is what a telephone does by itself. The zero value does nothing.
type PhoneConfig struct {
	Answer int           // after so many rings it is lifted. Zero: never
	Plays  []int16       // said after it was lifted, linear samples at 8 kHz
	Repeat bool          // and said again from the beginning
	Echo   bool          // says back what it hears, a tenth of a second later and 6 dB weaker, if it answered by itself
	HangUp time.Duration // after it was lifted. Zero: when the call is over, by loop current or tone, if it answered by itself
	Plain  bool          // it has neither display nor message lamp. In Japan it then rings by the activation signal, and does not answer it

	WaitingDisplay bool // it shows who calls while it is in use ("type II" caller ID)
}

// defaultAnswer is after how many rings the telephones of a default town answer.
const defaultAnswer = 2

// Timing of a telephone.
const (
	liftAfter  = 500 * time.Millisecond // into the silence after a ring
	pulseBreak = 60 * time.Millisecond
	pulseMake  = 40 * time.Millisecond
	pulsePause = 750 * time.Millisecond // between two digits
	flashTime  = 600 * time.Millisecond
	dropNotice = 80 * time.Millisecond // of lost loop current, to be noticed
)

// A Phone is an analog telephone at a card's FXS port.
type Phone struct {
	sim  *Sim
	name string

	// All below belongs to the Sim.
	cfg      PhoneConfig
	offHook  bool
	byItself bool // it was lifted because it rang
	lifted   time.Duration
	contacts []contact // pulses and flashes under way
	keypad   *dtmf.Generator
	line     feed
	bell     ringer
	drops    int
	noLoop   time.Duration
	id       callerid.CallerID
	idKnown  bool
	idAge    time.Duration // since it was received
	idBefore bool          // what idKnown was before the signal under way
	receiver *callerid.Receiver
	wake     wakeUp
	lamp     bool
	display  display
	waiting  waitingEar
	ear      *tone.Detector
	hears    tone.Kind     // zero: nothing yet
	silence  time.Duration // since something was heard while on-hook
	heard    []int16
	said     []int16
	talked   int
	back     echo
}

// feed is what a card's port puts on the telephone's line.
type feed struct{ battery, reversed, ring bool }

// contact is how long the hook contact or the dial's contact stays as it is.
type contact struct {
	closed bool
	left   time.Duration
}

// pulsesOf are the movements of a dial for digits, each with the pause after it.
func pulsesOf(digits string) (dial []contact) {
	for _, d := range digits {
		n := int(d - '0')
		if n == 0 {
			n = 10
		}
		for range n {
			dial = append(dial, contact{false, pulseBreak}, contact{true, pulseMake})
		}
		dial = append(dial, contact{true, pulsePause})
	}
	return dial
}

func newPhone(s *Sim, n int, cfg PhoneConfig) *Phone {
	return &Phone{
		sim: s, name: fmt.Sprintf("fxs%d", n), cfg: cfg, bell: ringer{quiet: ringOver}, silence: ringPause,
		keypad: dtmf.NewGenerator(dtmf.Timing{}),
		ear:    tone.NewDetector(tone.Config{Country: s.country}),
	}
}

// Name is the telephone's name: "fxs1".
func (p *Phone) Name() string { return p.name }

// Set changes what the telephone does by itself.
func (p *Phone) Set(cfg PhoneConfig) { p.sim.do(func() { p.cfg = cfg; p.talked = 0 }) }

// OffHook lifts the receiver.
func (p *Phone) OffHook() { p.sim.do(func() { p.lift(false) }) }

// OnHook puts the receiver down.
func (p *Phone) OnHook() { p.sim.do(func() { p.putDown() }) }

// Dial presses the keys, one after the other: digits, * # A-D, and ',' for a
// pause of 2 s.
func (p *Phone) Dial(digits string) (err error) {
	p.sim.do(func() {
		if err = p.keypad.Dial(digits); err == nil {
			p.sim.note(p.name, "dials %s", digits)
		}
	})
	return err
}

// DialPulse turns the dial: 60 ms breaks, 40 ms makes, 750 ms between digits.
func (p *Phone) DialPulse(digits string) error {
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		return fmt.Errorf("linesim: a dial has no %q", digits[i])
	}
	p.sim.do(func() {
		p.contacts = append(p.contacts, pulsesOf(digits)...)
		p.sim.note(p.name, "dials %s by pulses", digits)
	})
	return nil
}

// Flash opens the loop for a time. Zero means 600 ms.
func (p *Phone) Flash(d time.Duration) {
	if d == 0 {
		d = flashTime
	}
	p.sim.do(func() {
		p.contacts = append(p.contacts, contact{false, d}, contact{true, pulseMake})
		p.sim.note(p.name, "flash %v", d)
	})
}

// Play says something from now on, while the receiver is lifted.
func (p *Phone) Play(pcm []int16, repeat bool) {
	p.sim.do(func() { p.cfg.Plays, p.cfg.Repeat, p.talked = pcm, repeat, 0 })
}

// Heard is what the telephone has heard since it was lifted last.
func (p *Phone) Heard() (pcm []int16) {
	p.sim.do(func() { pcm = append(pcm, p.heard...) })
	return pcm
}

// Said is what the telephone has said since it was lifted last, sample for
// sample beside Heard.
func (p *Phone) Said() (pcm []int16) {
	p.sim.do(func() { pcm = append(pcm, p.said...) })
	return pcm
}

// PhoneStatus is how a telephone stands.
type PhoneStatus struct {
	OffHook  bool
	Ringing  bool              // the bell rings, or is silent between two rings
	Rings    int               // of the call that rings, or rang last
	Cadence  Cadence           // of that call, measured on the line, without the longest pause: 0.4/0.2/0.4. Nil: no pattern of it was whole yet
	CallerID callerid.CallerID // that it showed last: with a ring, or of a waiting call; see HasID
	HasID    bool
	Waiting  int    // call-waiting tones that it has heard since it was lifted last
	Hears    string // "dial tone", "busy", "voice" … while off-hook, as media/tone names it
	Drops    int    // losses of loop current since it was lifted last
	Lamp     bool   // messages wait: its lamp is on
	Reversed bool
}

// Status tells how the telephone stands.
func (p *Phone) Status() (st PhoneStatus) {
	p.sim.do(func() {
		st = PhoneStatus{
			OffHook: p.offHook, Ringing: !p.offHook && p.bell.rung(), Rings: p.bell.rings, Cadence: p.bell.cadence,
			CallerID: p.id, HasID: p.idKnown, Drops: p.drops, Reversed: p.line.reversed, Waiting: p.waiting.tones,
			Lamp: p.lamp,
		}
		if p.offHook && p.hears != 0 {
			st.Hears = p.hears.String()
		}
	})
	return st
}

func (p *Phone) lift(byItself bool) {
	if p.offHook {
		return
	}
	p.offHook, p.byItself = true, byItself
	p.lifted, p.talked, p.drops, p.noLoop = 0, 0, 0, 0
	p.heard, p.said = nil, nil
	p.contacts = nil
	p.bell.stop()
	p.receiver = nil
	p.display = display{}
	p.waiting = waitingEar{}
	p.ear.Reset()
	p.hears = 0
	p.sim.note(p.name, "off-hook")
}

func (p *Phone) putDown() {
	if !p.offHook {
		return
	}
	p.offHook = false
	p.contacts = nil
	p.keypad.Stop()
	p.sim.note(p.name, "on-hook")
}

// step lives 10 ms: it hears in, says out, and tells whether its loop is closed.
func (p *Phone) step(f feed, in, out []int16) (loop bool) {
	p.line = f
	clear(out)
	if p.display.taking {
		p.takeID(in)
		return true
	}
	if !p.offHook {
		p.wait(f, in)
		return p.display.taking
	}
	p.lifted += stepTime
	loop = true
	if len(p.contacts) > 0 {
		c := &p.contacts[0]
		loop = c.closed
		if c.left -= stepTime; c.left <= 0 {
			p.contacts = p.contacts[1:]
		}
	}
	p.watchLoop(f)
	p.listen(in)
	if silenced := p.hearWaiting(in, out); loop && f.battery && !silenced {
		p.speak(in, out)
	}
	p.heard = record(p.heard, in)
	p.said = record(p.said, out)
	if p.cfg.HangUp > 0 && p.lifted >= p.cfg.HangUp {
		p.putDown()
	}
	return loop
}

// speak is what the telephone says in a step: keys, else its signal and echo.
func (p *Phone) speak(in, out []int16) {
	if p.keypad.Busy() {
		p.keypad.Read(out)
		return
	}
	play(out, p.cfg.Plays, p.talked, p.cfg.Repeat)
	p.talked += len(out)
	if p.cfg.Echo && p.byItself { // of one that calls, it would be in the way of hearing who answers
		p.back.add(in, out)
	}
}

// watchLoop notices that loop current dropped: the other side has hung up.
func (p *Phone) watchLoop(f feed) {
	if !f.battery {
		p.noLoop += stepTime
		return
	}
	if p.noLoop >= dropNotice {
		p.drops++
		p.sim.note(p.name, "loop current dropped for %v", p.noLoop)
		if p.byItself {
			p.putDown()
		}
	}
	p.noLoop = 0
}

// listen tells tones from talk. A telephone that answered by itself is put
// down when it hears that the call is over.
func (p *Phone) listen(in []int16) {
	for _, e := range p.ear.Detect(in) {
		switch {
		case e.On:
			p.hears = e.Kind
			p.sim.note(p.name, "hears %v", e.Kind)
		case e.Kind == p.hears:
			p.hears = 0
		}
		over := e.Kind == tone.Busy || e.Kind == tone.Congestion || e.Kind == tone.Howler || e.Kind == tone.Dial
		if e.On && over && p.byItself {
			p.putDown()
		}
	}
}
