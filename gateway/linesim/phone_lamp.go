package linesim

import (
	"time"

	"crosspoint/gateway/callerid"
)

// A wakeUp is how an idle telephone knows that a message comes which no ring
// precedes: the exchange opens the loop for a moment, sends the dual alerting tone
// or reverses polarity (GR-30 §2.2, EN 300 659-1 §6.2, SIN 227). The zero value
// has heard of none.
type wakeUp struct {
	line  feed // a step ago
	open  time.Duration
	alert burst
	left  time.Duration // that the message may still take; zero: none is expected
}

const (
	openLeast   = 150 * time.Millisecond // open switching interval, GR-30 §2.2
	openMost    = 300 * time.Millisecond
	alertLength = 100 * time.Millisecond // EN 300 659-1, SIN 227: 88 to 110 ms
)

// alertTones are the frequencies of the dual alerting tone.
var alertTones = callerid.Alert(alertLength).Parts[0].Hz

// step is 10 ms on-hook.
func (w *wakeUp) step(f feed, in []int16) {
	w.left = max(0, w.left-stepTime)
	woken := near(w.alert.step(in, alertTones), alertLength) || f.reversed != w.line.reversed
	switch {
	case !f.battery:
		w.open += stepTime
	case w.open > 0:
		woken = woken || w.open >= openLeast && w.open <= openMost
		w.open = 0
	}
	if woken {
		w.left = messageMost
	}
	w.line = f
}

// switchLamp takes a message for the lamp.
func (p *Phone) switchLamp(w callerid.Waiting) {
	on := w == callerid.MessagesWait
	switch {
	case p.cfg.Plain:
	case p.wake.left == 0:
		p.sim.note(p.name, "a message for the lamp that nothing has announced")
	case p.lamp != on:
		p.lamp = on
		p.sim.note(p.name, "lamp %s", map[bool]string{true: "on", false: "off"}[on])
	}
}
