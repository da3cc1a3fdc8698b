package linesim_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/linesim"
	"crosspoint/media/measure"
	"crosspoint/media/tone"
)

// dialed lifts port 1, waits for dial tone and dials.
func dialed(h *host, number string) *user {
	h.t.Helper()
	u := h.line[1]
	wait(100 * time.Millisecond)
	u.off()
	wait(time.Second)
	if st := h.sim.Town().Line("fxo1").Status(); st.State != "dial tone" || !st.OffHook {
		h.t.Fatalf("off-hook for a second, the line is %+v", st)
	}
	u.dial(number)
	wait(time.Duration(len(number))*200*time.Millisecond + 300*time.Millisecond)
	return u
}

func TestOutgoingCall(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		wait(100 * time.Millisecond)
		up, ok := h.line[1].saw(jack.Up)
		if !ok || up.State != (jack.State{Present: true, Battery: true}) {
			t.Fatalf("port 1 after HELLO: %+v, %v", up, ok)
		}
		u := dialed(h, "7773660")
		sent := make([]int16, 8*8000)
		measure.NewSignal(7, -15).Read(sent)
		u.say(sent)
		wait(9 * time.Second)
		u.port.SetHook(false)
		wait(time.Second)

		call, ok := h.sim.Town().LastCall("7773660")
		if !ok || call.Dialed != "7773660" || call.Answered.IsZero() || call.Why != "line hung up" || call.Line != "fxo1" {
			t.Fatalf("call: %v %+v", ok, call)
		}
		if got := u.tones(); !slices.Contains(got, tone.Dial) || !slices.Contains(got, tone.Voice) {
			t.Errorf("heard %v", got)
		}
		there, back := measure.Compare(sent, call.Heard), measure.Compare(call.Played, u.recording())
		for name, r := range map[string]measure.Result{"to the subscriber": there, "from the subscriber": back} {
			if r.SNR < 33 || r.Lost > 0 || r.Slips > 0 || r.Gain < -0.1 || r.Gain > 0.1 {
				t.Errorf("audio %s: %+v", name, r)
			}
		}
		if c := h.sim.Card(1).Status(); c.Late != 0 || c.Missing != 0 || c.Dropped != 0 {
			t.Errorf("card: %+v", c)
		}
		var story []string
		for _, e := range h.sim.Events() {
			if e.Where == "fxo1" {
				story = append(story, e.What)
			}
		}
		want := "off-hook, dial tone, dialed 7773660, ringback, 7773660 answers, on-hook, call ended: line hung up"
		if got := strings.Join(story, ", "); got != want {
			t.Errorf("the town tells: %s\nwant: %s", got, want)
		}
	})
}

// TestWhoAnswersHow: what the line hears, and where it ends, for each kind of
// subscriber.
func TestWhoAnswersHow(t *testing.T) {
	for _, c := range []struct {
		number string
		tone   tone.Kind
		state  string
	}{
		{"5550101", tone.Busy, "tone"},
		{"5550102", tone.Ringback, "ringback"},
		{"5550104", tone.Congestion, "tone"},
		{"5550100", tone.Voice, "cleared"},
		{"911", tone.Voice, "talking"},
		{"5552001", tone.Busy, "tone"}, // its own number
	} {
		fake(t, func(t *testing.T) {
			h := start(t, linesim.Config{})
			u := dialed(h, c.number)
			u.forget()
			wait(14 * time.Second)
			if got := u.tones(); !slices.Contains(got, c.tone) {
				t.Errorf("%s: heard %v, want %v", c.number, got, c.tone)
			}
			if st := h.sim.Town().Line("fxo1").Status(); st.State != c.state {
				t.Errorf("%s: line is %s, want %s", c.number, st.State, c.state)
			}
		})
	}
}

func TestUnknownNumberAndNoNumber(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		u := dialed(h, "4711")
		u.forget()
		wait(8 * time.Second)
		if got := u.tones(); !slices.Contains(got, tone.SIT) {
			t.Errorf("unknown number: heard %v", got)
		}
		u.port.SetHook(false)
		wait(time.Second)
		u.forget()
		u.port.SetHook(true)
		wait(25 * time.Second)
		if got := u.tones(); !slices.Contains(got, tone.Dial) || !slices.Contains(got, tone.Congestion) {
			t.Errorf("no digits: heard %v", got)
		}
	})
}

