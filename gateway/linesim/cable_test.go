package linesim_test

import (
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/linesim"
	"crosspoint/media/measure"
)

func withFlash(bounds [2]time.Duration) func(*linecard.Config) {
	return func(c *linecard.Config) { c.Timing = linecard.Timing{FlashMin: bounds[0], FlashMax: bounds[1]} }
}

// talking has port 1 in a call with the echo, at an age of about 4 s.
func talking(t *testing.T, cfg linesim.Config, change ...func(*linecard.Config)) (*host, *user) {
	h := start(t, cfg, change...)
	u := dialed(h, "5550103")
	wait(2 * time.Second)
	if st := h.sim.Town().Line("fxo1").Status(); st.State != "talking" {
		t.Fatalf("line is %+v", st)
	}
	return h, u
}

func TestUnplugAndReplug(t *testing.T) {
	for _, self := range []bool{false, true} {
		fake(t, func(t *testing.T) {
			h, u := talking(t, linesim.Config{Cards: []linesim.CardConfig{{FXO: 2, FXS: 2, SelfPowered: self}}})
			u.forget()
			h.sim.Card(1).Unplug(6 * time.Second)
			wait(time.Second)
			if got := u.whats(); !slices.Equal(got, []jack.What{jack.Down}) {
				t.Errorf("reported %v", got)
			}
			if held := h.sim.Town().Line("fxo1").Status().OffHook; held != self {
				t.Errorf("after a second without a cable, self-powered %v, the line is held: %v", self, held)
			}
			wait(3 * time.Second) // the watchdog's at the latest
			if h.sim.Town().Line("fxo1").Status().OffHook {
				t.Error("the line is still held")
			}
			wait(4 * time.Second)
			if got := u.whats(); !slices.Equal(got, []jack.What{jack.Down, jack.Up}) {
				t.Errorf("reported %v", got)
			}
			if call, _ := h.sim.Town().LastCall("5550103"); call.Why != "line hung up" {
				t.Errorf("call %+v", call)
			}
			u.port.SetHook(true) // and it works
			wait(time.Second)
			if st := h.sim.Town().Line("fxo1").Status(); st.State != "dial tone" {
				t.Errorf("line %+v", st)
			}
		})
	}
}

func TestCardReboots(t *testing.T) {
	fake(t, func(t *testing.T) {
		h, u := talking(t, linesim.Config{})
		u.forget()
		h.sim.Card(1).Reboot()
		wait(2 * time.Second)
		if got := u.whats(); !slices.Equal(got, []jack.What{jack.Down, jack.Up}) {
			t.Errorf("reported %v", got)
		}
		if n := h.card.Counters().Sessions; n != 2 {
			t.Errorf("%d sessions", n)
		}
	})
}

