package linesim

import (
	"fmt"
	"strings"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/gateway/linecard"
	"crosspoint/media/dtmf"
	"crosspoint/media/tone"
)

// LineConfig is how the town treats one line. The zero value is a plain
// subscriber line: dial tone, a loop drop and busy tone when the other side
// hangs up, no polarity reversal.
type LineConfig struct {
	Number        string          // its own number in the town. Empty: 5552001, 5552002 …
	Further       []FurtherNumber // up to 4 more, which ring differently
	DialToneAfter time.Duration   // from off-hook. Zero: 250 ms; negative: never
	Reversal      bool            // polarity is reversed while the called subscriber has answered
	LoopDrop      time.Duration   // loss of loop current when the other side hangs up. Zero: 350 ms; negative: none
	AfterHangUp   AfterHangUp     // what is heard then
	Flash         time.Duration   // longest loop break that is a hook-flash. Zero: the line has no such service and every break beyond a pulse is a hang-up
	Hybrid        Hybrid          // echo and noise of its two wires
	CallerID      string          // how callers are announced: a standard of gateway/callerid. Empty: the country's
}

// AfterHangUp is what a line hears when the other side has hung up.
type AfterHangUp uint8

const (
	ThenBusy AfterHangUp = iota
	ThenDial
	ThenCongestion
	ThenSilence
)

// How long the town waits.
const (
	firstDigitWait = 16 * time.Second // then congestion tone
	interDigitWait = 4 * time.Second  // then the number is complete, or impossible
	postDialDelay  = 400 * time.Millisecond
	ringbackMost   = 3 * time.Minute
	offHookAfter   = 20 * time.Millisecond  // a closed loop
	onHookAfter    = 200 * time.Millisecond // an open loop, on a line without flash
	pulseMost      = 100 * time.Millisecond
	lineDigitGap   = 200 * time.Millisecond
	toneMost       = 30 * time.Second // of busy or congestion tone; then silence
)

// lineState is where the town's side of a line stands.
type lineState uint8

const (
	lineIdle      lineState = iota // on-hook
	lineSeized                     // off-hook, dial tone to come
	lineDialTone                   //
	lineDigits                     // digits are coming
	lineRouting                    // the number is complete
	lineRingback                   // the called subscriber rings
	lineTalking                    //
	lineTone                       // busy, congestion or information tone until on-hook
	lineCleared                    // the other side has hung up; tone until on-hook
	lineRinging                    // a caller rings this line
	linePermanent                  // off-hook without purpose: silence until on-hook
)

var lineStateNames = [...]string{"idle", "seized", "dial tone", "digits", "routing", "ringback", "talking",
	"tone", "cleared", "ringing", "permanent"}

func (s lineState) String() string { return lineStateNames[s] }

// A Line is a subscriber line of the town with a card's FXO port at its end.
type Line struct {
	sim    *Sim
	name   string
	number string

	// All below belongs to the Sim.
	cfg     LineConfig
	state   lineState
	entered uint64 // clock as this state began
	clock   uint64 // samples
	cut     bool   // the wire is cut
	offHook bool   // as the exchange believes it
	open    time.Duration
	shut    time.Duration
	pulses  int
	tone    tone.Generator
	dtmf    *dtmf.Detector
	digits  []byte
	digitAt uint64
	call    *Call
	peer    *Line   // the other end is a line of the town
	wire    []int16 // samples from the peer
	idKind  callerid.Standard
	hybrid  *hybrid
	alert   alert
	later   []later
	trunk   *tie // it is the inside of another exchange, with neither bell nor dial tone; nil: it is a line

	// What the card's port senses.
	battery     bool
	reversed    bool
	ringVoltage bool
	dropUntil   uint64
}

// later is something that the exchange does when the line's clock has come so far.
type later struct {
	at uint64
	do func()
}

// newLine makes the nth line of a kind: "fxo", or "tdm" for the inside of
// another exchange.
func newLine(s *Sim, kind string, n int, cfg LineConfig) (*Line, error) {
	l := &Line{sim: s, name: fmt.Sprintf("%s%d", kind, n), number: cfg.Number, battery: true}
	if l.number == "" {
		l.number = fmt.Sprintf("555%d", 2001+len(s.town.lines))
	}
	if strings.Trim(l.number, "0123456789") != "" {
		return nil, fmt.Errorf("linesim: line %s: number %q: write digits only", l.name, l.number)
	}
	for _, other := range s.town.lines {
		if other.has(l.number) {
			return nil, fmt.Errorf("linesim: line %s: number %s is line %s's already", l.name, l.number, other.name)
		}
	}
	if err := l.configure(cfg); err != nil {
		return nil, err
	}
	l.dtmf = dtmf.NewDetector(dtmf.Limits{})
	return l, nil
}

// Name is the line's name: "fxo1".
func (l *Line) Name() string { return l.name }

// Number is the line's own number in the town.
func (l *Line) Number() string { return l.number }