// TestSubscriberHangsUp: by loop current and busy tone, by polarity, or by
// nothing at all.
func TestSubscriberHangsUp(t *testing.T) {
	for name, c := range map[string]struct {
		line linesim.LineConfig
		want []jack.What
		tone tone.Kind
	}{
		"loop drop":   {linesim.LineConfig{}, []jack.What{jack.LoopDrop}, tone.Busy},
		"reversal":    {linesim.LineConfig{Reversal: true, LoopDrop: -1, AfterHangUp: linesim.ThenCongestion}, []jack.What{jack.Polarity, jack.Polarity}, tone.Congestion},
		"dial tone":   {linesim.LineConfig{LoopDrop: -1, AfterHangUp: linesim.ThenDial}, nil, tone.Dial},
		"silence":     {linesim.LineConfig{LoopDrop: -1, AfterHangUp: linesim.ThenSilence}, nil, 0},
		"long loss":   {linesim.LineConfig{LoopDrop: 1500 * time.Millisecond}, []jack.What{jack.BatteryOff, jack.BatteryOn}, tone.Busy},
		"short blink": {linesim.LineConfig{LoopDrop: 50 * time.Millisecond}, nil, tone.Busy},
	} {
		fake(t, func(t *testing.T) {
			h := start(t, linesim.Config{Lines: []linesim.LineConfig{c.line}})
			u := dialed(h, "5550103")
			wait(2 * time.Second)
			if h.sim.Town().Line("fxo1").HangUp() == false {
				t.Fatalf("%s: no call to hang up", name)
			}
			var drop jack.Change
			wait(400 * time.Millisecond)
			drop, _ = u.saw(jack.LoopDrop)
			if slices.Contains(c.want, jack.LoopDrop) && (drop.For != 350*time.Millisecond || !drop.State.OffHook) {
				t.Errorf("%s: %+v", name, drop)
			}
			wait(1500 * time.Millisecond)
			u.mu.Lock()
			u.heard = nil
			u.mu.Unlock()
			wait(5 * time.Second)
			if got := u.whats()[1:]; !slices.Equal(got, c.want) {
				t.Errorf("%s: reported %v, want %v", name, got, c.want)
			}
			if got := u.tones(); c.tone != 0 && !slices.Contains(got, c.tone) || c.tone == 0 && slices.Contains(got, tone.Busy) {
				t.Errorf("%s: heard %v, want %v", name, got, c.tone)
			}
		})
	}
}

// TestIncomingCall: in each country's way, with the number and the name in the
// audio between the rings, or before them.
func TestIncomingCall(t *testing.T) {
	for _, c := range []struct{ country, standard string }{
		{"us", ""}, {"de", ""}, {"uk", ""}, {"nl", ""}, {"us", "etsi-alert"}, {"dk", ""}, {"jp", "bellcore"}, {"us", "dtmf-hash"},
	} {
		fake(t, func(t *testing.T) {
			h := start(t, linesim.Config{Country: c.country, Lines: []linesim.LineConfig{{CallerID: c.standard}}})
			u := h.line[1]
			wait(100 * time.Millisecond)
			u.port.SetAudio(true)
			wait(100 * time.Millisecond)
			if err := h.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "5551234", Name: "JOE", Plays: linesim.Signal(5 * time.Second)}); err != nil {
				t.Fatal(err)
			}
			if err := h.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "1"}); err == nil {
				t.Error("a line that rings was rung a second time")
			}
			wait(9 * time.Second)
			if !slices.Contains(u.whats(), jack.RingOn) || !slices.Contains(u.whats(), jack.RingOff) {
				t.Errorf("%v: reported %v", c, u.whats())
			}
			r := callerid.NewReceiver()
			id, ok := r.Receive(u.recording())
			if !ok || id.Number != "5551234" {
				t.Errorf("%v: caller ID %+v: %v", c, id, r.Err())
			}
			u.port.SetHook(true)
			wait(time.Second)
			if st := h.sim.Town().Line("fxo1").Status(); st.State != "talking" {
				t.Errorf("%v: answered, the line is %+v", c, st)
			}
			u.forget()
			wait(2 * time.Second)
			if slices.Contains(u.whats(), jack.RingOn) {
				t.Errorf("%v: rings on", c)
			}
			if l := measure.Level(u.recording()); l < -25 {
				t.Errorf("%v: the caller is heard at %.1f dBm0", c, l)
			}
		})
	}
}