// TestWatchdog: a host that holds the cable and says nothing.
func TestWatchdog(t *testing.T) {
	fake(t, func(t *testing.T) {
		sim, err := linesim.New(linesim.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		rw, err := sim.Card(1).Open()
		if err != nil {
			t.Fatal(err)
		}
		defer rw.Close()
		go func() { // ends as rw is closed
			buf := make([]byte, 4096)
			for {
				if _, err := rw.Read(buf); err != nil {
					return
				}
			}
		}()
		say := func(content []byte) { rw.Write(linecard.AppendFrame(nil, content)) }
		say(linecard.HostHello{Major: 1, Session: 5}.Append(nil))
		say(linecard.Set{Want: linecard.WantOffHook | linecard.WantAudio}.Append(nil, 1, 1))
		sim.Phone("fxs1").OffHook()
		wait(2 * time.Second)
		if !sim.Town().Line("fxo1").Status().OffHook {
			t.Fatal("the line was not seized")
		}
		wait(1500 * time.Millisecond)
		if st := sim.Town().Line("fxo1").Status(); st.OffHook || st.State != "idle" {
			t.Errorf("3.5 s without a host: %+v", st)
		}
		if st := sim.Card(1).Status(); st.Session || st.Watchdogs != 1 {
			t.Errorf("card %+v", st)
		}
		wait(3 * time.Second)
		if got := sim.Phone("fxs1").Status().Hears; got != "congestion tone" {
			t.Errorf("the telephone hears %q, want reorder tone", got)
		}
	})
}

func TestCloseLeavesLinesOnHook(t *testing.T) {
	fake(t, func(t *testing.T) {
		h, _ := talking(t, linesim.Config{})
		h.card.Close()
		wait(300 * time.Millisecond)
		if st := h.sim.Town().Line("fxo1").Status(); st.OffHook || st.State != "idle" {
			t.Errorf("%+v", st)
		}
		if st := h.sim.Card(1).Status(); st.Session || st.Watchdogs != 0 {
			t.Errorf("card %+v", st)
		}
	})
}

// TestBitErrors: at 1e-4 the audio crackles, and everything else works.
func TestBitErrors(t *testing.T) {
	for _, tick := range []time.Duration{20 * time.Millisecond, 10 * time.Millisecond} {
		fake(t, func(t *testing.T) {
			h := start(t, linesim.Config{}, func(c *linecard.Config) { c.Tick = tick })
			wait(100 * time.Millisecond)
			h.sim.Card(1).Impair(linesim.Impairment{BitErrors: 1e-4, LostBytes: 1e-5})
			line := h.sim.Town().Line("fxo1")
			u := h.line[1]
			for range 15 {
				u.off()
				wait(time.Second)
				u.dial("5550103")
				wait(4 * time.Second)
				if st := line.Status(); st.State != "talking" || st.Dialed != "5550103" {
					t.Errorf("line is %+v", st)
				}
				line.HangUp()
				wait(time.Second)
				if _, ok := u.saw(jack.LoopDrop); !ok {
					t.Error("the loop drop was lost")
				}
				u.port.SetHook(false)
				u.port.SetAudio(false)
				wait(time.Second)
				if line.Status().OffHook {
					t.Error("left off-hook")
				}
				if _, ok := u.saw(jack.Down); ok {
					t.Fatal("the card was given up")
				}
				u.forget()
			}
			c, s := h.card.Counters(), h.sim.Card(1).Status()
			if c.Sessions != 1 || s.Watchdogs != 0 || c.BadFCS < 50 || s.BadFCS < 50 || c.DamagedTicks < 50 {
				t.Errorf("host %+v\ncard %+v", c, s)
			}
			if lost := float64(c.LostTicks) / float64(c.MediaIn); lost > 0.05 {
				t.Errorf("%.1f %% of all ticks lost: damaged ones are to be used", 100*lost)
			}
		})
	}
}

// TestTalkOverABadCable: what is left of the audio at 1e-4.
func TestTalkOverABadCable(t *testing.T) {
	fake(t, func(t *testing.T) {
		h, u := talking(t, linesim.Config{Subscribers: []linesim.Subscriber{{Number: "5550103"}}})
		h.sim.Card(1).Impair(linesim.Impairment{BitErrors: 1e-4})
		sent := make([]int16, 20*8000)
		measure.NewSignal(4, -15).Read(sent)
		u.say(sent)
		wait(21 * time.Second)
		call, _ := h.sim.Town().LastCall("5550103")
		r := measure.Compare(sent, call.Heard)
		if !r.Heard() || r.Median < 33 || float64(r.Lost) > 0.06*float64(r.Segments) {
			t.Errorf("%+v", r)
		}
	})
}

// TestSkewedClock: the card's clock is the line's time, and a bad crystal costs
// nothing.
func TestSkewedClock(t *testing.T) {
	for _, ppm := range []float64{-200, 200} {
		fake(t, func(t *testing.T) {
			h, u := talking(t, linesim.Config{Cards: []linesim.CardConfig{{SkewPPM: ppm}}})
			before := h.sim.Card(1).Status().Clock
			at := time.Now()
			u.forget()
			wait(time.Minute)
			got := float64(h.sim.Card(1).Status().Clock - before)
			want := time.Since(at).Seconds() * 8000 * (1 + ppm*1e-6)
			if got < want-170 || got > want+170 {
				t.Errorf("%v ppm: %v samples in a minute, want %v", ppm, got, want)
			}
			c, s := h.card.Counters(), h.sim.Card(1).Status()
			if c.LostTicks != 0 || s.Missing != 0 || s.Late != 0 {
				t.Errorf("host %+v\ncard %+v", c, s)
			}
			u.mu.Lock()
			defer u.mu.Unlock()
			for i := 1; i < len(u.clocks); i++ {
				if u.clocks[i] != u.clocks[i-1]+160 {
					t.Fatalf("tick %d at %d after %d", i, u.clocks[i], u.clocks[i-1])
				}
			}
		})
	}
}

// TestManyPorts: 32 ports busy for 20 s.
func TestManyPorts(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Cards: []linesim.CardConfig{{FXO: 16, FXS: 16}}})
		wait(100 * time.Millisecond)
		for n := 1; n <= 32; n++ {
			p := h.card.Port(n)
			if n > 4 {
				p.Attach(&user{port: p, keys: h.line[1].keys})
			}
			p.SetAudio(true)
		}
		wait(20 * time.Second)
		c, s := h.card.Counters(), h.sim.Card(1).Status()
		if c.LostTicks+c.DroppedTicks+c.BadFCS+c.Retransmits != 0 || s.Missing+s.Late+s.Dropped != 0 || c.MediaOut < 990 {
			t.Errorf("host %+v\ncard %+v", c, s)
		}
	})
}

