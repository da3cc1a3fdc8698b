package gateway

import (
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
)

func TestIncomingCall(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.rings(1, tells("5551234", "Joe"))
		p := o.comes(1)
		if p.in.Source != (leg.Source{Kind: leg.Line, Name: "fxo1"}) || p.in.Caller != (leg.Party{Number: "5551234", Name: "Joe"}) || p.in.Dialed != "" {
			t.Errorf("incoming %+v", p.in)
		}
		o.is("fxo1", `ringing, caller 5551234 "Joe"`)
		if line.now().OffHook {
			t.Error("off-hook before the answer")
		}
		p.Ringing()
		p.Answer()
		o.is("fxo1", `talking with 5551234 "Joe"`)
		if !line.now().OffHook {
			t.Error("on-hook after the answer")
		}
		time.Sleep(time.Second)
		line.changed(jack.Change{What: jack.LoopDrop, For: 200 * time.Millisecond})
		p.saw("HungUp 16")
		p.because(16, "loop-current drop")
		p.draws(`
			fxo1  -> b2bua ring
			fxo1  -> b2bua caller ID 5551234 "Joe"
			b2bua -> fxo1  off-hook
			fxo1  -> b2bua loop-current drop
			b2bua -> fxo1  on-hook`)
		o.is("fxo1", "idle")
		s := o.status("fxo1")
		if s.Counts.Incoming != 1 || s.Counts.Answered != 1 || len(s.Last) != 1 || s.Last[0].Talked != time.Second {
			t.Errorf("report %+v", s)
		}
	})
}

func TestIncomingWithoutCallerID(t *testing.T) {
	for _, c := range []struct {
		name string
		wait time.Duration
		at   time.Duration // after the first ring began
	}{
		{"by default offered 4 s after the first ring", 0, 6 * time.Second},
		{"waits as configured", time.Second, 3 * time.Second},
		{"does not wait", -1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			open(t, Config{Lines: []LineConfig{{FXO: FXO{CallerIDWait: c.wait}}}}, "fxo1", func(o *office) {
				go o.jack("fxo1").rings(1, nil)
				if c.at > 0 {
					time.Sleep(c.at - time.Millisecond)
					o.comes(0)
				}
				time.Sleep(2 * time.Millisecond)
				p := o.comes(1)
				if p.in.Caller != (leg.Party{}) {
					t.Errorf("caller %v", p.in.Caller)
				}
				time.Sleep(time.Minute)
				p.because(16, "hung up before the answer")
			})
		})
	}
}

func TestSecondRingEndsTheWait(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{FXO: FXO{CallerIDWait: 20 * time.Second}}}}, "fxo1", func(o *office) {
		go o.jack("fxo1").rings(2, nil)
		time.Sleep(5900 * time.Millisecond)
		o.comes(0)
		time.Sleep(200 * time.Millisecond)
		o.comes(1)
		time.Sleep(time.Minute)
	})
}

func TestDoubleRingIsOneRing(t *testing.T) { // .4/.2/.4/2
	open(t, Config{Lines: []LineConfig{{FXO: FXO{CallerIDWait: 5 * time.Second}}}}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		for range 2 {
			line.change(jack.RingOn)
			time.Sleep(400 * time.Millisecond)
			line.change(jack.RingOff)
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(time.Second)
		o.comes(0)
		time.Sleep(800 * time.Millisecond)
		line.change(jack.RingOn)
		o.comes(1)
	})
}

func TestCallerIDWithheldAndDamaged(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.rings(1, callerid.NewSender(callerid.CallerID{NumberAbsent: callerid.Private}, callerid.Config{}))
		p := o.comes(1)
		if !p.in.Caller.Withheld || p.in.Caller.Number != "" {
			t.Errorf("caller %+v", p.in.Caller)
		}
		time.Sleep(10 * time.Second)
		p.draws(`
			fxo1 -> b2bua ring
			fxo1 -> b2bua caller ID withheld
			fxo1 -> b2bua ringing stopped`)

		m := callerid.Build(callerid.CallerID{Number: "5551234"}, 0)
		m[len(m)-1]++
		line.rings(2, callerid.NewMessageSender(m, callerid.Config{}))
		p = o.comes(2)
		if p.in.Caller != (leg.Party{}) {
			t.Errorf("caller %+v of a damaged message", p.in.Caller)
		}
		if n := o.status("fxo1").Counts.NoCallerID; n != 1 {
			t.Errorf("%d calls without caller ID", n)
		}
		time.Sleep(10 * time.Second)
	})
}

