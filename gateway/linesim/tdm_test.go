package linesim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/gateway/linesim"
	"crosspoint/internal/tomlfile"
)

// spanHost is a host on a card with these timeslots, which it has told of them.
func spanHost(t *testing.T, slots ...linesim.TimeslotConfig) *host {
	t.Helper()
	h := start(t, linesim.Config{Cards: []linesim.CardConfig{{Timeslots: slots}}, Phones: []linesim.PhoneConfig{},
		Subscribers: []linesim.Subscriber{{Number: "3"}, {Number: "21", Answer: time.Second}}})
	for i, s := range slots {
		sig := map[linesim.Signalling]jack.Signalling{
			linesim.FXOLoopStart: jack.FXOLoop, linesim.FXOGroundStart: jack.FXOGround,
			linesim.FXSLoopStart: jack.FXSLoop, linesim.FXSGroundStart: jack.FXSGround}[s.Signalling]
		if sig == 0 {
			sig = jack.EM
		}
		h.slot(i + 1).SetSignalling(sig)
	}
	wait(time.Second)
	for n := range slots {
		h.line[n+1].forget()
	}
	return h
}

func (h *host) slot(n int) jack.Timeslot { return h.card.Port(n).(jack.Timeslot) }

// saw compares what a port reported since the last forget.
func (h *host) saw(n int, want ...jack.What) {
	h.t.Helper()
	if got := h.line[n].whats(); !slices.Equal(got, want) {
		h.t.Errorf("port %d reported %v, want %v", n, got, want)
	}
	h.line[n].forget()
}

// TestTrunkFirmware: a trunk's hook, winks and pulses, each way.
func TestTrunkFirmware(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := spanHost(t, linesim.TimeslotConfig{}, linesim.TimeslotConfig{Pulse: true})
		far := h.sim.Town().Line("tdm1")
		// Out: seizure, wink, a digit by pulses, answer, release.
		h.slot(1).SetHook(true)
		wait(time.Second)
		wink, _ := h.line[1].saw(jack.OnHook)
		if wink.For < 190*time.Millisecond || wink.For > 210*time.Millisecond {
			t.Errorf("a wink of %v", wink.For)
		}
		h.saw(1, jack.OffHook, jack.OnHook)
		for range 3 {
			h.slot(1).FlashHook(60 * time.Millisecond)
			wait(100 * time.Millisecond)
		}
		wait(5 * time.Second)
		if st := far.Status(); st.Dialed != "3" || st.State != "talking" {
			t.Errorf("the far end is %+v", st)
		}
		h.saw(1, jack.OffHook)
		h.slot(1).SetHook(false)
		wait(time.Second)
		h.saw(1, jack.OnHook)
		if st := far.Status(); st.State != "idle" {
			t.Errorf("the far end is %+v", st)
		}
		// In: seizure, our wink, its pulses, our answer, its release.
		if err := h.sim.Town().Ring("tdm2", linesim.Subscriber{Number: "5551234", Dials: "20"}); err != nil {
			t.Fatal(err)
		}
		wait(200 * time.Millisecond)
		h.saw(2, jack.OffHook)
		h.slot(2).FlashHook(200 * time.Millisecond)
		wait(5 * time.Second)
		if ch, _ := h.line[2].saw(jack.Pulse); ch.Digit != '2' {
			t.Errorf("digit %c", ch.Digit)
		}
		h.saw(2, jack.Pulse, jack.Pulse)
		h.slot(2).SetHook(true)
		wait(10 * time.Second)
		h.sim.Town().Line("tdm2").HangUp()
		wait(time.Second)
		if ch, ok := h.line[2].saw(jack.OnHook); !ok || ch.For < 14*time.Second {
			t.Errorf("released after %v", ch.For)
		}
		h.slot(2).SetHook(false)
		// Blocking is a steady off-hook.
		h.slot(1).SetBlocked(true)
		wait(time.Second)
		if !far.Status().OffHook {
			t.Error("the far end does not see that the timeslot is blocked")
		}
		h.slot(1).SetBlocked(false)
		// What a trunk can't do is refused.
		before := h.card.Counters().Naks
		h.slot(1).DropLoop(time.Second)
		h.slot(1).SetRing(true, bell)
		wait(time.Second)
		if n := h.card.Counters().Naks - before; n != 2 {
			t.Errorf("%d orders refused", n)
		}
	})
}

