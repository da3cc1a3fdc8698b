package linesim

import (
	"slices"
	"time"

	"crosspoint/gateway/linecard"
	"crosspoint/media/tone"
)

// pulseGap is how long the loop stays closed after the last pulse of a digit.
const pulseGap = 200 * time.Millisecond

// fxsPort is the firmware of a port that faces a telephone.
type fxsPort struct {
	jackBase
	phone     set
	offHook   bool
	wantRing  bool
	reversed  bool
	cadence   []time.Duration
	ringAt    uint64 // clock as ringing began
	dropUntil uint64
	closed    settled       // the loop, as the card believes it while the telephone is on-hook
	open      time.Duration // how long the loop has been open while off-hook
	shut      time.Duration // how long it has been closed again
	pulses    int           // of the digit under way
	lost      tone.Generator
}

func newFXSPort(c *Card, n int, p *Phone) *fxsPort {
	return &fxsPort{jackBase: jackBase{card: c, n: uint8(n), timing: defaultTiming}, phone: p}
}

func (p *fxsPort) info() linecard.PortInfo {
	i := linecard.PortInfo{Kind: linecard.KindFXS, Attributes: linecard.AttrPolarity, State: linecard.Battery}
	flag := func(bit linecard.State, on bool) {
		if on {
			i.State |= bit
		}
	}
	flag(linecard.Present, !p.faulty)
	flag(linecard.OffHook, p.offHook)
	flag(linecard.Ringing, p.wantRing)
	flag(linecard.Reversed, p.reversed)
	return i
}

func (p *fxsPort) event(what linecard.What, arg int) {
	p.card.event(p.n, what, p.info().State, arg)
}

// reset makes the port idle. A telephone that is off-hook without a host hears
// reorder tone (§4.4).
func (p *fxsPort) reset() {
	p.wantRing, p.reversed, p.dropUntil = false, false, 0
	p.setAudio(false)
	p.timing = defaultTiming
	p.lost.Start(p.card.sim.country.Congestion)
}

func (p *fxsPort) set(m linecard.Set) linecard.Reason {
	if m.Want&linecard.WantOffHook != 0 {
		return linecard.ReasonWrongKind
	}
	ring := m.Want&linecard.WantRing != 0
	if ring && (len(m.Cadence) == 0 || m.Cadence[0] == 0) {
		return linecard.ReasonBadArgument
	}
	p.reversed = m.Want&linecard.WantReversed != 0
	p.setAudio(m.Want&linecard.WantAudio != 0)
	switch {
	case !ring || p.offHook:
		p.wantRing = false
	case !p.wantRing || !slices.Equal(p.cadence, m.Cadence):
		p.wantRing, p.cadence, p.ringAt = true, m.Cadence, p.card.clock
	}
	return 0
}

func (p *fxsPort) interrupt(t linecard.Type, d time.Duration) linecard.Reason {
	if t != linecard.TypeDrop {
		return linecard.ReasonWrongKind
	}
	p.dropUntil = p.card.clock + uint64(linecard.Samples(d))
	return 0
}

// bell tells whether ring voltage is on the line now.
func (p *fxsPort) bell() bool {
	if !p.wantRing {
		return false
	}
	at := linecard.Duration(int(p.card.clock - p.ringAt))
	return cadenceOn(p.cadence, at)
}

func (p *fxsPort) step() {
	c := p.card
	p.fetch()
	if c.powered && c.session == 0 && p.offHook {
		p.lost.Read(p.in[:])
	}
	battery := c.powered && c.clock >= p.dropUntil
	if !battery {
		clear(p.in[:])
	}
	loop := p.phone.step(feed{battery: battery, reversed: p.reversed, ring: battery && p.bell()}, p.in[:], p.out[:])
	if !battery {
		clear(p.out[:])
	}
	p.store()
	if battery {
		p.sense(loop)
	}
}

// sense tells off-hook, pulses, flashes and on-hook apart by how long the loop
// is open (§5.4).
func (p *fxsPort) sense(loop bool) {
	if !p.offHook {
		if p.closed.see(loop, 2) && p.closed.now {
			p.offHook, p.wantRing = true, false
			p.open, p.shut, p.pulses = 0, pulseGap, 0
			p.event(linecard.WhatOffHook, 0)
		}
		return
	}
	if !loop {
		p.open += stepTime
		p.shut = 0
		if p.open > p.timing.FlashMax {
			p.offHook = false
			p.closed = settled{}
			p.event(linecard.WhatOnHook, 0)
		}
		return
	}
	switch open := p.open; {
	case open >= 20*time.Millisecond && open <= p.timing.PulseMax:
		p.pulses++
	case open >= p.timing.FlashMin:
		p.event(linecard.WhatFlash, int(open.Milliseconds()))
	}
	p.open = 0
	p.shut += stepTime
	if p.pulses > 0 && p.shut >= pulseGap {
		p.event(linecard.WhatPulse, p.pulses%10)
		p.pulses = 0
	}
}
