package linesim

import (
	"fmt"
	"time"

	"crosspoint/media/dtmf"
)

// A tie is another exchange at the far end of a timeslot with E&M signalling.
// Its numbers are the town's: its line routes what comes in, and calls out.
//
//	host           tie                    host           tie
//	 |---seizure--->|                      |<--seizure----|  Town.Ring
//	 |<---wink------|                      |----wink----->|
//	 |---digits---->|                      |<--digits-----|  Subscriber.Dials
//	 |<--off-hook---|  answers             |---off-hook-->|
type tie struct {
	cfg  TimeslotConfig
	line *Line
	out  outgoing
}

// outgoing is a call of the tie's to the host.
type outgoing struct {
	call   *Call
	begun  time.Duration // since the seizure
	seen   time.Duration // how long the host has been off-hook
	winked bool
	wait   time.Duration // until the digits
	keys   *dtmf.Generator
	breaks []contact // pulses that are left
	sent   bool
}

// Timing of a tie (docs/linecard-protocol.md §5.5).
const (
	tieWinkAfter = 150 * time.Millisecond
	tieWink      = 200 * time.Millisecond
	tieWinkWait  = 5 * time.Second
	tieWinkLeast = 100 * time.Millisecond
	tieWinkMost  = 350 * time.Millisecond
	tieGlare     = 600 * time.Millisecond // of the host's off-hook: it is no wink
	tieDigits    = 150 * time.Millisecond // from the wink, or the seizure, to the digits
)

// newTie makes the exchange, with a line that has neither bell nor dial tone.
func newTie(l *Line, cfg TimeslotConfig) *tie {
	t := &tie{line: l}
	l.trunk = t
	t.configure(cfg)
	return t
}

func (t *tie) configure(cfg TimeslotConfig) {
	t.cfg = cfg
	l := &t.line.cfg
	l.LoopDrop = -1
	switch {
	case cfg.NoWink:
		l.DialToneAfter = -1
	case cfg.Signalling == ImmediateStart:
		l.DialToneAfter = stepTime
	default:
		l.DialToneAfter = tieWinkAfter + tieWink
	}
}

// Trunk is what is at the far end of a trunk's timeslot; false: the line is none.
func (l *Line) Trunk() (cfg TimeslotConfig, ok bool) {
	l.sim.do(func() {
		if ok = l.trunk != nil; ok {
			cfg = l.trunk.cfg
		}
	})
	return cfg, ok
}

// SetTrunk changes how the far end of a trunk's timeslot behaves from now on.
// Its signalling and number stay.
func (l *Line) SetTrunk(cfg TimeslotConfig) (err error) {
	l.sim.do(func() {
		if l.trunk == nil {
			err = fmt.Errorf("linesim: line %s is no trunk with E&M signalling", l.name)
			return
		}
		cfg.Signalling = l.trunk.cfg.Signalling
		l.trunk.configure(cfg)
	})
	return err
}

// step takes the host's bits, and answers with the tie's.
func (t *tie) step(rx cas, in, out []int16) (tx cas) {
	l := t.line
	loop := rx == emOffHook
	if l.state == lineRinging {
		loop = t.call(loop)
	} else {
		t.out = outgoing{}
	}
	l.step(loop, in, out)
	if t.out.keys != nil && t.out.keys.Busy() {
		t.out.keys.Read(out)
	}
	if t.offHook() {
		return emOffHook
	}
	return emOnHook
}

// offHook is the hook that the tie sends.
func (t *tie) offHook() bool {
	l := t.line
	switch {
	case t.cfg.Blocked:
		return true
	case l.state == lineRinging:
		return len(t.out.breaks) == 0 || t.out.breaks[0].closed
	case l.state == lineSeized:
		return !t.cfg.NoWink && t.cfg.Signalling != ImmediateStart && l.in() >= tieWinkAfter
	}
	return l.state == lineTalking
}

// call goes on with a call to the host; answered: the host is off-hook for it.
func (t *tie) call(off bool) (answered bool) {
	o := &t.out
	if o.call != t.line.call {
		*o = outgoing{call: t.line.call}
	}
	o.begun += stepTime
	switch {
	case o.sent:
		return off
	case o.keys != nil:
		t.dial()
	case o.winked:
		if o.wait -= stepTime; o.wait <= 0 {
			t.startDialing()
		}
	case t.cfg.Signalling == ImmediateStart:
		o.winked, o.wait = true, tieDigits
	default:
		t.awaitWink(off)
	}
	return false
}

// awaitWink sorts the host's hook before the digits.
func (t *tie) awaitWink(off bool) {
	o, l := &t.out, t.line
	if off {
		if o.seen += stepTime; o.seen >= tieGlare && t.cfg.Yield {
			l.note("glare: yields")
			l.hungUpByOther("glare")
		}
		return
	}
	if o.seen >= tieWinkLeast && o.seen <= tieWinkMost {
		l.note("wink %v", o.seen)
		o.winked, o.wait = true, tieDigits
	}
	if o.seen > tieWinkMost {
		l.note("glare: the host has yielded")
		o.begun = 0
	}
	if o.seen = 0; o.begun >= tieWinkWait && !o.winked {
		l.hungUpByOther("no wink")
	}
}

func (t *tie) startDialing() {
	o := &t.out
	o.keys = dtmf.NewGenerator(dtmf.Timing{})
	digits := o.call.sub.Dials
	if digits != "" {
		t.line.note("dials %s", digits)
	}
	if !t.cfg.Pulse {
		_ = o.keys.Dial(digits) // checked by Town.Ring
		return
	}
	o.breaks = pulsesOf(digits)
}

// dial goes on with the digits.
func (t *tie) dial() {
	o := &t.out
	if len(o.breaks) > 0 {
		if o.breaks[0].left -= stepTime; o.breaks[0].left <= 0 {
			o.breaks = o.breaks[1:]
		}
		return
	}
	o.sent = !o.keys.Busy()
}