// TestTwoCards share one town.
func TestTwoCards(t *testing.T) {
	fake(t, func(t *testing.T) {
		sim, err := linesim.New(linesim.Config{Cards: []linesim.CardConfig{{FXO: 1}, {FXO: 1, FXS: 1, SkewPPM: 100}}})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		var users []*user
		for n := range 2 {
			card := linecard.New(linecard.Config{Name: sim.Card(n + 1).Name(), Open: sim.Card(n + 1).Open, Log: slog.New(slog.DiscardHandler)})
			defer card.Close()
			u := &user{port: card.Port(1), keys: keypad()}
			u.port.Attach(u)
			users = append(users, u)
		}
		wait(100 * time.Millisecond)
		users[0].off()
		wait(time.Second)
		users[0].dial("5552002")
		wait(5 * time.Second)
		if _, ok := users[1].saw(jack.RingOn); !ok {
			t.Error("the second card's line does not ring")
		}
		users[1].off()
		wait(time.Second)
		sent := make([]int16, 5*8000)
		measure.NewSignal(5, -15).Read(sent)
		users[0].say(sent)
		wait(6 * time.Second)
		if r := measure.Compare(sent, users[1].recording()); r.SNR < 28 || r.Slips > 1 {
			t.Errorf("from card to card: %+v", r)
		}
	})
}

// TestGarbageFromTheHost: a card outlives whatever is sent to it.
func TestGarbageFromTheHost(t *testing.T) {
	fake(t, func(t *testing.T) {
		sim, err := linesim.New(linesim.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		rw, err := sim.Card(1).Open()
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, rw) // ends as rw is closed
		defer rw.Close()
		rw.Write(linecard.AppendFrame(nil, linecard.HostHello{Major: 1, Session: 5}.Append(nil)))
		rng := rand.New(rand.NewPCG(1, 2))
		types := []linecard.Type{linecard.TypeHello, linecard.TypePing, linecard.TypeEventAck, linecard.TypeSet, linecard.TypeFlash,
			linecard.TypeDrop, linecard.TypeConfigure, linecard.TypeTiming, linecard.TypeMedia, linecard.TypeSnapshotRequest, 0x1f}
		for i := range 5000 {
			b := linecard.Header{Type: types[rng.IntN(len(types))], Port: uint8(rng.IntN(6)), Seq: uint16(i)}.Append(nil)
			for range rng.IntN(40) {
				b = append(b, byte(rng.Uint32()))
			}
			rw.Write(linecard.AppendFrame(nil, b))
			if i%50 == 0 {
				time.Sleep(20 * time.Millisecond)
			}
		}
		card := linecard.New(linecard.Config{Name: "card1", Open: sim.Card(1).Open, Log: slog.New(slog.DiscardHandler)})
		defer card.Close()
		wait(time.Second)
		if i := card.Info(); !i.Up {
			t.Errorf("afterwards: %+v", i)
		}
	})
}
