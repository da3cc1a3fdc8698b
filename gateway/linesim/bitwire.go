package linesim

import (
	"time"

	"crosspoint/gateway/linecard"
)

// wires is what an FXO port is wired to: a line of the town, or bits that stand
// for one.
type wires interface {
	// step lives 10 ms: the port closes the loop or not and says in; what the
	// line says is written to out.
	step(loop bool, in, out []int16)
	// sensed is what the port feels of the line after it.
	sensed() (ring, battery, reversed bool)
	Name() string
}

func (l *Line) sensed() (ring, battery, reversed bool) { return l.ringVoltage, l.battery, l.reversed }

// set is what an FXS port is wired to: a telephone, or bits that stand for one.
type set interface {
	step(f feed, in, out []int16) (loop bool)
}

// bitLoop is an FXO port's line on a timeslot: the subscriber's end.
type bitLoop struct {
	slot   *slot
	ground bool // ground start

	ring, battery bool
	wanted        bool // the port wants the loop closed
	ours          bool // tip ground is the answer to our seizure
	tip           bool // tip ground is there
	held          bool // the exchange has noticed our seizure
	lost          time.Duration
	first         bool // the first burst of a ring is over
}

// Name is that of the line at the far end.
func (w *bitLoop) Name() string { return w.slot.name }

func (w *bitLoop) sensed() (ring, battery, reversed bool) { return w.ring, w.battery, false }

func (w *bitLoop) step(loop bool, in, out []int16) {
	tx := loopOpen
	switch {
	case loop && w.ground && !w.held && !w.tip:
		tx = ringGround
	case loop:
		tx = loopClosed
	}
	w.wanted = loop
	rx := w.slot.exchange(tx, in, out)
	w.ring = rx == lineRings
	if !w.ground {
		w.battery = rx != lineNothing
		return
	}
	w.tip, w.battery = rx != lineNothing, true
	switch w.ours = w.tip && (w.ours || loop); {
	case !w.tip:
		w.first = false
	case !loop && !w.ours: // tip ground is the beginning of the first burst
		rings := w.ring
		w.ring = w.ring || !w.first
		w.first = w.first || rings
	}
}

// sense reports what ground start tells beyond loop start: that the exchange
// has noticed the seizure, and that it has released.
func (w *bitLoop) sense(p *fxoPort) {
	switch {
	case !w.wanted && !p.offHook:
		w.held, w.lost = false, 0
	case w.tip:
		if w.lost = 0; !w.held {
			w.held = true
			p.event(linecard.WhatOffHook, 0)
		}
	case w.held:
		before := w.lost
		if w.lost += stepTime; w.lost >= p.timing.LoopDropMin && before < p.timing.LoopDropMin {
			p.event(linecard.WhatLoopDrop, 0)
		}
	}
}

// bitSet is an FXS port's telephone on a timeslot: the exchange's end.
type bitSet struct {
	slot   *slot
	ground bool // ground start
	port   *fxsPort
	tip    bool // tip ground is sent
}

func (w *bitSet) step(f feed, in, out []int16) (loop bool) {
	tx := lineFeeds
	switch {
	case !f.battery:
		tx, w.tip = lineNothing, false
	case f.ring:
		tx, w.tip = lineRings, true
	case w.ground && !w.tip && !w.port.wantRing:
		tx = lineNothing
	}
	rx := w.slot.exchange(tx, in, out)
	if !w.ground {
		return rx&casA != 0
	}
	switch rx {
	case ringGround:
		w.tip = w.tip || f.battery
	case loopOpen:
		w.tip = w.tip && (w.port.wantRing || w.port.offHook)
	}
	return rx == loopClosed
}
