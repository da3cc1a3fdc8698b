package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// A call in over an FXO line:
//
//	fxo1                b2bua
//	 |-------ring-------->|
//	 |-caller ID 5551234->|  Incoming
//	 |<-----off-hook------|  Answer
//	 |--loop-current drop>|  HungUp
//	 |<-----on-hook-------|

const (
	// ringMin is the shortest burst of ring voltage that is a ring: shorter
	// ones come from a telephone in parallel that dials by pulses or hangs up.
	ringMin = 100 * time.Millisecond
	// ringPause is the shortest pause that parts two rings; within a double
	// ring (.4/.2/.4/2) it is shorter.
	ringPause = 800 * time.Millisecond
	// ringGone is how long there is no ring until the caller has given up:
	// the longest pause of any country is 5 s.
	ringGone = 6 * time.Second
	// earlyWait is how long caller ID that comes before the first ring may
	// take to bring one.
	earlyWait = 6 * time.Second
)

// ring is what is known of a call that rings.
type ring struct {
	on       time.Time // when the burst under way, or the last one, began
	off      time.Time // when the last one ended
	rings    int
	end      time.Duration // a pause as long as this parts two rings
	late     bool          // its beginning was missed
	first    firstRing     // fxo_number.go
	number   string        // that was called, told by the first ring; empty: not known
	waits    bool          // caller ID is waited for
	got      gotCallerID
	known    bool      // caller ID was received
	told     bool      // and stands in the ladder
	receiver *receiver // nil: nobody listened
}

// take keeps what the exchange said of the caller.
func (r *ring) take(got gotCallerID) { r.got, r.known = got, true }

// early listens for caller ID that comes before the first ring, announced by a
// reversal of polarity (ETSI EN 300 659-1, BT SIN 227).
func (f *fxo) early() {
	f.timers.set(ringTimer, earlyWait)
	f.hear()
}

// hear listens for caller ID.
func (f *fxo) hear() {
	f.ring.receiver = newReceiver()
	f.cfg.Port.SetAudio(true)
	f.audio.play(program{callerID: f.ring.receiver})
}

// rung begins a call that rings in.
func (f *fxo) rung() fxoState {
	f.claimed.Store(true)
	f.timers.stop(batteryTimer)
	f.ringIn()
	f.ring.on, f.ring.rings = time.Now(), 1
	f.timers.stop(ringTimer)
	if f.primary && !f.ring.known {
		return fxoActivating
	}
	f.listenFor()
	f.in("ring")
	if !f.ring.known && f.opt.CallerIDWait > 0 {
		f.ring.waits = true
		f.hear()
	}
	return f.settle()
}

// settle offers a call of which all is known that is waited for.
func (f *fxo) settle() fxoState {
	if f.ring.waits || f.ring.first.waits {
		return fxoRinging
	}
	return f.offer()
}

// ringIn makes the leg of an incoming call.
func (f *fxo) ringIn() {
	c := newCall(f.nextID(), leg.Party{}, leg.Outgoing{}, f.log)
	c.line.Store(f.line)
	f.call = c
	f.ring.end = ringPause
}

// ringing waits for the caller ID, and for the end of a first ring that tells which
// number was called.
func (f *fxo) ringing(ev event) fxoState {
	switch ev := ev.(type) {
	case gotCallerID:
		f.ring.take(ev)
		f.ring.waits = false
		return f.settle()
	case jack.Change:
		switch ev.What {
		case jack.RingOn:
			if f.bell(ev); f.ring.rings > 1 {
				return f.offer()
			}
			return f.settle()
		case jack.RingOff:
			if d := f.bell(ev); f.ring.rings == 1 && d < ringMin && len(f.ring.first.times) < 2 {
				f.call = nil // noise
				return fxoIdle
			}
			if f.ring.waits {
				f.timers.set(stateTimer, f.opt.CallerIDWait)
			}
			return f.settle()
		}
	case expired:
		switch ev.timer {
		case stateTimer:
			f.ring.waits = false
			return f.settle()
		case stepTimer:
			f.firstRingOver()
			return f.settle()
		case ringTimer:
			f.beginIn()
			return f.gaveUp()
		}
	}
	return f.state
}

