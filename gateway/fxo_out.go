package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// A call out over an FXO line:
//
//	b2bua            fxo1
//	  |----off-hook--->|
//	  |<---dial tone---|
//	  |--DTMF 7773660->|
//	  |<---ringback----|
//	  |<----answer-----|
//	  |----on-hook---->|

// seize takes the call, and the line if it has rested for the guard time.
func (f *fxo) seize(c *call) fxoState {
	f.begin(c, false)
	if !c.trying {
		c.trying = true
		c.deliver(leg.Trying{Of: c.of()})
	}
	if f.opt.Pulse && !pulsable(c.number) {
		f.end(leg.InvalidNumber.GivenBy(leg.Us).Because("%s dials by pulses, and %s has digits that have none", f.where(), c.dialed))
		return fxoIdle.again(f)
	}
	if rest := time.Until(f.guardEnd); rest > 0 {
		f.timers.set(stepTimer, rest)
		return fxoWaiting
	}
	f.lift()
	return fxoSeizing
}

// again leaves the claim on a line that never left idle.
func (s fxoState) again(f *fxo) fxoState {
	f.claimed.Store(false)
	return s
}

// lift goes off-hook and listens.
func (f *fxo) lift() {
	f.out("off-hook")
	f.offHook = true
	f.clear.deaf = time.Now().Add(deafTime)
	f.cfg.Port.SetAudio(true)
	f.cfg.Port.SetHook(true)
	f.audio.play(program{tones: true, anew: true, dial: true})
}

// waiting waits for the end of the guard time; the line is still on-hook.
func (f *fxo) waiting(ev event) fxoState {
	switch ev := ev.(type) {
	case jack.Change:
		switch ev.What {
		case jack.RingOn: // glare: the incoming call has the line
			f.stats.Glare++
			f.pass(leg.NoCircuit.GivenBy(leg.Us).Because("%s began to ring", f.where()))
			return f.rung()
		case jack.BatteryOff:
			return f.fail(leg.NetworkFailure.Because("%s: no battery", f.where()).WithHint("is the wall jack plugged in?"))
		}
	case expired:
		if ev.timer == stepTimer {
			f.lift()
			return fxoSeizing
		}
	}
	return f.state
}

// seizing waits for dial tone.
func (f *fxo) seizing(ev event) fxoState {
	switch ev := ev.(type) {
	case signal:
		switch {
		case !ev.on:
		case ev.heard == dialTone:
			f.in("dial tone")
			return f.startDialing()
		case ev.heard == busyTone, ev.heard == congestionTone:
			f.in("%s", ev.heard)
			return f.fail(leg.NetworkFailure.Because("%s: %s instead of dial tone", f.where(), ev.heard))
		}
	case jack.Change:
		switch ev.What {
		case jack.RingOn:
			return f.glare()
		case jack.OffHook: // hardware that takes its time: the exchange notices us only now
			f.clear.deaf = time.Now().Add(deafTime)
			f.timers.set(stateTimer, f.opt.DialToneWait)
		}
	case expired:
		if ev.timer != stateTimer {
			break
		}
		if f.opt.BlindDial {
			return f.startDialing()
		}
		return f.noDialTone()
	}
	return f.state
}

// noDialTone tells what is the matter as far as the line shows it.
func (f *fxo) noDialTone() fxoState {
	f.stats.NoDialTone++
	f.suspect = time.Now().Add(suspectFor)
	if !f.jack.Battery {
		return f.fail(leg.NetworkFailure.Because("%s: no loop current after %v", f.where(), f.opt.DialToneWait).
			WithHint("is the wall jack plugged in?"))
	}
	return f.fail(leg.NetworkFailure.Because("%s: no dial tone after %v", f.where(), f.opt.DialToneWait).
		WithHint("is the wall jack plugged in?"))
}

// glare: the exchange rang the line as we went off-hook, so that we have
// answered a call. Ours moves to another line; the caller's is offered, and
// hears ringback until it is answered inside.
func (f *fxo) glare() fxoState {
	f.stats.Glare++
	f.in("ring (glare)")
	f.pass(leg.NoCircuit.GivenBy(leg.Us).Because("%s began to ring", f.where()))
	f.ringIn()
	f.in("ring (glare)")
	return f.offer()
}

// fail gives the line back and the call to the next line of its trunk.
func (f *fxo) fail(why leg.Cause) fxoState {
	f.trouble("%s", why.Error())
	if f.offHook {
		f.out("on-hook")
	}
	f.pass(why.GivenBy(f.cfg.Name))
	return fxoIdle
}

func (f *fxo) pass(why leg.Cause) { f.drop(why.Text).hunt(f.line, why) }

