package gateway

import (
	"strings"
	"time"
)

// dialer sends a number step by step, on a line whose owner it belongs to. It
// uses the line's stepTimer.
type dialer struct {
	pulse    bool          // digits go out as breaks of the loop
	toneWait time.Duration // how long another dial tone is waited for
	next     int           // step of the number
	pulses   string        // digits that are left to be sent by pulses
	left     int           // pulses left of the digit under way
}

// digitGap is the pause between two digits that are sent by pulses, and after
// the last.
const digitGap = 750 * time.Millisecond

// begin begins the next step of the call's number; done: there is none.
func (d *dialer) begin(l *line) (done bool) {
	number := l.call.number
	if d.next == len(number) {
		return true
	}
	s := number[d.next]
	d.next++
	switch {
	case s.digits != "" && d.pulse:
		l.out("pulses %s", s.digits)
		d.pulses = s.digits
		l.timers.set(stepTimer, 0)
	case s.digits != "":
		l.out("DTMF %s", s.digits)
		l.audio.play(program{sound: newDigits(s.digits, 0), tones: true})
	case s.pause > 0:
		l.timers.set(stepTimer, s.pause)
	default: // another dial tone; if there is none, the digits may do all the same
		l.audio.play(program{tones: true, anew: true, dial: true})
		l.timers.set(stepTimer, d.toneWait)
	}
	return false
}

// take goes on from step to step; done: the number has been sent.
func (d *dialer) take(l *line, ev event) (done bool) {
	switch ev := ev.(type) {
	case played:
		return d.begin(l)
	case signal:
		if n := d.next; ev.heard == dialTone && ev.on && n > 0 && l.call.number[n-1] == (step{}) {
			l.in("dial tone")
			l.timers.stop(stepTimer)
			return d.begin(l)
		}
	case expired:
		switch {
		case ev.timer != stepTimer:
		case d.pulses != "" || d.left > 0:
			d.send(l)
		default:
			return d.begin(l)
		}
	}
	return false
}

// send opens the loop once, or goes on to the next digit.
func (d *dialer) send(l *line) {
	if d.left == 0 {
		digit := d.pulses[0]
		d.pulses = d.pulses[1:]
		d.left = int(digit - '0')
		if digit == '0' {
			d.left = 10
		}
	}
	l.cfg.Port.FlashHook(l.country.loopBreak)
	d.left--
	next := l.country.loopBreak + l.country.loopMake
	if d.left == 0 {
		next += digitGap
	}
	l.timers.set(stepTimer, next)
}

// pulsable tells whether a number has only digits that there are pulses for.
func pulsable(number []step) bool {
	for _, s := range number {
		if strings.Trim(s.digits, "0123456789") != "" {
			return false
		}
	}
	return true
}