// bell counts rings, and looks for their end. It tells how long the burst was that
// has ended, or the pause before one that begins.
func (f *fxo) bell(ev jack.Change) (d time.Duration) {
	now, begins := time.Now(), ev.What == jack.RingOn
	if !begins {
		d = or(ev.For, now.Sub(f.ring.on))
		f.ring.off = now
		f.timers.set(ringTimer, ringGone)
		f.part(d, false)
		return d
	}
	d = or(ev.For, now.Sub(f.ring.off))
	f.ring.on = now
	f.timers.stop(ringTimer)
	if d >= f.ring.end {
		f.ring.rings++
		f.firstRingOver()
		return d
	}
	f.part(d, true)
	return d
}

// beginIn keeps a record of the call that came in.
func (f *fxo) beginIn() {
	f.begin(f.call, true)
	f.record.Dialed = f.ring.number
	if f.ring.number == "" && f.opt.tellsNumbers() {
		f.stats.NoNumber++
	}
}

// offer hands the call to call control, with the caller if known.
func (f *fxo) offer() fxoState {
	c := f.call
	c.party, c.other = f.ring.got.caller, f.ring.got.caller
	f.beginIn()
	switch {
	case f.ring.told:
	case f.ring.known:
		f.in("caller ID %s", f.ring.got.text())
	default:
		f.stats.NoCallerID++
		if err := f.ring.receiver.err(); err != nil {
			f.in("no caller ID")
			c.log.Info("no caller ID", "line", f.cfg.Name, "because", err)
		}
	}
	if f.offHook {
		f.audio.play(program{tones: true})
	} else {
		f.quiet()
	}
	if f.gw.cfg.Accept == nil {
		f.hungUp(leg.Rejected.GivenBy(leg.Us).Because("nobody takes calls from line %s", f.cfg.Name))
		return f.let()
	}
	f.since = time.Now()
	c.sink = f.gw.cfg.Accept.Accept(leg.Incoming{
		Of:     c.of(),
		Source: leg.Source{Kind: leg.Line, Name: f.cfg.Name},
		Caller: c.party,
		Dialed: f.ring.number,
		Ladder: c.ladder,
	})
	return fxoOffered
}

// offered waits for call control to answer, and for the caller to give up.
func (f *fxo) offered(ev event) fxoState {
	if f.offHook { // glare: the exchange has connected the caller already
		if how := f.cleared(ev); how != "" {
			f.in("%s", how)
			f.out("on-hook")
			f.end(leg.Cancelled.GivenBy(f.cfg.Name).Because("the caller hung up before the answer (%s)", how))
			return fxoIdle
		}
	}
	switch ev := ev.(type) {
	case order:
		switch ev.what {
		case answer:
			return fxoTalking
		case alert:
			if f.offHook {
				f.audio.play(program{sound: f.tone(ringbackTone), tones: true})
			}
		}
	case jack.Change:
		switch ev.What {
		case jack.RingOn, jack.RingOff:
			if !f.offHook {
				f.bell(ev)
			}
		}
	case expired:
		if ev.timer == ringTimer {
			return f.gaveUp()
		}
	}
	return f.state
}

// gaveUp ends a call whose ringing stopped.
func (f *fxo) gaveUp() fxoState {
	f.in("ringing stopped")
	f.end(leg.Cancelled.GivenBy(f.cfg.Name).Because("the caller on line %s hung up before the answer", f.cfg.Name))
	return fxoIdle
}

// refused waits for the end of a ringing that nobody here answers: a line has
// no way to say so.
func (f *fxo) refused(ev event) fxoState {
	switch ev := ev.(type) {
	case jack.Change:
		switch ev.What {
		case jack.RingOn, jack.RingOff:
			f.bell(ev)
		}
	case expired:
		if ev.timer == ringTimer {
			return fxoIdle
		}
	}
	return f.state
}
