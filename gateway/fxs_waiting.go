package gateway

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/media/echo"
)

// A second call to a telephone that talks (call waiting). The one that is not
// talked in stands in line.aside.
//
//	b2bua                    fxs1
//	 |----call-waiting tone--->|  Ringing
//	 |<---DTMF D---------------|  if it has a display
//	 |----caller ID 5551234--->|
//	 |<---flash----------------|  Held for the first call, Answered
//	 |<---flash----------------|  Held, Resumed for the first: they are swapped
//	 |<---on-hook--------------|  HungUp of the one talked in
//	 |----ring---------------->|  for the other one
//	 |<---off-hook-------------|  Resumed
//
// A call that ends at the far side leaves the telephone with the held one. A
// second call that is not taken is told nothing: its caller hears ringback until
// call control goes on.

const (
	// recallTime is how long a telephone that was hung up rings for a held call.
	recallTime = 30 * time.Second
	// lateAck is how long after a notice a telephone's acknowledgement may still
	// come; it is no digit for the other side.
	lateAck = time.Second
	// noTone is when a telephone that can't be told of a waiting call now is
	// looked at again.
	noTone = time.Second
)

// waits tells whether a second call would be offered to the telephone.
func (f *fxs) waits() bool {
	return f.state == fxsTalking && f.aside.call == nil && f.data == echo.None && !f.busied
}

// awaited takes a second call.
func (f *fxs) awaited(c *call) {
	c.other = c.from
	f.beginAside(c)
	c.deliver(leg.Ringing{Of: c.of()})
	f.drawAside("call-waiting tone")
	if f.opt.NoCallerID {
		f.notify(nil)
	} else {
		f.notify(&c.from)
	}
}

// drawAside draws an arrow to the telephone in the other call's ladder.
func (f *fxs) drawAside(what string) { f.aside.call.ladder.Out(f.cfg.Name, what) }

// notify plays the call-waiting tone once, and sets when it comes again.
func (f *fxs) notify(caller *leg.Party) {
	f.audio.interrupt(f.newNotice(caller))
	_, period := onceOf(f.country.CallWaiting)
	f.timers.set(waitingTimer, period)
}

// notified: a notice has been played. One that was to tell the caller's number
// has found out whether the telephone has a display.
func (f *fxs) notified(n *notice) {
	if n != f.audio.current.notice {
		return
	}
	f.audio.interrupt(nil)
	f.noticed = time.Now()
	if n.Acknowledged() && f.aside.waits() {
		f.aside.call.ladder.In(f.cfg.Name, "DTMF D")
		f.drawAside("caller ID " + callerText(f.aside.call.from))
	}
}

// remind plays the tone again while the second call waits. Nothing disturbs fax
// and modem signals.
func (f *fxs) remind() {
	switch {
	case !f.aside.waits() || f.state != fxsTalking:
	case f.audio.current.notice != nil || f.data != echo.None:
		f.timers.set(waitingTimer, noTone)
	default:
		f.notify(nil)
	}
}

// hush ends the signals of a waiting call.
func (f *fxs) hush() {
	f.timers.stop(waitingTimer)
	f.audio.interrupt(nil)
}

// changeOver answers the waiting call or takes back the held one, and holds the
// one talked in.
func (f *fxs) changeOver() fxsState {
	f.in("flash")
	was := f.call
	was.stream.pause()
	was.deliver(leg.Held{Of: was.of()})
	f.turn()
	f.data = echo.None
	f.in("flash")
	f.timers.stop(waitingTimer)
	f.enterTalking()
	return fxsTalking
}

// takeWaiting answers the waiting call, when nobody is talked to any more.
func (f *fxs) takeWaiting() fxsState {
	f.takeAside()
	f.in("flash")
	return fxsTalking
}

// orderAside obeys an order to the call that is not talked in.
func (f *fxs) orderAside(o order) {
	if o.what != hangup {
		return // digits to a held party
	}
	if f.aside.waits() {
		f.drawAside("call-waiting tone ended")
		f.hush()
	}
	f.endAside(o.cause)
	if f.state == fxsReorder { // it had only that left to hear
		f.hears = busyTone
		f.audio.play(program{sound: f.tone(f.hears)})
		f.timers.set(stateTimer, reorderTime)
	}
}

// leftAlone goes on when the far side of the call talked in has hung up: the
// held party is talked to again, a waiting call can be answered by a flash, or
// by hanging up and answering the bell.
func (f *fxs) leftAlone(cause leg.Cause) fxsState {
	f.timers.stop(waitingTimer)
	if f.aside.waits() {
		f.out("loop-current drop")
		f.cfg.Port.DropLoop(openTime)
		f.hears = waitingTone
		f.end(cause)
		return fxsReorder
	}
	f.end(cause)
	f.takeAside()
	f.enterTalking()
	return fxsTalking
}

// ringBack rings the telephone, which was hung up, for the call that is left.
func (f *fxs) ringBack() {
	f.takeAside()
	f.audio.play(program{})
	f.cfg.Port.SetAudio(false)
	f.cfg.Port.SetReversed(false)
	f.timers = timers{}
	f.bell = bell{}
	f.become(f.alert())
	if !f.answer.IsZero() {
		f.timers.set(stateTimer, recallTime)
	}
}

// notTakenBack ends a held call whose telephone was not lifted again.
func (f *fxs) notTakenBack() fxsState {
	f.out("ringing stopped")
	f.end(leg.NoAnswer.GivenBy(f.cfg.Name).Because("the telephone on line %s was hung up with the call on hold, and did not answer for %v", f.cfg.Name, recallTime))
	return fxsIdle
}
