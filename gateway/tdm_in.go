package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// A call in over a timeslot, direct inward dialling:
//
//	tdm1              b2bua
//	 |-----seizure----->|
//	 |<-----wink--------|   not with immediate start
//	 |----DTMF 101----->|   Incoming
//	 |<---ringback------|   Ringing
//	 |<---off-hook------|   Answer
//	 |-----on-hook----->|   HungUp
//	 |<----on-hook------|

// inward is how far a call in has come.
type inward struct {
	winked bool // our wink is over, or none is given
	digits string
	early  bool  // the far end hears the other party before the answer
	hears  heard // what the far end hears in tdmRefused
}

// rings is what the call rings, for people.
func (i inward) rings() string {
	if i.digits == "" {
		return "inside"
	}
	return i.digits
}

// comesIn takes a seizure by the far end, and winks after a while.
func (d *tdm) comesIn(delay time.Duration) tdmState {
	d.claimed.Store(true)
	c := newCall(d.nextID(), leg.Party{}, leg.Outgoing{}, d.log)
	c.line.Store(d.line)
	d.call = c
	d.inward = inward{}
	d.in("seizure")
	d.cfg.Port.SetAudio(true)
	if d.opt.Immediate {
		return d.listen()
	}
	d.audio.play(program{})
	d.timers.set(stepTimer, delay)
	return tdmCollecting
}

// listen collects the digits, or offers the call if none come.
func (d *tdm) listen() tdmState {
	d.inward.winked = true
	if d.opt.Digits < 0 {
		return d.offer()
	}
	d.audio.play(program{keys: true})
	d.timers.set(stepTimer, d.opt.FirstDigit)
	return tdmCollecting
}

// collecting collects the number.
func (d *tdm) collecting(ev event) tdmState {
	switch ev := ev.(type) {
	case keyUp:
		return d.digit(ev.digit)
	case jack.Change:
		switch ev.What {
		case jack.Pulse:
			return d.digit(ev.Digit)
		case jack.OnHook:
			d.in("on-hook")
			d.drop("")
			return tdmIdle
		}
	case expired:
		switch ev.timer {
		case stepTimer:
			return d.waited()
		case ringTimer:
			return d.listen()
		}
	}
	return d.state
}

// waited: it is time for the wink, or no (further) digit has come.
func (d *tdm) waited() tdmState {
	switch {
	case d.inward.digits != "":
		return d.offer()
	case d.inward.winked:
		return d.noDigits()
	}
	d.out("wink")
	d.cfg.Port.FlashHook(winkTime)
	d.audio.play(program{keys: true}) // whoever is fast is not missed
	d.timers.set(ringTimer, winkTime) // then digits are waited for
	return d.state
}

// noDigits: the far end has seized the timeslot and says nothing.
func (d *tdm) noDigits() tdmState {
	d.in("no digits")
	d.drop("")
	d.tooLong()
	return tdmHeld
}

// digit adds a digit to the number, and offers the call when it is whole. Of one
// that can't be whole the rest is heard out: the plan may take any number.
func (d *tdm) digit(key byte) tdmState {
	d.inward.digits += string(rune(key))
	digits := d.inward.digits
	if n := d.opt.Digits; n > 0 {
		if len(digits) >= n {
			return d.offer()
		}
		d.timers.set(stepTimer, d.opt.InterDigit)
		return d.state
	}
	known := Partial
	if d.gw.cfg.Complete != nil {
		known = d.gw.cfg.Complete(d.cfg.Name, digits)
	}
	switch {
	case known == Complete, len(digits) >= maxDigits:
		return d.offer()
	case known == CompleteOrMore, known == Impossible:
		d.timers.set(stepTimer, d.opt.Match)
	default:
		d.timers.set(stepTimer, d.opt.InterDigit)
	}
	return d.state
}

// offer hands the call to call control. A number that can't be is offered too:
// the plan knows best why it is refused.
func (d *tdm) offer() tdmState {
	c, digits := d.call, d.inward.digits
	d.begin(c, true)
	if digits != "" {
		d.in("dials %s", digits)
	}
	d.timers.stop(stepTimer)
	d.audio.play(program{})
	if d.gw.cfg.Accept == nil {
		return d.refuse(leg.Rejected.GivenBy(leg.Us).Because("nobody takes calls from line %s", d.cfg.Name))
	}
	c.sink = d.gw.cfg.Accept.Accept(leg.Incoming{
		Of:     c.of(),
		Source: leg.Source{Kind: leg.Line, Name: d.cfg.Name},
		Caller: c.party,
		Dialed: digits,
		To:     leg.Party{Number: digits},
		Ladder: c.ladder,
	})
	return tdmOffered
}

// offered waits for call control to answer, and for the caller to give up.
func (d *tdm) offered(ev event) tdmState {
	switch ev := ev.(type) {
	case order:
		switch {
		case ev.what == answer:
			return tdmTalking
		case ev.what == sendDigit:
			d.audio.digit(ev.digit, ev.d)
		case d.inward.early:
		case ev.what == alert:
			d.out("%s", ringbackTone)
			d.audio.play(program{sound: d.tone(ringbackTone)})
		case ev.what == progress:
			d.inward.early = true
			d.out("progress")
			d.call.stream.open()
			d.audio.play(program{stream: d.call.stream, hear: true, say: true, keys: true})
		}
	case jack.Change:
		if ev.What == jack.OnHook {
			d.in("on-hook")
			d.end(leg.Cancelled.GivenBy(d.cfg.Name).Because("the caller on line %s hung up before the answer", d.cfg.Name))
			return tdmIdle
		}
	}
	return d.state
}

// refuse ends a call that the far end has made, and lets it hear why.
func (d *tdm) refuse(cause leg.Cause) tdmState {
	d.inward.hears = toneFor(cause)
	d.out("%s", d.inward.hears)
	d.end(cause)
	d.audio.play(program{sound: d.tone(d.inward.hears)})
	d.timers.set(stepTimer, reorderTime)
	return tdmRefused
}

// refused waits for the far end to go on-hook.
func (d *tdm) refused(ev event) tdmState {
	switch ev := ev.(type) {
	case jack.Change:
		if ev.What == jack.OnHook {
			return tdmIdle
		}
	case expired:
		if ev.timer == stepTimer {
			return tdmHeld
		}
	}
	return d.state
}
