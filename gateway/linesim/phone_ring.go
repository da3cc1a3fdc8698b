package linesim

import (
	"fmt"
	"slices"
	"time"

	"crosspoint/gateway/callerid"
)

// cadenceSlack is by how much two times may differ that are the same: they are
// measured in steps.
const cadenceSlack = 2 * stepTime

// alike tells whether two cadences that were heard are the same.
func (c Cadence) alike(other Cadence) bool {
	return slices.EqualFunc(c, other, func(a, b time.Duration) bool { return (a - b).Abs() <= cadenceSlack })
}

// begins tells whether c may be the beginning of a longer one, cut off within
// one of its bursts.
func (c Cadence) begins(other Cadence) bool {
	last := len(c) - 1
	return last >= 0 && last < len(other) && c[last] <= other[last]+cadenceSlack && c[:last].alike(other[:last])
}

// A ringer is what a telephone makes of the ring voltage on its line. One
// pattern of a cadence is one ring.
type ringer struct {
	rings   int           // of the call that rings, or rang last
	quiet   time.Duration // since ring voltage was last there
	pattern Cadence       // of the ring under way, or the last one
	cadence Cadence       // of the call, as far as it is known
	short   bool          // the last pattern was as the cadence begins: the call has ended in it, unless another follows
}

const (
	ringPause   = time.Second     // a silence of the bell that separates two rings
	ringOver    = 8 * time.Second // of silence: the caller has given up
	patternMost = 2 * cadenceMost // times that are measured
)

// rung tells whether a call rings, or is silent between two rings.
func (r *ringer) rung() bool { return r.quiet < ringOver }

// stop is the end of a call: the telephone was lifted.
func (r *ringer) stop() { r.quiet, r.short = ringOver, false }

// on is 10 ms of ring voltage. It tells whether a call begins by it, and
// whether it shows that the call has another cadence than before.
func (r *ringer) on() (begun, told bool) {
	if begun = !r.rung(); begun {
		r.rings, r.cadence, r.short = 0, nil, false
	}
	switch {
	case r.quiet >= ringPause:
		r.rings++
		if told = r.short; told { // it was no end
			r.cadence, r.short = r.pattern, false
		}
		r.pattern = Cadence{0}
	case r.quiet > 0 && len(r.pattern)+2 <= patternMost:
		r.pattern = append(r.pattern, r.quiet, 0)
	}
	r.quiet = 0
	r.pattern[len(r.pattern)-1] += stepTime
	return begun, told
}

// off is 10 ms without, while a call rings. It tells whether the call's
// cadence is known by it, or known to be another one, and whether the caller has
// given up.
func (r *ringer) off() (told, over bool) {
	if r.quiet += stepTime; r.quiet == ringPause {
		same := r.pattern.alike(r.cadence)
		r.short = !same && r.pattern.begins(r.cadence)
		if told = !same && !r.short; told {
			r.cadence = r.pattern
		}
	}
	return told, !r.rung()
}

// wait is a step on-hook: the bell, and caller ID between its rings.
func (p *Phone) wait(f feed, in []int16) {
	p.wake.step(f, in)
	steps := 1
	switch {
	case !f.reversed:
		p.display = display{}
	case p.hasDisplay():
		bell, primary := p.display.rings(f.ring)
		if primary {
			p.sim.note(p.name, "off-hook for caller ID")
		}
		if primary || f.ring && !bell {
			return
		}
		steps += int(p.display.held / stepTime)
		p.display.held = 0
	}
	if f.ring {
		for range steps {
			p.rung()
		}
		return
	}
	p.pause()
	if !p.offHook {
		p.receive(in)
	}
}

// rung is a step of ring voltage.
func (p *Phone) rung() {
	begun, told := p.bell.on()
	if begun {
		if p.idAge > ringPause { // it was another call's
			p.idKnown = false
		}
		p.sim.note(p.name, "ringing")
	}
	if told {
		p.noteCadence()
	}
}

// pause is a step without, after which the telephone may be lifted.
func (p *Phone) pause() {
	if !p.bell.rung() {
		return
	}
	told, over := p.bell.off()
	if told {
		p.noteCadence()
	}
	if over {
		p.sim.note(p.name, "stopped ringing after %d rings", p.bell.rings)
		return
	}
	if p.cfg.Answer > 0 && p.bell.rings >= p.cfg.Answer && p.bell.quiet >= liftAfter {
		p.lift(true)
	}
}

func (p *Phone) noteCadence() { p.sim.note(p.name, "rings %v", p.bell.cadence) }

// hasDisplay tells whether the telephone goes off-hook for caller ID.
func (p *Phone) hasDisplay() bool {
	return !p.cfg.Plain && callerid.Of(p.sim.country.Code).PrimaryAnswer()
}

// takeID is a step off-hook for the caller ID.
func (p *Phone) takeID(in []int16) {
	id, ok, over := p.display.take(in)
	if ok {
		p.id, p.idKnown, p.idAge = id, true, -displayWait // until the ring
		p.sim.note(p.name, "caller ID %s", describe(id))
	}
	if over {
		p.sim.note(p.name, "on-hook after caller ID")
	}
}

// receive listens for a caller ID while there is something to hear. One that
// comes before the ring is as good as one after it.
func (p *Phone) receive(in []int16) {
	p.silence += stepTime
	p.idAge += stepTime
	for _, s := range in {
		if s > 32 || s < -32 { // the least codes of µ-law are no signal
			p.silence = 0
			break
		}
	}
	if p.silence >= ringPause {
		if p.receiver != nil && !p.idKnown && p.bell.rung() { // else it was the end of a call
			p.sim.note(p.name, "no %v", p.receiver.Err())
		}
		p.receiver = nil
		return
	}
	if p.receiver == nil {
		p.receiver = callerid.NewReceiver()
		p.idBefore, p.idKnown = p.idKnown, false
	}
	switch id, ok := p.receiver.Receive(in); {
	case !ok:
	case !id.OfCall():
		p.switchLamp(id.Waiting)
		p.idKnown = p.idBefore
		p.receiver.Reset()
	default:
		p.id, p.idKnown, p.idAge = id, true, 0
		p.sim.note(p.name, "caller ID %s", describe(id))
	}
}

// describe is a caller ID in words.
func describe(id callerid.CallerID) string {
	number := id.Number
	if number == "" {
		number = id.NumberAbsent.String()
	}
	if id.Name != "" {
		return fmt.Sprintf("%s %q", number, id.Name)
	}
	return number
}
