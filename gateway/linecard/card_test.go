package linecard

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/gateway/jack"
)

func TestTakenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, func(f *fakeCard, _ *Config) { f.mute = true })
		synctest.Wait()
		p := f.card.Port(1)
		if p.Kind() != jack.Unknown || p.Name() != "card1:1 (/dev/ttyFAKE)" {
			t.Errorf("before the card answers: %v %v", p.Kind(), p.Name())
		}
		early, none := attach(f, 1), attach(f, 4)
		f.set(func() { f.mute = false })
		wait(time.Second)
		f.expect("port 1", early.told(), "up")
		if s := early.state(); s != (jack.State{Present: true, Battery: true}) {
			t.Errorf("state %+v", s)
		}
		late := attach(f, 3)
		synctest.Wait()
		f.expect("port attached later", late.told(), "up")
		f.expect("port that the card does not have", none.told())
		if p.Kind() != jack.FXO || f.card.Port(3).Kind() != jack.FXS || f.card.Port(4).Kind() != jack.Unknown {
			t.Error("kinds are not those of HELLO")
		}
		i := f.card.Info()
		if !i.Up || i.Model != "fake" || i.Serial != "F1" || i.Version != "1.0" || len(i.Ports) != 3 || i.Problem != "" {
			t.Errorf("info %+v", i)
		}
		f.expect("the card", f.heard(""), "HELLO", "HELLO", "CONFIGURE") // the first was not answered
	})
}

func TestHelloIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, func(f *fakeCard, _ *Config) { f.mute = true })
		wait(3200 * time.Millisecond)
		if got := len(f.heard("HELLO")); got != 7 {
			t.Errorf("%d times HELLO in 3.2 s, want one each 500 ms", got)
		}
		if i := f.card.Info(); i.Up || !strings.Contains(i.Problem, "no answer") || f.logged("is it a Crosspoint line card") != 1 {
			t.Errorf("info %+v", i)
		}
		f.set(func() { f.mute = false })
		wait(500 * time.Millisecond)
		if i := f.card.Info(); !i.Up || i.Problem != "" {
			t.Errorf("info %+v", i)
		}
	})
}

func TestOtherMajorVersionIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, func(f *fakeCard, _ *Config) { f.hello.Major = 2 })
		r := attach(f, 1)
		wait(time.Second)
		i := f.card.Info()
		if i.Up || i.State != "refused" || !strings.Contains(i.Problem, "version 2.0") || !strings.Contains(i.Problem, "1.0") {
			t.Errorf("info %+v", i)
		}
		f.expect("port", r.told())
		f.set(func() { f.hello.Major = 1 }) // new firmware
		wait(5 * time.Second)
		f.expect("port", r.told(), "up")
	})
}

func TestUnusableCardIsRefused(t *testing.T) {
	for want, change := range map[string]func(*fakeCard, *Config){
		"sample rate is 16000 Hz": func(f *fakeCard, _ *Config) { f.hello.SampleRate = 16000 },
		"ticks of [10 20] ms":     func(_ *fakeCard, c *Config) { c.Tick = 5 * time.Millisecond },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t, change)
			wait(time.Second)
			if i := f.card.Info(); i.Up || !strings.Contains(i.Problem, want) {
				t.Errorf("info %+v, want %q", i, want)
			}
		})
	}
}

func TestOrdersAreRepeatedUntilAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		synctest.Wait()
		f.heard()
		f.set(func() { f.silent[TypeSet] = true })
		f.card.Port(1).SetHook(true)
		wait(320 * time.Millisecond) // 0, 150, 300 ms
		f.expect("order without answer", f.heard("SET"), "SET 1 0001 []", "SET 1 0001 []", "SET 1 0001 []")
		f.card.Port(2).SetHook(true) // another port does not wait for this one
		synctest.Wait()
		f.expect("another port", f.heard("SET"), "SET 2 0001 []")
		f.set(func() { f.silent[TypeSet] = false })
		wait(time.Second)
		f.expect("answered at last", f.heard("SET"), "SET 1 0001 []", "SET 2 0001 []")
		if n := f.card.Counters().Retransmits; n != 4 {
			t.Errorf("%d retransmits counted, want 4", n)
		}
	})
}