// TestTrunkWithoutWink: the far end of a seizure that nobody winks at gives up.
func TestTrunkWithoutWink(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := spanHost(t, linesim.TimeslotConfig{})
		h.sim.Town().Ring("tdm1", linesim.Subscriber{Number: "5551234", Dials: "101"})
		wait(6 * time.Second)
		if rec, _ := h.sim.Town().LastCall("5551234"); rec.Why != "no wink" {
			t.Errorf("the call ended: %q", rec.Why)
		}
		h.saw(1, jack.OffHook, jack.OnHook)
		if err := h.sim.Town().Ring("tdm1", linesim.Subscriber{Number: "5551234", Dials: "10a"}); err == nil {
			t.Error("a letter was dialled")
		}
	})
}

// TestGroundStart: both ends confirm a seizure, and tell the release.
func TestGroundStart(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := spanHost(t, linesim.TimeslotConfig{Signalling: linesim.FXOGroundStart}, linesim.TimeslotConfig{Signalling: linesim.FXSGroundStart})
		line, phone := h.sim.Town().Line("fxo1"), h.sim.Phone("fxs1")
		// Tip ground that goes after our release is no ring.
		h.slot(1).SetHook(true)
		wait(time.Second)
		h.slot(1).SetHook(false)
		wait(time.Second)
		h.saw(1, jack.OffHook)
		// The exchange notices our seizure, and tells its release.
		h.line[1].off()
		wait(time.Second)
		h.saw(1, jack.OffHook)
		h.line[1].dial("3")
		wait(7 * time.Second)
		if st := line.Status(); st.State != "talking" {
			t.Errorf("the line is %+v", st)
		}
		line.HangUp()
		wait(time.Second)
		if ch, ok := h.line[1].saw(jack.LoopDrop); !ok || ch.For != 0 {
			t.Errorf("release: %v, %v", ok, ch)
		}
		h.slot(1).SetHook(false)
		h.slot(1).SetAudio(false)
		h.line[1].forget()
		wait(2 * time.Second)
		h.saw(1)
		// A call in is known by tip ground.
		h.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "5551234"})
		wait(120 * time.Millisecond)
		h.saw(1, jack.RingOn)
		h.slot(1).SetHook(true)
		wait(time.Second)
		if st := line.Status(); st.State != "talking" {
			t.Errorf("the line is %+v", st)
		}
		h.slot(1).SetHook(false)
		h.line[1].forget()
		wait(time.Second)
		h.saw(1)
		// A private exchange seizes, and is released.
		phone.OffHook()
		wait(time.Second)
		h.saw(2, jack.OffHook)
		h.slot(2).DropLoop(500 * time.Millisecond)
		wait(3 * time.Second)
		h.saw(2, jack.OnHook)
		if phone.Status().OffHook {
			t.Error("the private exchange keeps the line")
		}
		// And is called.
		h.slot(2).SetRing(true, []time.Duration{2 * time.Second, 4 * time.Second})
		wait(5 * time.Second)
		if !phone.Status().Ringing {
			t.Error("it is not rung")
		}
		phone.OffHook()
		wait(time.Second)
		h.saw(2, jack.OffHook)
		phone.OnHook()
		wait(2 * time.Second)
		h.saw(2, jack.OnHook)
	})
}

// TestSpanKeepsItsSignalling: over a new session, and takes one that is unknown
// for none.
func TestSpanKeepsItsSignalling(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := spanHost(t, linesim.TimeslotConfig{Signalling: linesim.FXSLoopStart})
		h.sim.Phone("fxs1").OffHook()
		wait(time.Second)
		h.saw(1, jack.OffHook)
		h.sim.Card(1).Reboot()
		wait(5 * time.Second)
		h.saw(1, jack.Down, jack.Up)
		before := h.card.Counters().Naks
		h.slot(1).SetSignalling(99)
		wait(time.Second)
		if n := h.card.Counters().Naks - before; n != 1 {
			t.Errorf("%d orders refused", n)
		}
	})
}

