package linesim

import (
	"time"

	"crosspoint/gateway/linecard"
)

// alarmTime is how long battery must be away to be more than a loop drop, and
// deafTime how long after going off-hook a loss of loop current is the
// exchange's switching and means nothing (§5.4).
const (
	alarmTime = 1000 * time.Millisecond
	deafTime  = 650 * time.Millisecond
)

// fxoPort is the firmware of a port that faces the town.
type fxoPort struct {
	jackBase
	line       wires
	offHook    bool
	flashUntil uint64
	hookAt     uint64 // clock as it went off-hook
	ring       settled
	polarity   settled
	noBattery  time.Duration // how long battery has been away
	alarmed    bool          // and BATTERY OFF was reported
}

func newFXOPort(c *Card, n int, l *Line) *fxoPort {
	return &fxoPort{jackBase: jackBase{card: c, n: uint8(n), timing: defaultTiming}, line: l}
}

func (p *fxoPort) info() linecard.PortInfo {
	i := linecard.PortInfo{Kind: linecard.KindFXO, Attributes: linecard.AttrPolarity}
	flag := func(bit linecard.State, on bool) {
		if on {
			i.State |= bit
		}
	}
	flag(linecard.Present, !p.faulty)
	flag(linecard.OffHook, p.offHook)
	flag(linecard.Ringing, p.ring.now)
	flag(linecard.Battery, !p.alarmed)
	flag(linecard.Reversed, p.polarity.now)
	return i
}

func (p *fxoPort) event(what linecard.What, arg int) {
	p.card.event(p.n, what, p.info().State, arg)
}

func (p *fxoPort) reset() {
	if p.offHook {
		p.card.sim.note(p.line.Name(), "released by the card")
	}
	p.offHook, p.flashUntil = false, 0
	p.setAudio(false)
	p.timing = defaultTiming
}

func (p *fxoPort) set(m linecard.Set) linecard.Reason {
	if m.Want&(linecard.WantRing|linecard.WantReversed) != 0 {
		return linecard.ReasonWrongKind
	}
	off := m.Want&linecard.WantOffHook != 0
	if off && !p.offHook {
		p.hookAt = p.card.clock
	}
	if !off {
		p.flashUntil = 0
	}
	p.offHook = off
	p.setAudio(m.Want&linecard.WantAudio != 0)
	return 0
}

func (p *fxoPort) interrupt(t linecard.Type, d time.Duration) linecard.Reason {
	if t != linecard.TypeFlash {
		return linecard.ReasonWrongKind
	}
	if p.offHook {
		p.flashUntil = p.card.clock + uint64(linecard.Samples(d))
	}
	return 0
}

func (p *fxoPort) step() {
	p.fetch()
	loop := p.offHook && p.card.clock >= p.flashUntil
	if !loop {
		clear(p.in[:])
	}
	p.line.step(loop, p.in[:], p.out[:])
	p.store()
	if p.card.powered {
		p.sense()
	}
}

// sense reports what the line does (§5.4).
func (p *fxoPort) sense() {
	ring, battery, reversed := p.line.sensed()
	if p.ring.see(ring, debounce) {
		if p.ring.now {
			p.event(linecard.WhatRingOn, 0)
		} else {
			p.event(linecard.WhatRingOff, 0)
		}
	}
	if battery && p.polarity.see(reversed, debounce) {
		p.event(linecard.WhatPolarity, 0)
	}
	if !battery {
		p.noBattery += stepTime
		if p.noBattery >= alarmTime && !p.alarmed {
			p.alarmed = true
			p.event(linecard.WhatBatteryOff, 0)
		}
		return
	}
	lost := p.noBattery
	p.noBattery = 0
	switch {
	case p.alarmed:
		p.alarmed = false
		p.event(linecard.WhatBatteryOn, 0)
	case lost >= p.timing.LoopDropMin && p.offHook && p.card.clock-p.hookAt >= uint64(linecard.Samples(deafTime+lost)):
		p.event(linecard.WhatLoopDrop, int(lost.Milliseconds()))
	}
}
