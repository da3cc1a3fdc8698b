package linesim

import (
	"fmt"
	"slices"
	"time"

	"crosspoint/gateway/linecard"
	"crosspoint/media/tone"
)

// advance does what the line's state has to do in a step.
func (l *Line) advance(in, out []int16) {
	switch l.state {
	case lineSeized:
		wait := l.cfg.DialToneAfter
		if wait == 0 {
			wait = 250 * time.Millisecond
		}
		if wait > 0 && l.in() >= wait {
			l.enter(lineDialTone)
		}
	case lineDialTone:
		if l.in() >= firstDigitWait {
			l.fail("no digit", l.sim.country.Congestion)
		}
	case lineDigits:
		l.collect()
	case lineRouting:
		if l.in() >= postDialDelay {
			l.route()
		}
	case lineRingback:
		l.awaitAnswer()
	case lineTalking:
		l.talk(in, out)
	case lineTone, lineCleared:
		if l.in() >= toneMost {
			l.enter(linePermanent)
		}
	case lineRinging:
		if l.call != nil && l.in() >= l.call.sub.GiveUp {
			l.hungUpByOther("caller gave up")
		}
	}
	if l.tone.Playing() {
		l.tone.Read(out)
	}
}

// collect decides when the number is complete: at once when no longer one
// begins with it, else when no digit follows.
func (l *Line) collect() {
	sub, line, more := l.sim.town.match(string(l.digits))
	waited := linecard.Duration(int(l.clock - l.digitAt))
	if (sub != nil || line != nil) && !more || waited >= interDigitWait {
		l.note("dialed %s", l.digits)
		l.enter(lineRouting)
	}
}

// route begins the call to the number dialled.
func (l *Line) route() {
	sub, line, _ := l.sim.town.match(string(l.digits))
	country := &l.sim.country
	switch {
	case sub != nil:
		l.call = newCall(l.sim, l, *sub, false)
		l.call.dialed = string(l.digits)
		l.sim.town.keep(l.call)
		switch {
		case sub.Busy:
			l.fail("busy", country.Busy)
		case sub.Congested:
			l.fail("congestion", country.Congestion)
		case sub.Intercepted:
			l.fail("out of service", country.SIT)
		default:
			l.enter(lineRingback)
		}
	case line == l || line != nil && line.state != lineIdle:
		l.fail("busy", country.Busy)
	case line != nil:
		l.callLine(line, string(l.digits))
	default:
		l.fail("no such number", country.SIT)
	}
}

// callLine rings another line of the town, by one of its numbers.
func (l *Line) callLine(other *Line, number string) {
	c := newCall(l.sim, other, Subscriber{Number: l.number, Name: l.name}, true)
	if err := other.ringIn(c, number); err != nil {
		l.fail("busy", l.sim.country.Busy)
		return
	}
	l.peer, other.peer = other, l
	l.enter(lineRingback)
}

// fail gives a tone until the line is put on-hook.
func (l *Line) fail(why string, t tone.Tone) {
	if c := l.call; c != nil {
		c.end(why)
	}
	l.call = nil
	l.note("%s", why)
	l.enter(lineTone)
	l.tone.Start(t)
}

// awaitAnswer rings the called subscriber.
func (l *Line) awaitAnswer() {
	if c := l.call; c != nil && !c.sub.NoAnswer && l.in() >= c.sub.Answer {
		c.answer()
		l.connect()
		l.note("%s answers", c.sub.Number)
		return
	}
	if l.in() >= ringbackMost {
		if p := l.peer; p != nil {
			l.peer, p.peer = nil, nil
			p.hungUpByOther("caller gave up")
		}
		l.fail("no answer", l.sim.country.Congestion)
	}
}

// connect joins both ends. The calling side is told by polarity, if the line
// has that.
func (l *Line) connect() {
	l.enter(lineTalking)
	l.reversed = l.cfg.Reversal
}

// answered: a ringing line was lifted.
func (l *Line) answered() {
	l.enter(lineTalking)
	if l.alert.activation.phase != notActivated {
		l.reversed = false
	}
	if l.call != nil {
		l.call.answer()
	}
	if p := l.peer; p != nil {
		p.connect()
	}
}

// talk passes a step of audio both ways.
func (l *Line) talk(in, out []int16) {
	if p := l.peer; p != nil {
		if len(p.wire) < 1600 { // 200 ms: clocks of two cards may differ
			p.wire = append(p.wire, in...)
		}
		n := copy(out, l.wire)
		l.wire = append(l.wire[:0], l.wire[n:]...)
		return
	}
	if c := l.call; c != nil && !c.converse(in, out) {
		l.hungUpByOther("subscriber hung up")
	}
}

// hungUpByOther: the far end is gone. The card learns of it by loop current
// and tone, if the line gives these.
func (l *Line) hungUpByOther(why string) {
	if l.call != nil {
		l.call.end(why)
	}
	l.call = nil
	if p := l.peer; p != nil {
		l.peer, p.peer = nil, nil
		p.hungUpByOther(why)
	}
	l.wire = l.wire[:0]
	if !l.offHook { // it was ringing
		l.note("%s", why)
		l.enter(lineIdle)
		return
	}
	l.enter(lineCleared)
	l.reversed = false
	country := &l.sim.country
	switch l.cfg.AfterHangUp {
	case ThenBusy:
		l.tone.Start(country.Busy)
	case ThenDial:
		l.tone.Start(country.Dial)
	case ThenCongestion:
		l.tone.Start(country.Congestion)
	}
	switch d := l.cfg.LoopDrop; {
	case d == 0:
		l.drop(350 * time.Millisecond)
	case d > 0:
		l.drop(d)
	}
}

// ringIn begins to ring the line for a call to one of its numbers.
func (l *Line) ringIn(c *Call, number string) error {
	if l.state != lineIdle || l.offHook {
		return fmt.Errorf("linesim: line %s is %v", l.name, l.state)
	}
	l.call, c.called = c, number
	l.sim.town.keep(c)
	cadence, how, to := l.cadence(number), "", ""
	if c.sub.Cadence != nil {
		cadence = c.sub.Cadence
	}
	l.enter(lineRinging)
	l.alert.begin(l.idKind, cadence, c)
	if !slices.Equal(cadence, l.sim.country.Bell) {
		how = " " + cadence.heard().String()
	}
	if number != l.number {
		to = " to " + number
	}
	l.note("rings%s: call from %s%s", how, c.sub.who(), to)
	return nil
}
