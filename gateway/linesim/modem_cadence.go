package linesim

import (
	"fmt"

	"crosspoint/media/g711"
)

// modemCadence is how a modem tells of rings (+VDR, V.253). The zero value says
// RING after each, and not how long it was.
type modemCadence struct {
	reports bool   // DROF and DRON
	later   uint64 // samples from the end of a ring to RING; zero with reports: there is no RING
	began   uint64 // clock as the ring began
	due     uint64 // clock of the RING that is due; zero: none is
}

// distinctive is +VDR=enable,report.
func (m *Modem) distinctive(value string, set bool) bool {
	c := &m.cadence
	switch {
	case !m.voice || m.has(NoCadence):
		return false
	case value == "?":
		m.say("(0,1),(0-255)")
		return true
	case !set:
		m.say("%d,%d", map[bool]int{true: 1}[c.reports], c.later*10/g711.SampleRate)
		return true
	}
	var enable, report uint
	if n, _ := fmt.Sscanf(value, "%d,%d", &enable, &report); n < 1 || enable > 1 || report > 255 {
		return false
	}
	*c = modemCadence{reports: enable == 1, later: uint64(report) * g711.SampleRate / 10}
	return true
}

// tellRing tells of a ring that begins or has ended.
func (m *Modem) tellRing(begins bool) {
	s, c := &m.sense, &m.cadence
	reports := c.reports && !m.has(MuteCadence)
	if begins {
		c.began, c.due = m.clock, 0
		if reports {
			m.say("DROF=%d", min(tenths(m.clock-s.ringEnd), 255))
		}
		return
	}
	s.ringEnd, s.rung = m.clock, true
	if reports {
		m.say("DRON=%d", tenths(m.clock-c.began))
	}
	switch {
	case !c.reports:
		m.sayRing()
	case c.later > 0:
		c.due = m.clock + c.later
	}
}

// ringLater says RING when it is due.
func (m *Modem) ringLater() {
	if c := &m.cadence; c.due > 0 && m.clock >= c.due {
		c.due = 0
		if !m.offHook {
			m.sayRing()
		}
	}
}

func (m *Modem) sayRing() {
	if m.voice && m.dialect.ringEvent {
		m.tell('R')
	} else {
		m.say("RING")
	}
}

// tenths are a number of samples in tenths of a second.
func tenths(samples uint64) uint64 {
	return (samples*10 + g711.SampleRate/2) / g711.SampleRate
}