// TestNewestStateCounts: what waits behind an order without answer is
// replaced, but a flash stays between what was ordered before and after it.
func TestNewestStateCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		synctest.Wait()
		f.heard()
		f.set(func() { f.silent[TypeSet] = true })
		p := f.card.Port(1)
		p.SetHook(true)
		synctest.Wait()
		p.SetAudio(true)
		p.SetHook(false)
		p.SetHook(true)
		p.SetHook(true)
		p.FlashHook(600 * time.Millisecond)
		p.SetHook(false)
		p.SetAudio(false)
		f.set(func() { f.silent[TypeSet] = false })
		wait(time.Second)
		f.expect("orders", f.heard("SET", "FLASH"), "SET 1 0001 []", "SET 1 0001 []", "SET 1 1001 []", "FLASH 1 600ms", "SET 1 0000 []")
	})
}

func TestRingAndTripAndRingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 3)
		synctest.Wait()
		f.heard()
		p := f.card.Port(3)
		cadence := []time.Duration{2 * time.Second, 4 * time.Second}
		p.SetRing(true, cadence)
		p.SetRing(true, cadence) // repeated without harm
		synctest.Wait()
		f.event(3, 1, Event{What: WhatOffHook, State: Present | Battery | OffHook})
		f.event(3, 2, Event{What: WhatOnHook, State: Present | Battery})
		p.SetRing(true, cadence)
		p.SetReversed(true)
		p.DropLoop(300 * time.Millisecond)
		synctest.Wait()
		f.expect("orders", f.heard("SET", "DROP"), "SET 3 0010 [2s 4s]", "SET 3 0010 [2s 4s]", "SET 3 0110 [2s 4s]", "DROP 3 300ms")
		f.expect("changes", r.told(), "up", "off-hook", "on-hook")
	})
}

func TestOrdersToACardThatIsDownAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, func(f *fakeCard, _ *Config) { f.mute = true })
		f.card.Port(1).SetHook(true)
		wait(time.Second)
		f.set(func() { f.mute = false })
		wait(2 * time.Second)
		f.expect("orders", f.heard("SET"))
	})
}

func TestEventsInOrderOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 1)
		synctest.Wait()
		f.heard()
		f.event(1, 1, Event{What: WhatRingOn, State: Present | Battery | Ringing})
		f.event(1, 3, Event{What: WhatBatteryOff, State: Present}) // 2 is lost
		f.event(1, 2, Event{What: WhatRingOff, State: Present | Battery})
		f.event(1, 2, Event{What: WhatRingOff, State: Present | Battery})
		f.event(1, 3, Event{What: WhatBatteryOff, State: Present})
		f.event(1, 4, Event{What: WhatLoopDrop, State: Present | Battery | OffHook, Arg: 350})
		f.event(3, 5, Event{What: WhatPulse, State: Present | Battery | OffHook, Arg: 7})
		f.event(1, 6, Event{What: 99, State: Present | Battery}) // of a later version: acknowledged
		f.expect("changes", r.told(), "up", "ring on", "ring off", "battery off", "loop drop 350ms")
		f.expect("acks", f.heard("EVENT-ACK"), "EVENT-ACK 1", "EVENT-ACK 1", "EVENT-ACK 2", "EVENT-ACK 2", "EVENT-ACK 3", "EVENT-ACK 4", "EVENT-ACK 5", "EVENT-ACK 6")
		wait(time.Second)
		if got := f.heard("SNAPSHOT"); len(got) != 0 {
			t.Errorf("a gap that was filled asks for %v", got)
		}
	})
}

func TestEveryEventReachesItsHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 3)
		for seq, e := range []Event{
			{What: WhatOffHook}, {What: WhatFlash, Arg: 600}, {What: WhatPulse, Arg: 0}, {What: WhatOnHook},
			{What: WhatPolarity}, {What: WhatBatteryOn}, {What: WhatFault, State: Battery}, {What: WhatRepaired},
		} {
			if e.State == 0 {
				e.State = Present | Battery
			}
			synctest.Wait()
			f.event(3, uint16(seq+1), e)
		}
		f.expect("changes", r.told(), "up", "off-hook", "flash 600ms", "pulse digit 0", "on-hook", "polarity", "battery on", "fault", "up")
	})
}

func TestSnapshotFillsAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		fxo, fxs := attach(f, 1), attach(f, 3)
		synctest.Wait()
		f.heard()
		f.event(1, 5, Event{What: WhatRingOn, State: Present | Battery | Ringing}) // 1 to 4 never come
		wait(600 * time.Millisecond)
		f.expect("asked", f.heard("SNAPSHOT"), "SNAPSHOT-REQUEST")
		f.say(Snapshot{States: []State{Present | Battery | Ringing | Reversed, Present | Battery, Present | Battery | OffHook}}.Append(nil, 5))
		f.expect("FXO", fxo.told(), "up", "polarity", "ring on")
		f.expect("FXS", fxs.told(), "up", "off-hook")
		f.expect("acks", f.heard("EVENT-ACK"), "EVENT-ACK 5")
		f.say(Snapshot{States: []State{Present, Present, Present}}.Append(nil, 4)) // an old one
		f.event(1, 6, Event{What: WhatRingOff, State: Present | Battery | Reversed})
		f.expect("FXO", fxo.told(), "ring off")
	})
}

// TestLastEventLost: nothing follows that would show the gap, but PONG.
func TestLastEventLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		synctest.Wait()
		f.set(func() { f.last = 1 })
		wait(1700 * time.Millisecond)
		f.expect("asked", f.heard("SNAPSHOT"), "SNAPSHOT-REQUEST")
	})
}

func TestCardThatStartedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 1)
		synctest.Wait()
		f.card.Port(1).SetHook(true)
		wait(100 * time.Millisecond)
		f.heard()
		f.set(func() { f.hello.Boot = 78 })
		wait(1100 * time.Millisecond)
		f.expect("changes", r.told(), "up", "down", "up")
		f.expect("orders", f.heard("HELLO", "SET"), "HELLO") // and no order of before
		if f.logged("started anew") != 1 {
			t.Error("the log does not say why")
		}
	})
}

func TestNakWithoutSessionGreetsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 1)
		synctest.Wait()
		f.set(func() { f.silent[TypeSet] = true })
		f.card.Port(1).SetHook(true)
		synctest.Wait()
		f.say(Nak{Reason: ReasonNoSession}.Append(nil, 1, 1))
		f.expect("changes", r.told(), "up", "down", "up")
	})
}

func TestNakOfAnOrderIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		synctest.Wait()
		f.heard()
		f.set(func() { f.silent[TypeSet] = true })
		f.card.Port(1).SetHook(true)
		synctest.Wait()
		f.say(Nak{Reason: ReasonFault, Text: "fuse blown"}.Append(nil, 1, 1))
		wait(time.Second)
		f.expect("it is not repeated", f.heard("SET"), "SET 1 0001 []")
		if f.logged("port 1 refuses SET: port out of order fuse blown") != 1 {
			t.Error("the log does not say so")
		}
	})
}

func TestDeadCard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 1)
		wait(100 * time.Millisecond)
		f.set(func() { f.mute = true })
		wait(2500 * time.Millisecond)
		f.expect("still up", r.told(), "up")
		wait(1000 * time.Millisecond)
		f.expect("dead after 3 s", r.told(), "down")
		f.set(func() { f.mute = false })
		wait(time.Second)
		f.expect("opened again", r.told(), "up")
		if f.opens != 2 {
			t.Errorf("opened %d times", f.opens)
		}
	})
}

func TestUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 1)
		wait(100 * time.Millisecond)
		f.set(func() {
			f.conn.Close()
			f.fail = errors.New("no such device: is it plugged in?")
		})
		synctest.Wait()
		f.expect("at once", r.told(), "up", "down")
		wait(10 * time.Second)
		if n := f.logged("card card1 (/dev/ttyFAKE): no such device: is it plugged in?"); n != 1 || f.opens != 11 {
			t.Errorf("said %d times, tried %d times", n, f.opens)
		}
		if i := f.card.Info(); i.Problem != "no such device: is it plugged in?" {
			t.Errorf("info %+v", i)
		}
		f.set(func() { f.fail = nil })
		wait(time.Second)
		f.expect("plugged in again", r.told(), "up")
	})
}

func TestCloseSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		r := attach(f, 1)
		synctest.Wait()
		f.card.Port(1).SetHook(true)
		synctest.Wait()
		f.heard()
		start := time.Now()
		f.card.Close()
		f.expect("the card", f.heard(""), "BYE")
		f.expect("the handler", r.told(), "up", "down")
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("took %v", d)
		}
		f.card.Close()
		f.card.Port(1).SetHook(true)
	})
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		synctest.Wait()
		f.heard()
		f.set(func() { f.mute = true })
		start := time.Now()
		f.card.Close()
		if d := time.Since(start); d < 900*time.Millisecond || d > 1100*time.Millisecond {
			t.Errorf("took %v, want 1 s", d)
		}
		if got := len(f.heard("BYE")); got != 7 {
			t.Errorf("BYE %d times, want each 150 ms", got)
		}
	})
}

func TestCloseAtAnyMoment(t *testing.T) {
	for _, d := range []time.Duration{0, time.Millisecond, 600 * time.Millisecond, 4 * time.Second} {
		for name, change := range map[string]func(*fakeCard, *Config){
			"up":       func(*fakeCard, *Config) {},
			"greeting": func(f *fakeCard, _ *Config) { f.mute = true },
			"refused":  func(f *fakeCard, _ *Config) { f.hello.Major = 9 },
			"closed":   func(f *fakeCard, _ *Config) { f.fail = errors.New("no such device") },
		} {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(t, change)
				wait(d)
				f.card.Close()
				if s := f.card.Info().State; s != "closed" {
					t.Errorf("%s, after %v: %s", name, d, s)
				}
			})
		}
	}
}

// TestCloseWhileOpening: a device whose opening takes for ever holds up
// nobody, and is closed when it opens at last.
func TestCloseWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := make(chan struct{})
		v := newValve(1)
		c := New(Config{Name: "slow", Open: func() (io.ReadWriteCloser, error) { <-opened; return v, nil }})
		wait(time.Second)
		c.Close()
		close(opened)
		synctest.Wait()
		if !v.closed {
			t.Error("left open")
		}
	})
}

// TestGarbageHarmsNobody: whole frames of every type with anything in them.
func TestGarbageHarmsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		attach(f, 1)
		attach(f, 32)
		synctest.Wait()
		f.card.Port(1).SetAudio(true)
		rng := rand.New(rand.NewPCG(1, 2))
		types := []Type{TypeHello, TypePing, TypePong, TypeEvent, TypeEventAck, TypeSnapshot, TypeReport,
			TypeSet, TypeAck, TypeNak, TypeMedia, 0, 0x7e, 0xff}
		for range 5000 {
			b := Header{Type: types[rng.IntN(len(types))], Port: uint8(rng.IntN(40)), Seq: uint16(rng.IntN(6))}.Append(nil)
			if b[0] == byte(TypeHello) && rng.IntN(2) == 0 {
				b = append(b, Magic...)
				b = append(b, Major)
			}
			for range rng.IntN(60) {
				b = append(b, byte(rng.Uint32()))
			}
			f.mu.Lock()
			conn := f.conn
			f.mu.Unlock()
			conn.Write(AppendFrame(nil, b))
		}
		wait(10 * time.Second)
		if i := f.card.Info(); !i.Up {
			t.Errorf("afterwards: %+v", i)
		}
	})
}