func TestCallerIDBeforeTheRing(t *testing.T) {
	for country, c := range map[string]struct {
		standard callerid.Standard
		reverses bool
	}{"uk": {callerid.BT, true}, "se": {callerid.DTMFA, false}} {
		t.Run(country, func(t *testing.T) {
			open(t, Config{Country: country}, "fxo1", func(o *office) {
				line := o.jack("fxo1")
				time.Sleep(time.Second)
				if c.reverses {
					line.change(jack.Polarity)
					time.Sleep(150 * time.Millisecond)
				}
				line.say(callerid.NewSender(callerid.CallerID{Number: "5551234"}, callerid.Config{Standard: c.standard}))
				time.Sleep(2500 * time.Millisecond)
				line.change(jack.RingOn)
				if p := o.comes(1); p.in.Caller.Number != "5551234" {
					t.Errorf("caller %+v", p.in.Caller)
				}
			})
		})
	}
}

// TestIdleLineListens: where caller ID comes unannounced the line listens all
// the time, before, between and after calls, and not after the end.
func TestIdleLineListens(t *testing.T) {
	open(t, Config{Country: "nl"}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		time.Sleep(30 * time.Second)
		for n := 1; n <= 2; n++ {
			line.say(callerid.NewSender(callerid.CallerID{Number: "5551234"}, callerid.Config{Standard: callerid.DTMFD}))
			time.Sleep(2 * time.Second)
			line.change(jack.RingOn)
			p := o.comes(n)
			if p.in.Caller.Number != "5551234" {
				t.Errorf("call %d: caller %+v", n, p.in.Caller)
			}
			line.change(jack.RingOff)
			time.Sleep(10 * time.Second)
			o.is("fxo1", "idle")
		}
		line.say(callerid.NewSender(callerid.CallerID{Number: "5551234"}, callerid.Config{Standard: callerid.DTMFD}))
		time.Sleep(20 * time.Second) // no ring follows
		line.change(jack.RingOn)
		time.Sleep(2 * time.Second)
		line.change(jack.RingOff)
		time.Sleep(4 * time.Second)
		if p := o.comes(3); p.in.Caller.Number != "" {
			t.Errorf("a stale caller ID: %+v", p.in.Caller)
		}
		time.Sleep(10 * time.Second)
	})
}

func TestCallerGivesUp(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.rings(3, nil)
		p := o.comes(1)
		time.Sleep(1900 * time.Millisecond)
		p.saw()
		time.Sleep(200 * time.Millisecond)
		p.because(16, "the caller on line fxo1 hung up before the answer")
		if s := p.ended().Status; s != 487 {
			t.Errorf("status %d", s)
		}
		o.is("fxo1", "idle")
		p.Answer() // too late: an order to a leg that is over
		time.Sleep(time.Second)
		if line.now().OffHook {
			t.Error("answered a call that was over")
		}
	})
}

func TestOneShortBurstIsNoCall(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.change(jack.RingOn)
		time.Sleep(70 * time.Millisecond)
		line.change(jack.RingOff)
		time.Sleep(10 * time.Second)
		o.comes(0)
		o.is("fxo1", "idle")
	})
}

func TestGivesUpBeforeTheCallIsOffered(t *testing.T) {
	open(t, Config{Lines: []LineConfig{{FXO: FXO{CallerIDWait: 20 * time.Second}}}}, "fxo1", func(o *office) {
		o.jack("fxo1").rings(1, nil)
		time.Sleep(5 * time.Second)
		o.comes(0)
		o.is("fxo1", "idle")
		if s := o.status("fxo1"); len(s.Last) != 1 || s.Counts.Incoming != 1 {
			t.Errorf("report %+v", s)
		}
	})
}

func TestRefusedCallRingsOn(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		go line.rings(4, tells("5551234", ""))
		time.Sleep(5 * time.Second)
		p := o.comes(1)
		p.Hangup(leg.Rejected)
		p.saw("HungUp 21")
		o.is("fxo1", "ringing, refused")
		time.Sleep(10 * time.Second)
		o.comes(1) // not offered again
		if _, err := o.tryDial("5550100"); err == nil {
			t.Error("a line that rings was seized")
		}
		time.Sleep(20 * time.Second)
		o.is("fxo1", "idle")
		if line.now().OffHook {
			t.Error("a refused call was answered")
		}
	})
}

func TestAnswerAsTheCallerGivesUp(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.rings(1, tells("5551234", ""))
		p := o.comes(1)
		p.Answer()
		line.say(plays(us.Dial)) // nobody is there: the exchange takes it as our call
		time.Sleep(5 * time.Second)
		p.because(16, "dial tone")
		o.is("fxo1", "idle")
	})
}

func TestCardGoneWhileRinging(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.rings(1, tells("5551234", ""))
		p := o.comes(1)
		line.change(jack.Down)
		p.because(27, "line fxo1 (card1:fxo1 (/dev/ttyTEST)): the line card is gone: is it plugged in?")
		o.is("fxo1", "failed: the line card is gone: is it plugged in?")
		line.change(jack.Up)
		o.is("fxo1", "idle")
	})
}
