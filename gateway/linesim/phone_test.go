package linesim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/gateway/linesim"
	"crosspoint/media/dtmf"
	"crosspoint/media/measure"
	"crosspoint/media/tone"
)

var bell = []time.Duration{2 * time.Second, 4 * time.Second}

// idsent is a whole caller ID as an exchange sends it.
func idsent(id callerid.CallerID) []int16 {
	s := callerid.NewSender(id, callerid.Config{})
	var pcm []int16
	for s.Busy() {
		var block [160]int16
		n := s.Read(block[:])
		pcm = append(pcm, block[:n]...)
	}
	return pcm
}

func TestTelephoneIsRung(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		u, phone := h.line[3], h.sim.Phone("fxs1")
		wait(100 * time.Millisecond)
		u.port.SetAudio(true)
		u.port.SetRing(true, bell)
		wait(2500 * time.Millisecond) // into the first pause
		u.say(idsent(callerid.CallerID{Number: "101", Name: "ALICE"}))
		wait(2 * time.Second)
		st := phone.Status()
		if !st.Ringing || st.Rings != 1 || st.OffHook || !st.HasID || st.CallerID.Number != "101" || st.CallerID.Name != "ALICE" {
			t.Errorf("after one ring: %+v", st)
		}
		if _, ok := u.saw(jack.OffHook); ok {
			t.Error("lifted after one ring, want two")
		}
		wait(4500 * time.Millisecond)
		ch, ok := u.saw(jack.OffHook)
		if !ok || ch.State.Ringing || !ch.State.OffHook {
			t.Fatalf("ring trip: %v %+v", ok, ch)
		}
		sent := make([]int16, 3*8000)
		measure.NewSignal(3, -15).Read(sent)
		u.forget()
		u.say(sent)
		wait(4 * time.Second)
		if r := measure.Compare(sent, phone.Heard()); r.SNR < 33 || r.Lost > 0 {
			t.Errorf("the telephone heard %+v", r)
		}
		if r := measure.Compare(sent, u.recording()); r.SNR < 28 || r.Gain > -5.5 || r.Gain < -6.5 {
			t.Errorf("its echo came as %+v", r)
		}
		u.port.DropLoop(400 * time.Millisecond) // the other side is gone
		wait(2 * time.Second)
		if _, ok := u.saw(jack.OnHook); !ok || phone.Status().OffHook {
			t.Errorf("not put down after the loop dropped: %+v", phone.Status())
		}
	})
}

func TestTelephoneStopsRinging(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Phones: []linesim.PhoneConfig{}})
		u, phone := h.line[3], h.sim.Phone("fxs1")
		wait(100 * time.Millisecond)
		for _, rings := range []int{3, 1} {
			u.port.SetRing(true, bell)
			wait(time.Duration(rings)*6*time.Second - time.Second)
			u.port.SetRing(false, nil)
			wait(10 * time.Second)
			if st := phone.Status(); st.Ringing || st.Rings != rings || st.OffHook {
				t.Errorf("after %d rings: %+v", rings, st)
			}
		}
	})
}

func TestTelephoneThatAnsweredHangsUpOnBusyTone(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Phones: []linesim.PhoneConfig{{Answer: 1}}})
		u, phone := h.line[3], h.sim.Phone("fxs1")
		wait(100 * time.Millisecond)
		u.port.SetAudio(true)
		u.port.SetRing(true, bell)
		wait(4 * time.Second)
		if !phone.Status().OffHook {
			t.Fatal("does not answer")
		}
		country, _ := tone.Lookup("us")
		busy := make([]int16, 8*8000)
		tone.NewGenerator(country.Busy).Read(busy)
		u.say(busy)
		wait(8 * time.Second)
		if phone.Status().OffHook {
			t.Errorf("still off-hook: %+v", phone.Status())
		}
	})
}

