package linesim

import (
	"fmt"
	"time"

	"crosspoint/gateway/linecard"
)

// span is the T1 or E1 of a card with timeslots, as far as it may be broken.
type span struct {
	condition linecard.Alarm // what is wrong on the wire now
	since     time.Duration  // how long that has been so
	declared  linecard.Alarm // what the card has told the host
}

// How long something is wrong, or right again, until the card says so
// (docs/linecard-protocol.md §5.5).
const (
	redAfter    = 2500 * time.Millisecond
	redClear    = 10 * time.Second
	yellowAfter = 500 * time.Millisecond
	yellowClear = time.Second
)

// alarmNames are those of the command.
var alarmNames = map[string]linecard.Alarm{"clear": linecard.NoAlarm, "signal": linecard.LossOfSignal,
	"frame": linecard.LossOfFrame, "ais": linecard.AlarmAIS, "yellow": linecard.AlarmYellow}

// Alarm breaks a card's span: "signal", "frame", "ais" or "yellow"; "clear"
// mends it.
func (c *Card) Alarm(what string) (err error) {
	a, ok := alarmNames[what]
	if !ok {
		return fmt.Errorf("alarm %q is not signal, frame, ais, yellow or clear", what)
	}
	if len(c.cfg.Timeslots) == 0 {
		return fmt.Errorf("card %s has no span: start one with timeslots", c.cfg.Name)
	}
	c.sim.do(func() {
		if c.span.condition != a {
			c.span.condition, c.span.since = a, 0
			c.sim.note(c.cfg.Name, "span: %s", what)
		}
	})
	return nil
}

// step notices what is wrong for long enough; changed: the card declares it.
func (s *span) step() (changed bool) {
	s.since += stepTime
	wait := redAfter
	switch {
	case s.condition == s.declared:
		return false
	case s.condition == linecard.AlarmYellow:
		wait = yellowAfter
	case s.condition != linecard.NoAlarm:
	case s.declared == linecard.AlarmYellow:
		wait = yellowClear
	default:
		wait = redClear
	}
	if s.since < wait {
		return false
	}
	s.declared = s.condition
	return true
}

// in is the state of a timeslot's port with the alarm that is declared.
func (s *span) in(state linecard.State) linecard.State {
	if s.declared == linecard.NoAlarm {
		return state
	}
	return (state &^ linecard.Battery).InAlarm(s.declared)
}

// watchSpan tells the host of each timeslot's alarm, and its end.
func (c *Card) watchSpan() {
	if len(c.cfg.Timeslots) == 0 || !c.span.step() {
		return
	}
	what := linecard.WhatBatteryOff
	if c.span.declared == linecard.NoAlarm {
		what = linecard.WhatBatteryOn
	}
	for _, p := range c.ports {
		if t, ok := p.(*tdmPort); ok {
			t.alarm(what)
		}
	}
}
