package gateway

import (
	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
)

// A call from a telephone on an FXS line:
//
//	fxs1              b2bua
//	 |----off-hook----->|
//	 |<---dial tone-----|
//	 |----DTMF 102----->|  Incoming
//	 |<---ringback------|  Ringing
//	 |<----answer-------|  Answer
//	 |----on-hook------>|  HungUp

// offHook gives dial tone to a telephone that was lifted.
func (f *fxs) offHook() fxsState {
	f.claimed.Store(true)
	f.cfg.Port.SetAudio(true)
	c := newCall(f.nextID(), leg.Party{Number: f.opt.Extension, Name: f.opt.Name}, leg.Outgoing{}, f.log)
	c.line.Store(f.line)
	f.call = c
	f.in("off-hook")
	f.digits, f.early = "", false
	if f.opt.Hotline != "" && f.opt.HotlineAfter <= 0 {
		f.digits = f.opt.Hotline
		return f.offer()
	}
	f.dialTone()
	return fxsDialing
}

// dialTone plays the tone and waits for the first digit.
func (f *fxs) dialTone() {
	t := heard(dialTone)
	if f.lamp.wanted == callerid.MessagesWait {
		t = stutterTone
	}
	f.out("%s", t)
	f.audio.play(program{sound: f.tone(t), keys: true})
	wait := f.opt.FirstDigit
	if f.opt.Hotline != "" {
		wait = f.opt.HotlineAfter
	}
	f.timers.set(stepTimer, wait)
}

// dialing collects the number.
func (f *fxs) dialing(ev event) fxsState {
	switch ev := ev.(type) {
	case keyDown:
		if f.digits == "" {
			f.audio.play(program{keys: true}) // no dial tone over the digits
		}
	case keyUp:
		return f.digit(ev.digit)
	case jack.Change:
		switch {
		case ev.What == jack.Pulse:
			return f.digit(ev.Digit)
		case ev.What == jack.Flash && f.isFlash(ev.For):
			f.in("flash")
			f.digits = ""
			f.dialTone()
		}
	case expired:
		if ev.timer != stepTimer {
			break
		}
		switch {
		case f.digits != "":
			return f.offer()
		case f.opt.Hotline != "":
			f.digits = f.opt.Hotline
			return f.offer()
		}
		f.out("%s", congestionTone)
		f.log.Info("off-hook without a digit", "waited", f.opt.FirstDigit)
		f.drop("")
		f.hears = congestionTone
		return fxsReorder
	}
	return f.state
}

// digit adds a digit to the number, and offers the call when the number is
// whole, can't become one, or was ended by '#'.
func (f *fxs) digit(d byte) fxsState {
	if f.digits == "" {
		f.audio.play(program{keys: true})
	}
	if len(f.digits) >= maxDigits {
		return f.offer()
	}
	was := f.complete(f.digits)
	f.digits += string(rune(d))
	switch is := f.complete(f.digits); {
	case d == '#' && is == Impossible && was != Impossible && len(f.digits) > 1:
		f.digits = f.digits[:len(f.digits)-1]
		return f.offer()
	case is == Complete, is == Impossible:
		return f.offer()
	case is == CompleteOrMore:
		f.timers.set(stepTimer, f.opt.Match)
	default:
		f.timers.set(stepTimer, f.opt.InterDigit)
	}
	return fxsDialing
}

// complete asks the dial plan; without one '#' ends a number.
func (f *fxs) complete(digits string) Completeness {
	if digits == "" {
		return Partial
	}
	if f.gw.cfg.Complete != nil {
		return f.gw.cfg.Complete(f.cfg.Name, digits)
	}
	if digits[len(digits)-1] == '#' && len(digits) > 1 {
		return Impossible
	}
	return Partial
}

// offer hands the call to call control. A number that can't be is offered too:
// the plan knows best why it is refused.
func (f *fxs) offer() fxsState {
	c := f.call
	c.other = leg.Party{Number: f.digits}
	f.in("dials %s", f.digits)
	f.begin(c, true)
	f.record.Number = f.digits
	f.audio.play(program{keys: true})
	if f.gw.cfg.Accept == nil {
		return f.hungUp(leg.Rejected.GivenBy(leg.Us).Because("nobody takes calls from line %s", f.cfg.Name))
	}
	c.sink = f.gw.cfg.Accept.Accept(leg.Incoming{
		Of:     c.of(),
		Source: leg.Source{Kind: leg.Phone, Name: f.opt.Extension},
		Caller: c.party,
		Dialed: f.digits,
		To:     c.other,
		Ladder: c.ladder,
	})
	return fxsCalling
}

// calling lets the telephone hear how far its call has come.
func (f *fxs) calling(ev event) fxsState {
	o, ok := ev.(order)
	if !ok {
		return f.state
	}
	switch o.what {
	case alert:
		if !f.early {
			f.out("%s", ringbackTone)
			f.audio.play(program{sound: f.tone(ringbackTone), keys: true})
		}
	case progress:
		if !f.early {
			f.early = true
			f.out("progress")
			f.call.stream.open()
			f.audio.play(program{stream: f.call.stream, hear: true, say: true, keys: true})
		}
	case answer:
		f.out("answer")
		return fxsTalking
	case sendDigit:
		f.audio.digit(o.digit, o.d)
	}
	return f.state
}
