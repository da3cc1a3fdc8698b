package linesim

import (
	"time"

	"crosspoint/gateway/linecard"
)

// tdmPort is the firmware of a timeslot. It acts as an E&M port, or as an FXO
// or FXS port whose wires are bits, by what the host has said last.
type tdmPort struct {
	port
	slot       *slot
	signalling linecard.Signalling
	ground     *bitLoop // FXO, ground start: what only it tells
}

func newTDMPort(c *Card, n int, s *slot) *tdmPort {
	p := &tdmPort{slot: s}
	p.act(jackBase{card: c, n: uint8(n), timing: defaultTiming}, 0) // until a host says what the bits are
	return p
}

// act makes the port one of a signalling.
func (p *tdmPort) act(b jackBase, s linecard.Signalling) {
	p.ground, p.signalling = nil, s
	switch s {
	case 0, linecard.SignallingEM:
		p.port = &emPort{jackBase: b, slot: p.slot, unset: s == 0}
	case linecard.SignallingFXOLoop, linecard.SignallingFXOGround:
		w := &bitLoop{slot: p.slot, ground: s == linecard.SignallingFXOGround}
		p.port = &fxoPort{jackBase: b, line: w}
		if w.ground {
			p.ground = w
		}
	case linecard.SignallingFXSLoop, linecard.SignallingFXSGround:
		w := &bitSet{slot: p.slot, ground: s == linecard.SignallingFXSGround}
		w.port = &fxsPort{jackBase: b, phone: w}
		p.port = w.port
	}
}

// signal carries out SIGNALLING.
func (p *tdmPort) signal(s linecard.Signalling) linecard.Reason {
	switch {
	case s == p.signalling:
		return 0
	case s < linecard.SignallingEM || s > linecard.SignallingFXSGround:
		return linecard.ReasonBadArgument
	}
	p.port.reset()
	b := p.base()
	p.act(jackBase{card: b.card, n: b.n, timing: defaultTiming}, s)
	b.card.event(b.n, linecard.WhatRepaired, p.info().State, 0)
	return 0
}

func (p *tdmPort) info() linecard.PortInfo {
	i := p.port.info()
	i.Kind, i.Attributes = linecard.KindTDM, 0
	i.State = p.slot.card.span.in(i.State)
	return i
}

// set refuses what bits can't say.
func (p *tdmPort) set(m linecard.Set) linecard.Reason {
	_, em := p.port.(*emPort)
	if m.Want&linecard.WantReversed != 0 || !em && m.Want&linecard.WantBlocked != 0 {
		return linecard.ReasonWrongKind
	}
	return p.port.set(m)
}

// alarm begins or ends one. Calls over the span are over, at both ends.
func (p *tdmPort) alarm(what linecard.What) {
	b := p.base()
	if what == linecard.WhatBatteryOff {
		timing, audio := b.timing, b.audio
		em, trunk := p.port.(*emPort)
		blocked := trunk && em.blocked
		p.port.reset()
		b.timing = timing
		b.setAudio(audio)
		if trunk {
			em.blocked = blocked
		}
		p.slot.toFar = idleBits(p.signalling)
	}
	b.card.event(b.n, what, p.info().State, 0)
}

// idleBits are sent on an idle timeslot.
func idleBits(s linecard.Signalling) cas {
	switch s {
	case linecard.SignallingEM:
		return emOnHook
	case linecard.SignallingFXSLoop:
		return lineFeeds
	case linecard.SignallingFXSGround:
		return lineNothing
	}
	return loopOpen
}

func (p *tdmPort) step() {
	p.port.step()
	if p.ground != nil && p.slot.card.powered {
		p.ground.sense(p.port.(*fxoPort))
	}
}

