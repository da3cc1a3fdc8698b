package gateway

import (
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/media"
)

// burst is one ring.
func (j *fakeJack) burst(d time.Duration) {
	j.change(jack.RingOn)
	time.Sleep(d)
	j.change(jack.RingOff)
}

// ntt is what a Japanese exchange says to a line that answers its activation.
func ntt(id callerid.CallerID) media.Source {
	return callerid.NewSender(id, callerid.Config{Standard: callerid.NTT})
}

// activates rings as a Japanese exchange does before a call, and says what it
// has to say half a second after the primary answer.
func (j *fakeJack) activates(says media.Source) {
	j.change(jack.Polarity)
	time.Sleep(150 * time.Millisecond)
	j.burst(500 * time.Millisecond)
	time.Sleep(200 * time.Millisecond)
	if !j.now().OffHook {
		j.t.Error("no primary answer")
	}
	j.say(says)
}

func TestPrimaryAnswer(t *testing.T) {
	open(t, Config{Country: "jp"}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.activates(ntt(callerid.CallerID{Number: "0312345678"}))
		o.is("fxo1", "ringing, takes the caller ID")
		if _, err := o.tryDial("5550100"); err == nil {
			t.Error("a line that takes a caller ID was seized")
		}
		time.Sleep(time.Second)
		o.comes(0) // not before it rings
		if s := line.now(); s.OffHook {
			t.Error("off-hook though the message is over")
		}
		line.change(jack.RingOn)
		p := o.comes(1)
		if p.in.Caller != (leg.Party{Number: "0312345678"}) {
			t.Errorf("caller %+v", p.in.Caller)
		}
		time.Sleep(time.Second)
		line.change(jack.RingOff)
		if s := o.status("fxo1"); line.now().OffHook || s.Counts.Answered != 0 {
			t.Errorf("answered by nobody: %+v", s)
		}
		p.Answer()
		time.Sleep(100 * time.Millisecond)
		line.change(jack.Polarity) // restored by the answer
		time.Sleep(2 * time.Second)
		p.Hangup(leg.NormalClearing)
		p.saw("HungUp 16")
		p.draws(`
			fxo1  -> b2bua activation
			b2bua -> fxo1  off-hook for caller ID
			fxo1  -> b2bua caller ID 0312345678
			b2bua -> fxo1  on-hook
			fxo1  -> b2bua ring
			b2bua -> fxo1  off-hook
			b2bua -> fxo1  on-hook`)
	})
}

// TestPrimaryAnswerWithout: each reason for which no number is told, and what
// can go wrong. Whatever it is, the call is offered as it rings, and is not
// taken for answered.
func TestPrimaryAnswerWithout(t *testing.T) {
	damaged := callerid.Message(callerid.CallerID{Number: "0312345678"}, callerid.Config{Standard: callerid.NTT})
	damaged[9] ^= 1
	cut := callerid.Message(callerid.CallerID{Number: "0312345678"}, callerid.Config{Standard: callerid.NTT})[:12]
	message := func(octets []byte) media.Source {
		return callerid.NewMessageSender(octets, callerid.Config{Standard: callerid.NTT})
	}
	for name, c := range map[string]struct {
		says  media.Source
		takes time.Duration // off-hook, at the most
		want  leg.Party
		told  string
	}{
		"private":          {ntt(callerid.CallerID{NumberAbsent: callerid.Private}), time.Second, leg.Party{Withheld: true}, "caller ID withheld"},
		"unavailable":      {ntt(callerid.CallerID{NumberAbsent: callerid.Unavailable}), time.Second, leg.Party{}, "caller ID unavailable"},
		"public telephone": {ntt(callerid.CallerID{NumberAbsent: callerid.Payphone}), time.Second, leg.Party{}, "caller ID public telephone"},
		"service conflict": {ntt(callerid.CallerID{NumberAbsent: callerid.ServiceConflict}), time.Second, leg.Party{}, "caller ID service conflict"},
		"wrong CRC":        {message(damaged), time.Second, leg.Party{}, ""},
		"cut short":        {message(cut), messageWait, leg.Party{}, ""},
		"silence":          {nil, messageWait, leg.Party{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			open(t, Config{Country: "jp"}, "fxo1", func(o *office) {
				line := o.jack("fxo1")
				line.activates(c.says)
				time.Sleep(c.takes)
				if line.now().OffHook {
					t.Fatalf("off-hook after %v", c.takes)
				}
				o.comes(0)
				time.Sleep(500 * time.Millisecond)
				line.change(jack.RingOn)
				p := o.comes(1)
				if p.in.Caller != c.want {
					t.Errorf("caller %+v", p.in.Caller)
				}
				told, missing := c.told, uint64(0)
				want := "fxo1 -> b2bua activation\nb2bua -> fxo1 off-hook for caller ID\n"
				if told != "" {
					want += "fxo1 -> b2bua " + told + "\nb2bua -> fxo1 on-hook\nfxo1 -> b2bua ring"
				} else {
					want += "b2bua -> fxo1 on-hook\nfxo1 -> b2bua ring\nfxo1 -> b2bua no caller ID"
					missing = 1
				}
				p.draws(want)
				if n := o.status("fxo1").Counts.NoCallerID; uint64(n) != missing {
					t.Errorf("%d calls without caller ID", n)
				}
				time.Sleep(time.Second)
				line.change(jack.RingOff)
				time.Sleep(8 * time.Second)
				p.because(16, "hung up before the answer")
			})
		})
	}
}

