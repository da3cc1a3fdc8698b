package lab

import (
	"testing"
	"time"

	"crosspoint/dialplan"
	"crosspoint/gateway/linesim"
)

// hearsOfACall waits until the kitchen hears a call-waiting tone.
func (o *analogOffice) hearsOfACall() {
	o.t.Helper()
	o.eventually("the kitchen hears of a waiting call", func() bool { return o.set("kitchen").Status().Waiting > 0 })
}

// talkAndWait has the kitchen talk with Bob, and Carol call it.
func talkAndWait(o *analogOffice) (bob, carol *call) {
	o.t.Helper()
	o.phone("102")
	o.phone("103")
	o.lifts("kitchen", "102")
	bob = o.takesCall("102")
	time.Sleep(500 * time.Millisecond)
	carol = o.dials("103", "131")
	carol.Peer.Expect("180")
	o.hearsOfACall()
	return bob, carol
}

// cancels ends a call that is not answered.
func (o *analogOffice) cancels(c *call) {
	o.t.Helper()
	c.Cancel()
	for range 2 { // the 200 of the CANCEL comes before or after
		if m := c.Peer.Any(); m.Is("487") {
			c.Ack(m)
		}
	}
	time.Sleep(100 * time.Millisecond)
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
		o.lifts("kitchen", "102")
		bob := o.takesCall("102")
		o.townCalls("fxo1", "5551234")
		o.hearsOfACall()
		time.Sleep(1500 * time.Millisecond)
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
			bob, carol := talkAndWait(o)
			o.cancels(carol)
			tones := o.set("kitchen").Status().Waiting
			time.Sleep(11 * time.Second)
			if more := o.set("kitchen").Status().Waiting; more != tones {
				t.Errorf("%d more call-waiting tones", more-tones)
			}
			o.talk("kitchen 102")
			o.hangsUpAt(bob)
		})
	})
	t.Run("the telephone is hung up", func(t *testing.T) {
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			bob, carol := talkAndWait(o)
			o.set("kitchen").OnHook()
			o.ended(bob)
			o.answers("kitchen")
			o.callsUp(carol)
			o.talk("kitchen 103")
			o.down("kitchen")
			o.ended(carol)
		})
	})
	t.Run("nobody takes it", func(t *testing.T) { // it goes where unanswered calls go
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			o.must(o.users.Change("131", func(s *dialplan.Settings) { s.ForwardNoAnswer = "104" }))
			o.phone("104")
			bob, carol := talkAndWait(o)
			dave := o.takesCall("104")
			o.callsUp(carol)
			tones := o.set("kitchen").Status().Waiting
			time.Sleep(11 * time.Second)
			if more := o.set("kitchen").Status().Waiting; tones < 2 || more != tones {
				t.Errorf("%d call-waiting tones, then %d", tones, more)
			}
			o.hangsUpAt(dave)
			o.ended(carol)
			o.hangsUpAt(bob)
		})
	})
	t.Run("the other side hangs up", func(t *testing.T) {
		withDisplay(t, analogCase{}, func(o *analogOffice) {
			bob, carol := talkAndWait(o)
			o.set("kitchen").Flash(0)
			o.reinvited(bob, "a=sendonly")
			o.callsUp(carol)
			o.hangsUpAt(carol)
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
	for name, act := range map[string]func(o *analogOffice){
		"while one waits": func(o *analogOffice) {
			bob, carol := talkAndWait(o)
			busy(o)
			o.must(o.users.Change("131", func(s *dialplan.Settings) { s.CallWaiting, s.ForwardBusy = dialplan.WaitingOn, "104" }))
			o.phone("104")
			alice := o.dials("101", "131")
			dave := o.takesCall("104")
			o.callsUp(alice)
			o.hangsUpAt(dave)
			o.ended(alice)
			o.cancels(carol)
			o.hangsUpAt(bob)
		},
		"it is switched off": func(o *analogOffice) {
			o.phone("102")
			o.lifts("kitchen", "#43#")
			o.confirmed("kitchen")
			o.lifts("kitchen", "102")
			bob := o.takesCall("102")
			busy(o)
			o.logged("call ended", "call waiting is off")
			o.hangsUpAt(bob)
		},
		"for this call": func(o *analogOffice) {
			o.phone("102")
			o.lifts("kitchen", "*68102")
			bob := o.takesCall("102")
			busy(o)
			o.hangsUpAt(bob)
		},
		"during a call for help": func(o *analogOffice) {
			o.lifts("kitchen", "911")
			o.townTalks("fxo2")
			busy(o)
			o.line("fxo2").HangUp()
		},
		"while a flash has a service at work": func(o *analogOffice) {
			o.phone("102")
			o.phone("104")
			o.lifts("kitchen", "102")
			bob := o.takesCall("102")
			o.flashes("kitchen")
			o.reinvited(bob, "a=sendonly")
			busy(o) // it hears dial tone
			o.dialsOn("kitchen", "104")
			dave := o.takesCall("104")
			busy(o) // it consults
			o.flashes("kitchen")
			o.reinvited(bob, "")
			busy(o) // three talk
			o.flashes("kitchen")
			o.ended(dave)
			carol := o.dials("103", "131") // and all is as before
			carol.Peer.Expect("180")
			o.hearsOfACall()
			o.cancels(carol)
			o.hangsUpAt(bob)
		},
	} {
		t.Run(name, func(t *testing.T) { withDisplay(t, analogCase{}, act) })
	}
}
