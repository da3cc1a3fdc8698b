package gateway

import (
	"fmt"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

const (
	// deafTime is how long a loss of loop current means nothing after the
	// line went off-hook or flashed: the exchange switches its relays.
	deafTime = 650 * time.Millisecond
	// polarityGuard is how long after a reversal that was the answer the next
	// one is still part of it.
	polarityGuard = 600 * time.Millisecond
	// dialToneMin is how long dial tone lasts, once it is told, until it means
	// that the other end is gone: a note of music may pass for it.
	dialToneMin = 1500 * time.Millisecond
)

// clearing is what tells the end of a call on an FXO line.
type clearing struct {
	deaf     time.Time // until then loop current may come and go
	lost     time.Time // since when there is no loop current; zero: there is
	reversed bool      // polarity was reversed by the answer
}

// cleared is by what an event shows that the other end has hung up; empty if
// it does not.
func (f *fxo) cleared(ev event) string {
	switch ev := ev.(type) {
	case jack.Change:
		return f.loopCleared(ev)
	case signal:
		switch {
		case ev.heard == dialTone && ev.on:
			f.timers.set(toneTimer, dialToneMin)
		case ev.heard == dialTone:
			f.timers.stop(toneTimer)
		case ev.on && (ev.heard == busyTone || ev.heard == congestionTone || ev.heard == howlerTone):
			return ev.heard.String()
		}
	case expired:
		switch ev.timer {
		case batteryTimer:
			if !f.jack.Battery {
				return "loop current lost"
			}
		case toneTimer:
			return dialTone.String()
		case silenceTimer:
			return f.silent()
		}
	}
	return ""
}

func (f *fxo) loopCleared(ev jack.Change) string {
	now := time.Now()
	switch ev.What {
	case jack.LoopDrop:
		if (ev.For == 0 || ev.For >= f.opt.MinLoopDrop) && now.After(f.clear.deaf) {
			return "loop-current drop"
		}
	case jack.BatteryOff:
		f.clear.lost = now
		f.timers.set(batteryTimer, max(f.opt.MinLoopDrop, f.clear.deaf.Sub(now)))
	case jack.BatteryOn:
		lost := f.clear.lost
		f.clear.lost = time.Time{}
		f.timers.stop(batteryTimer)
		if !lost.IsZero() && lost.After(f.clear.deaf) && now.Sub(lost) >= f.opt.MinLoopDrop {
			return "loop-current drop"
		}
	case jack.Polarity:
		back := f.clear.reversed && now.Sub(f.answer) >= polarityGuard
		if back || f.opt.PolarityHangup && now.After(f.clear.deaf) {
			return "polarity reversal"
		}
	}
	return ""
}

// silent looks whether nobody has been heard on the line for the configured time.
func (f *fxo) silent() string {
	quiet := f.audio.silentFor()
	if quiet >= f.opt.Silence {
		return fmt.Sprintf("silence for %v", f.opt.Silence)
	}
	f.timers.set(silenceTimer, f.opt.Silence-quiet)
	return ""
}

// enterTalking joins the line and its stream, both ways.
func (f *fxo) enterTalking() {
	if !f.offHook {
		f.lift()
	}
	c := f.call
	c.stream.open()
	f.audio.play(program{stream: c.stream, hear: true, say: true, tones: true, keys: true})
	f.timers.stop(answerTimer)
	f.timers.stop(ringTimer)
	f.answered()
	if f.opt.Silence > 0 {
		f.timers.set(silenceTimer, f.opt.Silence)
	}
	if !f.record.Incoming {
		c.deliver(leg.Answered{Of: c.of()})
	}
}

// talking waits for either end to hang up.
func (f *fxo) talking(ev event) fxoState {
	if how := f.cleared(ev); how != "" {
		f.in("%s", how)
		f.out("on-hook")
		f.end(leg.NormalClearing.GivenBy(f.cfg.Name).Because("the other end hung up (%s)", how))
		return fxoIdle
	}
	switch ev := ev.(type) {
	case order:
		f.during(ev)
	case keyUp:
		f.in("DTMF %c", ev.digit)
		f.call.deliver(leg.Digit{Of: f.call.of(), Digit: ev.digit, For: ev.d, Relayed: true})
	}
	return f.state
}

// during obeys what call control may order while the line and the exchange are
// connected.
func (f *fxo) during(o order) {
	switch o.what {
	case sendDigit:
		f.out("DTMF %c", o.digit)
		f.audio.digit(o.digit, o.d)
	case sendFlash:
		f.out("flash")
		f.clear.deaf = time.Now().Add(f.opt.FlashTime + deafTime)
		f.cfg.Port.FlashHook(f.opt.FlashTime)
	}
}
