package lab

import (
	"testing"
	"time"

	"crosspoint/dialplan"
	"crosspoint/gateway/linesim"
)

// talkAndWait has the kitchen talk with 102, and the town call it.
func talkAndWait(o *analogOffice) (bob *call) {
	o.t.Helper()
	o.lifts("kitchen", "102")
	bob = o.takesCall("102")
	o.talk("kitchen 102")
	o.townCalls("fxo1", "5551234")
	o.eventually("the kitchen hears of a waiting call", func() bool { return o.set("kitchen").Status().Waiting > 0 })
	time.Sleep(2 * time.Second)
	return bob
}

// withDisplay plays a script in an office whose kitchen has a display.
func withDisplay(t *testing.T, c analogCase, script func(o *analogOffice)) {
	t.Helper()
	c.calls.Music = hum
	analog(t, c, func(o *analogOffice) {
		o.set("kitchen").Set(linesim.PhoneConfig{WaitingDisplay: true})
		script(o)
	})
}

// The kitchen talks with Bob as Will calls from the town: it hears the tone, its
// display says who calls, and Will hears ringing. It takes him by a flash, swaps,
// and is rung for whom it has left on hold.
func TestCallWaitingOnAnAnalogPhone(t *testing.T) {
	withDisplay(t, analogCase{}, func(o *analogOffice) {
		o.phone("102")
		bob := talkAndWait(o)
		if st := o.set("kitchen").Status(); !st.HasID || st.CallerID.Number != "5551234" || st.CallerID.Name != "Will" {
			t.Errorf("the display says %+v", st.CallerID)
		}
		o.talk("kitchen 102") // nobody has lost anybody
		o.set("kitchen").Flash(0)
		o.reinvited(bob, "a=sendonly")
		o.townTalks("fxo1")
		tones := o.set("kitchen").Status().Waiting
		o.talk("kitchen fxo1")
		o.hums("102")
		o.set("kitchen").Flash(0)
		o.reinvited(bob, "")
		time.Sleep(time.Second)
		o.talk("kitchen 102")
		o.hums("fxo1")
		time.Sleep(5 * time.Second)
		if more := o.set("kitchen").Status().Waiting; more != tones {
			t.Errorf("%d more call-waiting tones after the answer", more-tones)
		}
		o.set("kitchen").OnHook()
		time.Sleep(2 * time.Second)
		o.ended(bob)
		o.answers("kitchen")
		o.talk("kitchen fxo1")
		o.down("kitchen")
		o.free("fxo1")
		o.steps(`
			fxo1    -> b2bua   ring
			fxo1    -> b2bua   caller ID 5551234 "Will"
			b2bua   -> kitchen call-waiting tone
			kitchen -> b2bua   DTMF D
			b2bua   -> kitchen caller ID 5551234 "Will"
			kitchen -> b2bua   flash
			b2bua   -> fxo1    off-hook
			kitchen -> b2bua   flash
			b2bua   -> fxo1    hold
			b2bua   -> kitchen ring
			b2bua   -> kitchen caller ID 5551234 "Will"
			kitchen -> b2bua   off-hook
			b2bua   -> fxo1    resume
			kitchen -> b2bua   on-hook
			b2bua   -> fxo1    on-hook`)
	})
}