// Set changes how the town treats the line from now on. Its own number stays.
func (l *Line) Set(cfg LineConfig) (err error) {
	l.sim.do(func() { err = l.configure(cfg) })
	return err
}

func (l *Line) configure(cfg LineConfig) error {
	kind := callerid.Of(l.sim.country.Code)
	if cfg.CallerID != "" {
		var err error
		if kind, err = callerid.Lookup(cfg.CallerID); err != nil {
			return fmt.Errorf("linesim: line %s: %w", l.name, err)
		}
	}
	h, err := newHybrid(cfg.Hybrid)
	if err != nil {
		return fmt.Errorf("linesim: line %s: %w", l.name, err)
	}
	if err := checkFurther(cfg.Further, l.whose); err != nil {
		return fmt.Errorf("linesim: line %s: %w", l.name, err)
	}
	l.cfg, l.idKind, l.hybrid = cfg, kind, h
	return nil
}

// Config is how the town treats the line.
func (l *Line) Config() (cfg LineConfig) {
	l.sim.do(func() { cfg = l.cfg })
	cfg.Number = l.number
	return cfg
}

// Cut cuts the wire to the card, or mends it: no battery, no audio.
func (l *Line) Cut(cut bool) {
	l.sim.do(func() {
		if l.cut != cut {
			l.cut = cut
			l.note("wire %s", map[bool]string{true: "cut", false: "mended"}[cut])
		}
	})
}

// HangUp has the town's side of the line's call hang up. False: there is none.
func (l *Line) HangUp() (ok bool) {
	l.sim.do(func() {
		switch l.state {
		case lineTalking, lineRingback, lineRinging:
			l.hungUpByOther("subscriber hung up")
			ok = true
		}
	})
	return ok
}

// Say has the subscriber of the line's call say something from now on. False:
// there is no call.
func (l *Line) Say(pcm []int16, repeat bool) (ok bool) {
	l.sim.do(func() {
		if l.call != nil {
			l.call.sub.Plays, l.call.sub.Repeat, l.call.talked, ok = pcm, repeat, 0, true
		}
	})
	return ok
}

// Heard is what the subscriber of the line's call has heard since it answered;
// nil: there is no call.
func (l *Line) Heard() (pcm []int16) {
	l.sim.do(func() {
		if l.call != nil {
			pcm = append(pcm, l.call.heard...)
		}
	})
	return pcm
}

// DropLoop takes the line's current away for a time, as an exchange does for
// its own reasons.
func (l *Line) DropLoop(d time.Duration) { l.sim.do(func() { l.drop(d) }) }

// LineStatus is how a line stands.
type LineStatus struct {
	State   string // "idle", "dial tone", "ringback", "talking" …
	OffHook bool   // the card holds the line
	Dialed  string // digits of the call under way, or of the last
}

// Status tells how the line stands.
func (l *Line) Status() (st LineStatus) {
	l.sim.do(func() { st = LineStatus{State: l.state.String(), OffHook: l.offHook, Dialed: string(l.digits)} })
	return st
}

func (l *Line) note(format string, args ...any) { l.sim.note(l.name, format, args...) }

// enter begins a state.
func (l *Line) enter(s lineState) {
	l.state, l.entered = s, l.clock
	l.tone.Stop()
	country := &l.sim.country
	switch s {
	case lineDialTone:
		if l.trunk != nil {
			break
		}
		l.tone.Start(country.Dial)
		l.note("dial tone")
	case lineRingback:
		l.tone.Start(country.Ringback)
		l.note("ringback")
	case lineIdle:
		l.reversed = false
		l.digits = l.digits[:0]
	}
}

// in tells how long the state has lasted.
func (l *Line) in() time.Duration { return linecard.Duration(int(l.clock - l.entered)) }

func (l *Line) after(d time.Duration, do func()) {
	l.later = append(l.later, later{l.clock + uint64(linecard.Samples(d)), do})
}

// drop takes loop current away for d.
func (l *Line) drop(d time.Duration) {
	l.dropUntil = l.clock + uint64(linecard.Samples(d))
	l.note("loop drop %v", d)
}

// step lives 10 ms: the card's port closes the loop or not and says in; what
// the line says is written to out.
func (l *Line) step(loop bool, in, out []int16) {
	clear(out)
	l.battery = !l.cut && l.clock >= l.dropUntil
	if !l.battery {
		in = silent[:]
	}
	l.hook(loop && !l.cut)
	l.listen(in)
	l.advance(in, out)
	l.ringVoltage = l.state == lineRinging && l.trunk == nil && l.alert.step(l, out) && !l.cut
	if !l.battery || l.ringVoltage {
		clear(out)
	} else {
		l.hybrid.mix(in, out)
	}
	l.clock += stepSamples
	for i := 0; i < len(l.later); i++ {
		if due := l.later[i]; due.at <= l.clock {
			l.later = append(l.later[:i], l.later[i+1:]...)
			i--
			due.do()
		}
	}
}

var silent [stepSamples]int16
