package linesim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"crosspoint/gateway/callerid"
)

// Town is the exchange behind the FXO ports: its lines and its subscribers.
type Town struct {
	sim   *Sim
	lines []*Line

	subscribers []*Subscriber
	calls       []*Call
}

// callsKept is how many of the newest calls the town still knows.
const callsKept = 100

// A Subscriber is someone with a number in the town. The zero value answers
// after one second and says nothing.
type Subscriber struct {
	Number string
	Name   string // for caller ID

	Answer      time.Duration // how long the telephone rings first. Zero: 1 s
	NoAnswer    bool          // it rings for ever
	Busy        bool          // busy tone
	Congested   bool          // congestion tone: no path to the subscriber
	Intercepted bool          // special information tone: the number is out of service

	Plays  []int16       // said after answering, linear samples at 8 kHz
	Repeat bool          // and said again from the beginning
	Echo   bool          // says back what it hears, a tenth of a second later and 6 dB weaker
	HangUp time.Duration // after answering. Zero: waits for the other to hang up

	CallBack time.Duration // this long after its caller has hung up, it rings that line. Zero: it does not
	GiveUp   time.Duration // how long it rings when it is the caller. Zero: 60 s
	Dials    string        // when it is the caller, over a trunk: the digits that are sent for the called extension
	Cadence  Cadence       // when it is the caller: how the line rings. Nil: as the called number does

	Withheld    bool             // when it is the caller: the number is private
	Absent      callerid.Absence // when it is the caller: why the number is not told. Zero: it is told, unless Withheld
	NoCallerID  bool             // when it is the caller: nothing is sent
	BadCallerID bool             // when it is the caller: what is sent has a wrong checksum
}

// Add lists a subscriber, in place of one with the same number.
func (t *Town) Add(sub Subscriber) (err error) {
	t.sim.do(func() { err = t.add(sub) })
	return err
}

func (t *Town) add(sub Subscriber) error {
	if sub.Number == "" || strings.Trim(sub.Number, "0123456789*#") != "" {
		return fmt.Errorf("linesim: subscriber number %q: write digits only", sub.Number)
	}
	i := slices.IndexFunc(t.subscribers, func(s *Subscriber) bool { return s.Number == sub.Number })
	if i >= 0 {
		t.subscribers[i] = &sub
	} else {
		t.subscribers = append(t.subscribers, &sub)
	}
	return nil
}

// Subscribers are all that are listed.
func (t *Town) Subscribers() (all []Subscriber) {
	t.sim.do(func() {
		for _, s := range t.subscribers {
			all = append(all, *s)
		}
	})
	return all
}

// Lines are the town's lines to the cards, in order.
func (t *Town) Lines() []*Line { return t.lines }

// Line is the line with this name ("fxo1") or number, its own or a further one.
// Nil: there is none.
func (t *Town) Line(name string) (line *Line) {
	for _, l := range t.lines {
		if l.name == name || l.number == name {
			return l
		}
	}
	t.sim.do(func() {
		for _, l := range t.lines {
			if l.has(name) {
				line = l
				return
			}
		}
	})
	return line
}

// Ring has someone call a line, by its name or one of its numbers. It rings
// until it is answered or the caller gives up.
func (t *Town) Ring(line string, caller Subscriber) (err error) {
	l := t.Line(line)
	if l == nil {
		return fmt.Errorf("linesim: no line %q: there are %s", line, t.lineNames())
	}
	if strings.Trim(caller.Dials, "0123456789") != "" {
		return fmt.Errorf("linesim: %q can't be sent over %s: write digits only", caller.Dials, l.name)
	}
	if err := caller.Cadence.check(); err != nil {
		return fmt.Errorf("linesim: line %s: %w", l.name, err)
	}
	if l.trunk != nil && caller.Cadence != nil {
		return fmt.Errorf("linesim: line %s is a trunk, and does not ring", l.name)
	}
	number := line
	if line == l.name {
		number = l.number
	}
	t.sim.do(func() { err = l.ringIn(newCall(t.sim, l, caller, true), number) })
	return err
}

func (t *Town) lineNames() string {
	var names []string
	for _, l := range t.lines {
		names = append(names, l.name)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Calls tells of all calls over the town's lines, oldest first; at most the
// newest 100.
func (t *Town) Calls() (all []CallRecord) {
	t.sim.do(func() {
		for _, c := range t.calls {
			all = append(all, c.record())
		}
	})
	return all
}

// LastCall is the newest call with this number at its other end; false: there
// was none.
func (t *Town) LastCall(number string) (rec CallRecord, ok bool) {
	t.sim.do(func() {
		for _, c := range slices.Backward(t.calls) {
			if c.sub.Number == number {
				rec, ok = c.record(), true
				return
			}
		}
	})
	return rec, ok
}

// keep lists a call. Of older ones only the audio of some is kept.
func (t *Town) keep(c *Call) {
	if len(t.calls) >= callsKept {
		t.calls = append(t.calls[:0], t.calls[callsKept/2:]...)
	}
	if n := len(t.calls) - audioKept; n >= 0 {
		t.calls[n].heard, t.calls[n].played = nil, nil
	}
	t.calls = append(t.calls, c)
}

// match looks a dialled number up. more tells that a longer number begins with it.
func (t *Town) match(digits string) (sub *Subscriber, line *Line, more bool) {
	see := func(number string) bool {
		if number != digits && strings.HasPrefix(number, digits) {
			more = true
		}
		return number == digits
	}
	for _, s := range t.subscribers {
		if see(s.Number) {
			sub = s
		}
	}
	for _, l := range t.lines {
		if see(l.number) {
			line = l
		}
		for _, f := range l.cfg.Further {
			if see(f.Number) {
				line = l
			}
		}
	}
	return sub, line, more
}