// TestRingWithoutActivation: a ring of a second is a call without caller ID,
// offered at once.
func TestRingWithoutActivation(t *testing.T) {
	open(t, Config{Country: "jp"}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.change(jack.RingOn)
		time.Sleep(600 * time.Millisecond)
		o.comes(0)
		time.Sleep(300 * time.Millisecond)
		p := o.comes(1)
		if p.in.Caller != (leg.Party{}) || line.now().OffHook {
			t.Errorf("caller %+v, %v", p.in.Caller, line)
		}
		time.Sleep(100 * time.Millisecond)
		line.change(jack.RingOff)
		p.Answer()
		time.Sleep(time.Second)
		o.is("fxo1", "talking with unknown")
		p.Hangup(leg.NormalClearing)
		p.draws(`
			fxo1  -> b2bua ring
			b2bua -> fxo1  off-hook
			b2bua -> fxo1  on-hook`)
	})
}

// TestActivationWithoutRing: the caller gives up before it rings; nobody is
// offered a call, and a short click is none at all.
func TestActivationWithoutRing(t *testing.T) {
	open(t, Config{Country: "jp"}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.activates(ntt(callerid.CallerID{Number: "0312345678"}))
		time.Sleep(10 * time.Second)
		o.comes(0)
		o.is("fxo1", "idle")
		if s := o.status("fxo1"); len(s.Last) != 1 || s.Counts.Incoming != 1 || s.Counts.Answered != 0 {
			t.Errorf("%+v", s)
		}
		line.burst(80 * time.Millisecond)
		time.Sleep(10 * time.Second)
		o.comes(0)
		o.is("fxo1", "idle")
		if line.now().OffHook {
			t.Error("off-hook")
		}
	})
}

// TestPrimaryAnswerTooLate: the exchange has not seen us go off-hook and rings
// the bell: the line is put down and the call offered.
func TestPrimaryAnswerTooLate(t *testing.T) {
	open(t, Config{Country: "jp"}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.activates(nil)
		for range 3 { // it goes on
			time.Sleep(300 * time.Millisecond)
			line.burst(500 * time.Millisecond)
		}
		o.comes(0)
		line.change(jack.RingOn)
		time.Sleep(900 * time.Millisecond)
		p := o.comes(1)
		if line.now().OffHook {
			t.Error("still off-hook")
		}
		line.change(jack.Down) // and whatever happens next, it is over
		p.because(27, "the line card is gone")
	})
}

// TestActivationUnheeded: a line that does not wait for caller ID stays on-hook
// for it.
func TestActivationUnheeded(t *testing.T) {
	open(t, Config{Country: "jp", Lines: []LineConfig{{FXO: FXO{CallerIDWait: -1}}}}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.burst(500 * time.Millisecond)
		time.Sleep(200 * time.Millisecond)
		o.comes(1)
		if line.now().OffHook {
			t.Error("off-hook though nobody waits for caller ID")
		}
	})
}