func TestTelephoneDials(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		u, phone := h.line[3], h.sim.Phone("fxs1")
		wait(100 * time.Millisecond)
		u.port.SetAudio(true)
		phone.OffHook()
		wait(500 * time.Millisecond)
		if _, ok := u.saw(jack.OffHook); !ok {
			t.Fatal("off-hook is not reported")
		}
		if err := phone.Dial("101#"); err != nil {
			t.Fatal(err)
		}
		if err := phone.Dial("12x"); err == nil {
			t.Error("dialled an x")
		}
		wait(time.Second)
		var got string
		for _, e := range dtmf.NewDetector(dtmf.Limits{}).Detect(u.recording()) {
			if e.Down {
				got += string(e.Digit)
			}
		}
		if got != "101#" {
			t.Errorf("heard digits %q", got)
		}
		u.forget()
		if err := phone.DialPulse("209"); err != nil {
			t.Fatal(err)
		}
		if err := phone.DialPulse("1#"); err == nil {
			t.Error("dialled # by pulses")
		}
		wait(6 * time.Second)
		var digits []string
		u.mu.Lock()
		for _, ch := range u.changes {
			digits = append(digits, fmt.Sprintf("%v %c", ch.What, ch.Digit))
		}
		u.mu.Unlock()
		if want := "pulse digit 2, pulse digit 0, pulse digit 9"; strings.Join(digits, ", ") != want {
			t.Errorf("reported %q, want %s", digits, want)
		}
	})
}

// TestLoopBreaks: how long the loop is open decides what it was.
func TestLoopBreaks(t *testing.T) {
	for _, c := range []struct {
		open   time.Duration
		timing [2]time.Duration // flash min and max; zero: the card's
		want   []jack.What
	}{
		{10 * time.Millisecond, [2]time.Duration{}, nil},
		{60 * time.Millisecond, [2]time.Duration{}, []jack.What{jack.Pulse}},
		{200 * time.Millisecond, [2]time.Duration{}, nil},
		{300 * time.Millisecond, [2]time.Duration{}, []jack.What{jack.Flash}},
		{1000 * time.Millisecond, [2]time.Duration{}, []jack.What{jack.Flash}},
		{1200 * time.Millisecond, [2]time.Duration{}, []jack.What{jack.OnHook, jack.OffHook}},
		{100 * time.Millisecond, [2]time.Duration{80 * time.Millisecond, 120 * time.Millisecond}, []jack.What{jack.Flash}},
		{200 * time.Millisecond, [2]time.Duration{80 * time.Millisecond, 120 * time.Millisecond}, []jack.What{jack.OnHook, jack.OffHook}},
	} {
		fake(t, func(t *testing.T) {
			h := start(t, linesim.Config{}, withFlash(c.timing))
			u, phone := h.line[3], h.sim.Phone("fxs1")
			wait(100 * time.Millisecond)
			phone.OffHook()
			wait(500 * time.Millisecond)
			u.forget()
			phone.Flash(c.open)
			wait(3 * time.Second)
			if got := u.whats(); !slices.Equal(got, c.want) {
				t.Errorf("open for %v: reported %v, want %v", c.open, got, c.want)
			}
			if ch, ok := u.saw(jack.Flash); ok && ch.For != c.open {
				t.Errorf("open for %v: reported as %v", c.open, ch.For)
			}
		})
	}
}

func TestPolarityAndLoopDropAtATelephone(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{})
		u, phone := h.line[3], h.sim.Phone("fxs1")
		wait(100 * time.Millisecond)
		phone.OffHook()
		u.port.SetReversed(true)
		u.port.DropLoop(300 * time.Millisecond)
		wait(time.Second)
		if st := phone.Status(); !st.Reversed || st.Drops != 1 || !st.OffHook {
			t.Errorf("%+v", st)
		}
		phone.OnHook()
		wait(1200 * time.Millisecond)
		if got := u.whats(); !slices.Equal(got, []jack.What{jack.Up, jack.OffHook, jack.OnHook}) {
			t.Errorf("reported %v: a loop drop of the card's own is no flash", got)
		}
	})
}