func TestCallerIDThatIsNone(t *testing.T) {
	for _, c := range []struct {
		caller linesim.Subscriber
		want   error
		absent callerid.Absence
	}{
		{linesim.Subscriber{Number: "5551234", Withheld: true}, nil, callerid.Private},
		{linesim.Subscriber{Number: "5551234", NoCallerID: true}, callerid.ErrNothing, 0},
		{linesim.Subscriber{Number: "5551234", BadCallerID: true}, callerid.ErrChecksum, 0},
	} {
		fake(t, func(t *testing.T) {
			h := start(t, linesim.Config{})
			u := h.line[1]
			u.port.SetAudio(true)
			wait(100 * time.Millisecond)
			u.port.SetAudio(true)
			h.sim.Town().Ring("fxo1", c.caller)
			wait(5 * time.Second)
			r := callerid.NewReceiver()
			id, _ := r.Receive(u.recording())
			if err := r.Err(); !errors.Is(err, c.want) || id.NumberAbsent != c.absent || id.Number != "" {
				t.Errorf("%+v: got %+v, %v", c.caller, id, err)
			}
		})
	}
}

func TestCallerGivesUp(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		wait(100 * time.Millisecond)
		h.sim.Town().Ring("fxo2", linesim.Subscriber{Number: "5551234", GiveUp: 7 * time.Second})
		wait(10 * time.Second)
		if st := h.sim.Town().Line("fxo2").Status(); st.State != "idle" {
			t.Errorf("line is %+v", st)
		}
		if got := h.line[2].whats(); !slices.Equal(got, []jack.What{jack.Up, jack.RingOn, jack.RingOff, jack.RingOn, jack.RingOff}) {
			t.Errorf("reported %v", got)
		}
		if call, _ := h.sim.Town().LastCall("5551234"); call.Why != "caller gave up" || !call.Incoming || !call.Answered.IsZero() {
			t.Errorf("call %+v", call)
		}
	})
}

// TestGlare: the card seizes the line in the moment in which it is rung.
func TestGlare(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		wait(100 * time.Millisecond)
		h.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "5551234"})
		h.line[1].off()
		wait(time.Second)
		if st := h.sim.Town().Line("fxo1").Status(); st.State != "talking" {
			t.Errorf("line is %+v", st)
		}
		if err := h.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "1"}); err == nil {
			t.Error("a line in use was rung")
		}
	})
}

func TestCallBack(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		u := dialed(h, "5550199")
		wait(3 * time.Second)
		u.port.SetHook(false)
		u.forget()
		wait(4 * time.Second)
		if len(u.whats()) != 0 {
			t.Errorf("too early: %v", u.whats())
		}
		wait(3 * time.Second)
		if _, ok := u.saw(jack.RingOn); !ok {
			t.Error("nobody called back")
		}
		call, _ := h.sim.Town().LastCall("5550199")
		if !call.Incoming {
			t.Errorf("%+v", call)
		}
	})
}

func TestLineCallsLine(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		a, b := dialed(h, "5552002"), h.line[2]
		wait(3 * time.Second)
		if _, ok := b.saw(jack.RingOn); !ok {
			t.Fatal("fxo2 does not ring")
		}
		b.off()
		wait(500 * time.Millisecond)
		a.forget()
		b.forget()
		signal := make([]int16, 3*8000)
		measure.NewSignal(1, -15).Read(signal)
		a.say(signal)
		other := make([]int16, 3*8000)
		measure.NewSignal(2, -15).Read(other)
		b.say(other)
		wait(4 * time.Second)
		if r := measure.Compare(signal, b.recording()); r.SNR < 28 || r.Lost > 0 {
			t.Errorf("from fxo1 to fxo2: %+v", r)
		}
		if r := measure.Compare(other, a.recording()); r.SNR < 28 || r.Lost > 0 {
			t.Errorf("from fxo2 to fxo1: %+v", r)
		}
		b.port.SetHook(false)
		wait(time.Second)
		if _, ok := a.saw(jack.LoopDrop); !ok {
			t.Error("fxo1 is not told that fxo2 hung up")
		}
	})
}