// How a waiting call ends otherwise.
func TestWaitingCallEnds(t *testing.T) {
	t.Run("the caller gives up", func(t *testing.T) {
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			o.phone("102")
			bob := talkAndWait(o)
			o.line("fxo1").HangUp()
			time.Sleep(9 * time.Second) // no ring for so long
			tones := o.set("kitchen").Status().Waiting
			time.Sleep(12 * time.Second)
			if more := o.set("kitchen").Status().Waiting; more != tones {
				t.Errorf("%d more call-waiting tones", more-tones)
			}
			o.talk("kitchen 102")
			o.hangsUpAt(bob)
		})
	})
	t.Run("the telephone is hung up", func(t *testing.T) {
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			o.phone("102")
			bob := talkAndWait(o)
			o.set("kitchen").OnHook()
			o.ended(bob)
			o.answers("kitchen")
			o.townTalks("fxo1")
			o.talk("kitchen fxo1")
			o.down("kitchen")
			o.free("fxo1")
		})
	})
	t.Run("nobody takes it", func(t *testing.T) { // it goes where unanswered calls go
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			o.must(o.users.Change("131", func(s *dialplan.Settings) { s.ForwardNoAnswer = "103" }))
			o.phone("102")
			o.phone("103")
			bob := talkAndWait(o)
			carol := o.takesCall("103")
			o.townTalks("fxo1")
			o.talk("kitchen 102 | fxo1 103")
			tones := o.set("kitchen").Status().Waiting
			time.Sleep(11 * time.Second)
			if more := o.set("kitchen").Status().Waiting; tones < 2 || more != tones {
				t.Errorf("%d call-waiting tones, then %d", tones, more)
			}
			o.hangsUpAt(carol)
			o.free("fxo1")
			o.hangsUpAt(bob)
		})
	})
	t.Run("the other side hangs up", func(t *testing.T) {
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			o.phone("102")
			bob := talkAndWait(o)
			o.set("kitchen").Flash(0)
			o.reinvited(bob, "a=sendonly")
			o.townTalks("fxo1")
			time.Sleep(time.Second)
			o.line("fxo1").HangUp()
			o.reinvited(bob, "") // who was held is talked to again
			o.talk("kitchen 102")
			o.hangsUpAt(bob)
		})
	})
}

// When a second call finds the telephone busy.
func TestNoCallWaitingOnAnAnalogPhone(t *testing.T) {
	busy := func(o *analogOffice) {
		o.t.Helper()
		tones := o.set("kitchen").Status().Waiting
		alice := o.dials("101", "131")
		alice.Ack(alice.Peer.Expect("486"))
		if more := o.set("kitchen").Status().Waiting; more != tones {
			o.t.Error("it hears a call-waiting tone")
		}
	}
	t.Run("while one waits", func(t *testing.T) {
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			o.phone("102")
			bob := talkAndWait(o)
			busy(o)
			o.must(o.users.Change("131", func(s *dialplan.Settings) { s.CallWaiting, s.ForwardBusy = dialplan.WaitingOn, "103" }))
			o.phone("103")
			alice := o.dials("101", "131")
			carol := o.takesCall("103")
			o.callsUp(alice)
			o.hangsUpAt(carol)
			o.hangsUpAt(bob)
			o.line("fxo1").HangUp()
		})
	})
	t.Run("it is switched off", func(t *testing.T) {
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			o.phone("102")
			o.lifts("kitchen", "#43#")
			o.confirmed("kitchen")
			o.lifts("kitchen", "102")
			bob := o.takesCall("102")
			busy(o)
			o.logged("call ended", "call waiting is off")
			o.hangsUpAt(bob)
			o.down("kitchen")
			o.lifts("kitchen", "*43#")
			o.confirmed("kitchen")
			bob = talkAndWait(o)
			o.hangsUpAt(bob)
			o.line("fxo1").HangUp()
		})
	})
	t.Run("for this call", func(t *testing.T) {
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			o.phone("102")
			o.lifts("kitchen", "*68102")
			bob := o.takesCall("102")
			busy(o)
			o.hangsUpAt(bob)
			o.down("kitchen")
			bob = talkAndWait(o) // not for the next
			o.hangsUpAt(bob)
			o.line("fxo1").HangUp()
		})
	})
	t.Run("during a call for help", func(t *testing.T) {
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			o.lifts("kitchen", "911")
			o.townTalks("fxo2")
			busy(o)
			o.line("fxo2").HangUp()
		})
	})
	t.Run("while a flash has a service at work", func(t *testing.T) {
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			o.phone("102")
			o.lifts("kitchen", "102")
			bob := o.takesCall("102")
			o.flashes("kitchen")
			o.reinvited(bob, "a=sendonly")
			busy(o) // it hears dial tone
			o.dialsOn("kitchen", "133")
			o.answers("attic")
			busy(o) // it consults
			o.flashes("kitchen")
			o.reinvited(bob, "")
			busy(o) // three talk
			o.flashes("kitchen")
			o.down("attic")
			o.talk("kitchen 102")
			o.townCalls("fxo1", "5551234") // and all is as before
			o.eventually("a call waits", func() bool { return o.set("kitchen").Status().Waiting > 0 })
			o.hangsUpAt(bob)
			o.line("fxo1").HangUp()
		})
	})
}