// TestSpanWithoutSignalling: a new card sends what nobody takes for a call: no
// telephone rings and no exchange is seized until a host says what the bits are.
func TestSpanWithoutSignalling(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Cards: []linesim.CardConfig{{Timeslots: []linesim.TimeslotConfig{
			{Signalling: linesim.FXSLoopStart}, {}, {Signalling: linesim.FXOGroundStart}}}}})
		wait(5 * time.Second)
		if st := h.sim.Phone("fxs1").Status(); st.Ringing || st.Rings != 0 {
			t.Errorf("the telephone: %+v", st)
		}
		for _, l := range h.sim.Town().Lines() {
			if st := l.Status(); st.OffHook || st.State != "idle" {
				t.Errorf("%s: %+v", l.Name(), st)
			}
		}
		h.slot(1).SetHook(true)
		h.slot(2).FlashHook(time.Second)
		wait(time.Second)
		if n := h.card.Counters().Naks; n != 2 {
			t.Errorf("%d orders refused", n)
		}
	})
}

func TestSpanCommandsAndFile(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := spanHost(t, linesim.TimeslotConfig{}, linesim.TimeslotConfig{Signalling: linesim.FXOLoopStart})
		for line, want := range map[string]string{
			"alarm card1 frame": "", "alarm clear": "", "block tdm1": "", "unblock tdm1": "", "wink tdm1 off": "", "wink tdm1 on": "",
			"ring tdm1 from 5551234 dial 101": "", "alarm red": "is not signal, frame, ais, yellow or clear", "block fxo1": "no trunk with E&M",
			"ring tdm1 from 5551234 ring dr2": "line tdm1 is a trunk, and does not ring",
			"wink tdm1":                       "write on or off", "wink tdm7 on": "no line", "ring tdm1 from 5551234 dial": "what follows",
		} {
			if _, err := h.sim.Command(line); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", line, err)
			}
		}
		plain := start(t, linesim.Config{})
		if _, err := plain.sim.Command("alarm signal"); err == nil || !strings.Contains(err.Error(), "has no span") {
			t.Errorf("alarm of a card without a span: %v", err)
		}
		if err := plain.sim.Town().Line("fxo1").SetTrunk(linesim.TimeslotConfig{}); err == nil {
			t.Error("a line was made a trunk")
		}
	})
	cfg, problems := load(t, "[[card]]\ntdm = 4\nsignalling = [\"fxs-loop-start\", \"wink-start\"]\n")
	var got []linesim.Signalling
	for _, s := range cfg.Cards[0].Timeslots {
		got = append(got, s.Signalling)
	}
	if len(problems) > 0 || !slices.Equal(got, []linesim.Signalling{linesim.FXSLoopStart, linesim.WinkStart, linesim.WinkStart, linesim.WinkStart}) {
		t.Errorf("%v\n%s", got, tomlfile.Text(problems))
	}
	for text, want := range map[string]string{
		"[[card]]\ntdm = 33\n": "not 0 FXO, 0 FXS and 33 TDM", "[[card]]\ntdm = 1\nsignalling = \"winks\"\n": `:3: signalling "winks" is not one of wink-start`,
		"[[card]]\nfxo = 1\nsignalling = \"wink-start\"\n": "names 1 timeslots: tdm says that there are 0",
	} {
		if _, problems := load(t, text); len(problems) != 1 || !strings.Contains(problems[0].String(), want) {
			t.Errorf("%s\n%s", text, tomlfile.Text(problems))
		}
	}
	if _, err := linesim.New(linesim.Config{Cards: []linesim.CardConfig{{Timeslots: []linesim.TimeslotConfig{{Signalling: "r2"}}}}}); err == nil {
		t.Error("an unknown signalling")
	}
}