func TestDigitsWhileTalking(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		u := dialed(h, "5550103")
		wait(2 * time.Second)
		u.dial("42#")
		wait(time.Second)
		if call, _ := h.sim.Town().LastCall("5550103"); call.Digits != "42#" {
			t.Errorf("heard digits %q", call.Digits)
		}
	})
}

// TestPulsesAndFlashOnALine: breaks of the loop by the card.
func TestPulsesAndFlashOnALine(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Lines: []linesim.LineConfig{{Flash: 900 * time.Millisecond}}})
		u := h.line[1]
		wait(50 * time.Millisecond)
		u.off()
		wait(time.Second)
		for _, d := range "911" {
			for range int(d - '0') {
				u.port.FlashHook(60 * time.Millisecond)
				wait(100 * time.Millisecond)
			}
			wait(750 * time.Millisecond)
		}
		wait(3 * time.Second)
		call, ok := h.sim.Town().LastCall("911")
		if !ok || call.Answered.IsZero() {
			t.Fatalf("call %+v", call)
		}
		u.port.FlashHook(600 * time.Millisecond)
		wait(2 * time.Second)
		if st := h.sim.Town().Line("fxo1").Status(); st.State != "talking" {
			t.Errorf("after a flash: %+v", st)
		}
		u.port.FlashHook(1500 * time.Millisecond)
		wait(3 * time.Second)
		if call, _ := h.sim.Town().LastCall("911"); call.Why != "line hung up" {
			t.Errorf("after 1.5 s on-hook: %+v", call)
		}
	})
}

func TestWireCut(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		u := h.line[1]
		wait(100 * time.Millisecond)
		u.forget()
		h.sim.Town().Line("fxo1").Cut(true)
		wait(1200 * time.Millisecond)
		if ch, ok := u.saw(jack.BatteryOff); !ok || ch.State.Battery {
			t.Errorf("cut: %v %+v", ok, ch)
		}
		h.sim.Town().Line("fxo1").Cut(false)
		wait(200 * time.Millisecond)
		if ch, ok := u.saw(jack.BatteryOn); !ok || !ch.State.Battery {
			t.Errorf("mended: %v %+v", ok, ch)
		}
	})
}

func TestTenMillisecondTicks(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{}, func(c *linecard.Config) { c.Tick = 10 * time.Millisecond })
		u := dialed(h, "7773660")
		sent := make([]int16, 5*8000)
		measure.NewSignal(7, -15).Read(sent)
		u.say(sent)
		wait(7 * time.Second)
		call, _ := h.sim.Town().LastCall("7773660")
		if r := measure.Compare(sent, call.Heard); r.SNR < 33 || r.Lost > 0 {
			t.Errorf("%+v", r)
		}
	})
}

// TestEchoAndNoise: two wires give back what the card sends, by the path that
// was asked for, and noise of the level that was asked for.
func TestEchoAndNoise(t *testing.T) {
	fake(t, func(t *testing.T) {
		cfg := linesim.LineConfig{Hybrid: linesim.Hybrid{ReturnLoss: 12, Delay: 5 * time.Millisecond}}
		h := start(t, linesim.Config{Lines: []linesim.LineConfig{cfg}, Subscribers: []linesim.Subscriber{{Number: "12"}}})
		u := dialed(h, "12")
		wait(3 * time.Second)
		sent := make([]int16, 3*8000)
		measure.NewSignal(1, -12).Read(sent)
		u.forget()
		u.say(sent)
		wait(4 * time.Second)
		r := measure.Compare(sent, u.recording())
		if r.Gain < -12.2 || r.Gain > -11.8 || r.SNR < 25 {
			t.Errorf("echo: %+v", r)
		}
		// Nothing is said now: noise alone.
		cfg.Hybrid = linesim.Hybrid{Noise: -50, Path: []float64{0.5, -0.25}}
		if err := h.sim.Town().Line("fxo1").Set(cfg); err != nil {
			t.Fatal(err)
		}
		wait(200 * time.Millisecond)
		u.forget()
		wait(2 * time.Second)
		if l := measure.Level(u.recording()); l < -51 || l > -49 {
			t.Errorf("noise of %.1f dBm0, want -50", l)
		}
		if err := h.sim.Town().Line("fxo1").Set(linesim.LineConfig{Hybrid: linesim.Hybrid{Noise: 3}}); err == nil {
			t.Error("noise of 3 dBm0 was taken")
		}
	})
}