// emPort is a timeslot with E&M signalling.
type emPort struct {
	jackBase
	slot      *slot
	unset     bool // no host has said that it is one: it is kept idle
	offHook   bool
	blocked   bool
	turnUntil uint64 // FLASH: the hook is turned over until then

	far    bool          // the far end is off-hook
	closed time.Duration // how long it has been off-hook without a break
	open   time.Duration // how long the break under way has lasted, or its off-hook is to come
	length time.Duration // of its off-hook, up to the break
	pulses int
}

const (
	emDebounce = 20 * time.Millisecond
	emRelease  = 150 * time.Millisecond // a break that is on-hook
)

func (p *emPort) info() linecard.PortInfo {
	i := linecard.PortInfo{Kind: linecard.KindTDM, State: linecard.Battery}
	flag := func(bit linecard.State, on bool) {
		if on {
			i.State |= bit
		}
	}
	flag(linecard.Present, !p.faulty)
	flag(linecard.OffHook, p.offHook)
	flag(linecard.Ringing, p.far)
	return i
}

func (p *emPort) event(what linecard.What, arg int) {
	state := p.info().State
	p.card.event(p.n, what, state, arg)
}

func (p *emPort) reset() {
	p.offHook, p.blocked, p.turnUntil = false, false, 0
	p.setAudio(false)
	p.timing = defaultTiming
}

func (p *emPort) set(m linecard.Set) linecard.Reason {
	if m.Want&(linecard.WantRing|linecard.WantReversed) != 0 || p.unset && m.Want&(linecard.WantOffHook|linecard.WantBlocked) != 0 {
		return linecard.ReasonWrongKind
	}
	off := m.Want&linecard.WantOffHook != 0
	if off != p.offHook {
		p.turnUntil = 0
	}
	p.offHook, p.blocked = off, m.Want&linecard.WantBlocked != 0
	p.setAudio(m.Want&linecard.WantAudio != 0)
	return 0
}

func (p *emPort) interrupt(t linecard.Type, d time.Duration) linecard.Reason {
	if t != linecard.TypeFlash || p.unset {
		return linecard.ReasonWrongKind
	}
	p.turnUntil = p.card.clock + uint64(linecard.Samples(d))
	return 0
}

// hook is what the port sends. Without a signalling it is what no far end takes
// for off-hook or ringing.
func (p *emPort) hook() cas {
	if p.unset {
		return loopOpen
	}
	off := p.offHook || p.blocked
	if p.card.clock < p.turnUntil {
		off = !p.offHook
	}
	if off && p.card.powered {
		return emOffHook
	}
	return emOnHook
}

func (p *emPort) step() {
	p.fetch()
	if p.card.span.declared != linecard.NoAlarm {
		p.turnUntil = 0
	}
	rx := p.slot.exchange(p.hook(), p.in[:], p.out[:])
	p.store()
	if p.card.powered && p.card.span.condition == linecard.NoAlarm && !p.unset {
		p.sense(rx == emOffHook)
	}
}

// sense sorts the far end's hook (§5.5).
func (p *emPort) sense(off bool) {
	if !p.far {
		if !off {
			p.open = 0
			return
		}
		if p.open += stepTime; p.open >= emDebounce {
			p.far, p.open, p.closed, p.length, p.pulses = true, 0, digitOver, emDebounce, 0
			p.event(linecard.WhatOffHook, 0)
		}
		return
	}
	if !off {
		p.closed = 0
		if p.open += stepTime; p.open >= emRelease {
			p.far, p.open = false, 0
			p.event(linecard.WhatOnHook, int(p.length.Milliseconds()))
		}
		return
	}
	if p.open >= emDebounce && p.open <= p.timing.PulseMax {
		p.pulses++
	}
	p.length += p.open + stepTime
	p.open = 0
	p.closed += stepTime
	if p.pulses > 0 && p.closed >= digitOver {
		p.event(linecard.WhatPulse, p.pulses%10)
		p.pulses = 0
	}
}

// digitOver is how long the hook is off after the last pulse of a digit.
const digitOver = pulseGap