// startDialing begins to send the number.
func (f *fxo) startDialing() fxoState {
	f.dial = dialer{pulse: f.opt.Pulse, toneWait: f.opt.DialToneWait}
	if f.dial.begin(f.line) {
		return fxoProceeding
	}
	return fxoDialing
}

// dialing goes from step to step of the number.
func (f *fxo) dialing(ev event) fxoState {
	if f.dial.take(f.line, ev) {
		return fxoProceeding
	}
	switch ev := ev.(type) {
	case expired:
		if f.opt.Pulse { // our own breaks are no loss of loop current
			f.clear.deaf = time.Now().Add(f.country.loopBreak + deafTime)
		}
	case jack.Change:
		if ev.What == jack.BatteryOff && time.Now().After(f.clear.deaf) {
			return f.fail(leg.NetworkFailure.Because("%s: loop current lost while dialling", f.where()))
		}
	}
	return f.state
}

// enterProceeding lets the caller hear the exchange.
func (f *fxo) enterProceeding() {
	f.call.stream.open()
	f.audio.play(program{stream: f.call.stream, hear: true, say: true, tones: true, keys: true, anew: true})
	if f.opt.Answer.By != AnswerPolarity {
		f.timers.set(answerTimer, f.opt.Answer.After)
	}
	f.call.deliver(leg.EarlyMedia{Of: f.call.of()})
}

// proceeding waits for the answer, as far as the line shows it.
func (f *fxo) proceeding(ev event) fxoState {
	if how := f.answerSign(ev); how != "" {
		f.in("answer (%s)", how)
		return fxoTalking
	}
	switch ev := ev.(type) {
	case order:
		f.during(ev)
		return f.state
	case signal:
		switch ev.heard {
		case ringbackTone:
			f.ringback(ev.on)
		case specialTone:
			f.announced(ev.on)
		}
	}
	if how := f.cleared(ev); how != "" {
		f.in("%s", how)
		f.out("on-hook")
		f.end(f.refusal(how))
		return fxoIdle
	}
	return f.state
}

// ringback notes that the called party is alerted. The end of the ringback is
// an answer, if the rule says so and no busy tone follows.
func (f *fxo) ringback(on bool) {
	if !f.call.rings {
		f.call.rings = true
		f.in("ringback")
		f.call.deliver(leg.Ringing{Of: f.call.of()})
	}
	switch by := f.opt.Answer.By; {
	case by == AnswerAfter || by == AnswerPolarity || f.call.special:
	case on:
		f.timers.stop(answerTimer)
	case by == AnswerVoice:
		f.timers.set(answerTimer, f.opt.Answer.After)
	default:
		f.timers.set(answerTimer, ringbackEnd)
	}
}

// ringbackEnd is how long after the end of the ringback it is clear that no
// busy tone has taken its place.
const ringbackEnd = 3 * time.Second

// announced notes that what will be heard is an announcement, and no answer.
func (f *fxo) announced(on bool) {
	if !on || f.call.special {
		return
	}
	f.call.special = true
	f.in("%s", specialTone)
	if f.opt.Answer.By != AnswerAfter {
		f.timers.stop(answerTimer)
	}
}

// answerSign is by what an event shows that the called party has answered;
// empty if it does not.
func (f *fxo) answerSign(ev event) string {
	by := f.opt.Answer.By
	switch ev := ev.(type) {
	case jack.Change:
		if ev.What == jack.Polarity && (by == AnswerAuto || by == AnswerPolarity) {
			f.clear.reversed = true
			return "polarity"
		}
	case signal:
		if by != AnswerAuto && by != AnswerVoice || !ev.on || f.call.special {
			break
		}
		if ev.heard == voice || ev.heard == faxTone {
			return ev.heard.String()
		}
	case expired:
		if ev.timer != answerTimer {
			break
		}
		if f.call.rings && (by == AnswerAuto || by == AnswerRingbackEnd) {
			return "end of ringback"
		}
		return "after " + f.opt.Answer.After.String()
	}
	return ""
}

// refusal is the cause of a call that the exchange cleared before the answer.
func (l *line) refusal(how string) leg.Cause {
	switch how {
	case busyTone.String():
		return leg.Busy.GivenBy(l.cfg.Name).Because("busy tone on line %s", l.cfg.Name)
	case congestionTone.String():
		return leg.NoCircuit.GivenBy(l.cfg.Name).Because("congestion tone on line %s: the exchange has no way to %s", l.cfg.Name, l.call.dialed)
	}
	return leg.Cause{Q850: 31, Status: 480}.GivenBy(l.cfg.Name).
		Because("line %s: the exchange gave the call up before an answer (%s)", l.cfg.Name, how)
}
