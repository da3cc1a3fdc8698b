package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
)

// rhythm is the cadence of the last ringing.
func (j *fakeJack) rhythm() []time.Duration { j.mu.Lock(); defer j.mu.Unlock(); return j.cadence }

// activated rings a Japanese telephone until the activation signal is on.
func (o *office) activated(from leg.Party) (*party, *fakeJack) {
	o.t.Helper()
	phone := o.jack("fxs1")
	p := o.ring("fxs1", from)
	time.Sleep(50 * time.Millisecond)
	if s := phone.now(); s.Ringing || !s.Reversed {
		o.t.Errorf("%+v at first", s)
	}
	time.Sleep(300 * time.Millisecond)
	if s := phone.now(); !s.Ringing || phone.rhythm()[0] != callerid.ActivationBurst {
		o.t.Errorf("%+v, cadence %v", s, phone.rhythm())
	}
	return p, phone
}

func TestPhoneGivesPrimaryAnswer(t *testing.T) {
	open(t, Config{Country: "jp"}, "fxs1", func(o *office) {
		p, phone := o.activated(leg.Party{Number: "0312345678"})
		phone.change(jack.OffHook)
		time.Sleep(1500 * time.Millisecond)
		p.saw("Ringing") // nobody has answered
		if id, ok := callerid.NewReceiver().Receive(phone.recent(1500 * time.Millisecond)); !ok || id.Number != "0312345678" {
			t.Errorf("caller ID %+v", id)
		}
		phone.change(jack.OnHook)
		synctest.Wait()
		if s := phone.now(); !s.Ringing || phone.rhythm()[0] != time.Second || phone.audioOn() {
			t.Errorf("%+v, cadence %v", s, phone.rhythm())
		}
		p.saw("Ringing")
		time.Sleep(3 * time.Second)
		phone.change(jack.OffHook)
		p.saw("Ringing", "Answered")
		if phone.now().Reversed {
			t.Error("still reversed")
		}
		phone.change(jack.OnHook)
		p.draws(`
			b2bua -> fxs1  activation
			fxs1  -> b2bua off-hook
			b2bua -> fxs1  caller ID 0312345678
			fxs1  -> b2bua on-hook
			b2bua -> fxs1  ring
			fxs1  -> b2bua off-hook
			fxs1  -> b2bua on-hook`)
	})
}

// TestPhoneWithoutPrimaryAnswer: it rings after 6 s, and lifting it is the answer.
func TestPhoneWithoutPrimaryAnswer(t *testing.T) {
	open(t, Config{Country: "jp"}, "fxs1", func(o *office) {
		p, phone := o.activated(leg.Party{Withheld: true})
		time.Sleep(callerid.ActivationLimit)
		if s := phone.now(); !s.Ringing || phone.rhythm()[0] != time.Second {
			t.Errorf("%+v, cadence %v", s, phone.rhythm())
		}
		p.saw("Ringing")
		phone.change(jack.OffHook)
		p.saw("Ringing", "Answered")
	})
}

// TestSomebodyAnswersTheActivation: a telephone that is not put down after the
// message was lifted by somebody.
func TestSomebodyAnswersTheActivation(t *testing.T) {
	open(t, Config{Country: "jp"}, "fxs1", func(o *office) {
		p, phone := o.activated(leg.Party{Number: "0312345678"})
		phone.change(jack.OffHook)
		time.Sleep(callerid.CompletionLimit - time.Second)
		p.saw("Ringing")
		time.Sleep(2 * time.Second)
		p.saw("Ringing", "Answered")
		if !phone.audioOn() || phone.now().Reversed {
			t.Errorf("%v", phone)
		}
	})
}

// TestJapaneseRingingIsCancelled at each moment.
func TestJapaneseRingingIsCancelled(t *testing.T) {
	for d := time.Duration(0); d < 4*time.Second; d += 250 * time.Millisecond {
		open(t, Config{Country: "jp"}, "fxs1", func(o *office) {
			phone := o.jack("fxs1")
			p := o.ring("fxs1", leg.Party{Number: "0312345678"})
			go func() { // a telephone with display
				time.Sleep(500 * time.Millisecond)
				if phone.now().Ringing {
					phone.change(jack.OffHook)
					time.Sleep(2 * time.Second)
					phone.change(jack.OnHook)
				}
			}()
			time.Sleep(d)
			p.Hangup(leg.Cancelled)
			p.saw("Ringing", "HungUp 16")
			time.Sleep(5 * time.Second)
			if s := phone.now(); s.Ringing || s.Reversed {
				t.Errorf("cancelled after %v: %+v", d, s)
			}
			o.is("fxs1", "idle")
		})
	}
}

// TestJapaneseTelephoneIsRungBack for a held call: its primary answer takes
// nothing back, and the ringing that nobody answers ends.
func TestJapaneseTelephoneIsRungBack(t *testing.T) {
	open(t, Config{Country: "jp"}, "fxs1", func(o *office) {
		phone := o.jack("fxs1")
		first, second := o.talks(), o.waits(leg.Party{Number: "0312345678"})
		time.Sleep(time.Second)
		o.flash()
		time.Sleep(time.Second)
		phone.change(jack.OnHook)
		second.because(16, "was hung up")
		time.Sleep(400 * time.Millisecond)
		if s := phone.now(); !s.Ringing || phone.rhythm()[0] != callerid.ActivationBurst {
			t.Errorf("%+v, cadence %v", s, phone.rhythm())
		}
		phone.change(jack.OffHook)
		time.Sleep(2 * time.Second)
		phone.change(jack.OnHook)
		time.Sleep(29 * time.Second)
		first.saw("Ringing", "Answered", "Held")
		time.Sleep(2 * time.Second)
		first.because(19, "with the call on hold")
		o.is("fxs1", "idle")
	})
}
