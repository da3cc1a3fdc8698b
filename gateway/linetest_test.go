package gateway

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
	"crosspoint/media"
)

// begins starts a test of a line; what it found comes later.
func (o *office) begins(line string) <-chan testResult {
	o.t.Helper()
	found := make(chan testResult, 1)
	go func() { // ends with the test
		r, err := o.g.Test(context.Background(), line)
		found <- testResult{r, err}
	}()
	synctest.Wait()
	return found
}

// ends is the report, which has to have come.
func (o *office) ends(found <-chan testResult) TestReport {
	o.t.Helper()
	synctest.Wait()
	select {
	case r := <-found:
		if r.err != nil {
			o.t.Fatal(r.err)
		}
		return r.report
	default:
		o.t.Fatal("the test has not ended")
		return TestReport{}
	}
}

// says compares a report, step by step: "+" is good, "-" is not.
func (r TestReport) says(t *testing.T, want ...string) {
	t.Helper()
	for i, s := range r.Steps {
		mark := "+"
		if !s.OK {
			mark = "-"
		}
		if got := mark + s.Name + ": " + s.Result; i >= len(want) || got != want[i] {
			t.Errorf("step %d is %q; the whole:\n%s", i+1, got, r)
			return
		}
		if !s.OK && s.Hint == "" {
			t.Errorf("%s: no word of what to do", s.Name)
		}
	}
	if len(r.Steps) != len(want) {
		t.Errorf("%d steps:\n%s", len(r.Steps), r)
	}
}

// TestLineTest: a good line; our own fake hybrid returns nothing.
func TestLineTest(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		found := o.begins("fxo1")
		o.is("fxo1", "is tested")
		if _, err := o.tryDial("1"); err == nil {
			t.Error("a call was placed over a line under test")
		}
		if r, err := o.g.Test(context.Background(), "fxo1"); err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("tested twice at once: %v %v", r, err)
		}
		time.Sleep(500 * time.Millisecond)
		line.dialTone()
		time.Sleep(8 * time.Second)
		r := o.ends(found)
		if !r.OK() {
			t.Errorf("%s", r)
		}
		if len(r.Steps) != 8 {
			t.Fatalf("%s", r)
		}
		after, err := time.ParseDuration(strings.TrimPrefix(r.Steps[3].Result, "after "))
		if err != nil || after < 500*time.Millisecond || after > 1500*time.Millisecond {
			t.Errorf("dial tone %s", r.Steps[3].Result)
		}
		r.Steps[3].Result = "after …"
		r.says(t, "+card: answers", "+battery: present", "+loop current: flows", "+dial tone: after …",
			"+dial tone level: -10 dBm0", "+digit: dial tone ends with a DTMF digit", "+noise: silence", "+echo return loss: more than 50 dB")
		o.is("fxo1", "idle")
		if line.now().OffHook {
			t.Error("left off-hook")
		}
	})
}

// TestLineTestFindings: what is wrong with a line stands in the report.
func TestLineTestFindings(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		found := o.begins("fxo1")
		time.Sleep(4 * time.Second)
		o.ends(found).says(t, "+card: answers", "+battery: present",
			"-dial tone: none of this country within 3s; silence heard")

		time.Sleep(5 * time.Second) // the guard time
		line.say(plays(us.Dial))    // which no digit ends
		found = o.begins("fxo1")
		time.Sleep(8 * time.Second)
		r := o.ends(found)
		if last := r.Steps[len(r.Steps)-1]; last.OK || last.Name != "digit" {
			t.Errorf("%s", r)
		}
		line.say(nil)

		line.change(jack.BatteryOff)
		time.Sleep(2 * time.Second)
		o.ends(o.begins("fxo1")).says(t, "+card: answers", "-battery: none")
		line.change(jack.Down)
		o.ends(o.begins("fxo1")).says(t, "-card: does not answer, or the port is out of order")
	})
}

// TestLineTestEcho: a hybrid that returns what it hears shows.
func TestLineTestEcho(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		found := o.begins("fxo1")
		line.dialTone()
		time.Sleep(4900 * time.Millisecond)
		line.say(&returned{line})
		time.Sleep(3 * time.Second)
		r := o.ends(found)
		last := r.Steps[len(r.Steps)-1]
		if last.Name != "echo return loss" || last.OK || (last.Result != "3 dB" && last.Result != "4 dB") {
			t.Errorf("%s", r)
		}
	})
}

// returned is a hybrid: what the line heard last comes back, 3.5 dB weaker.
type returned struct{ j *fakeJack }

func (h *returned) Read(pcm []int16) int {
	// under j.mu, as tick calls it
	n := len(h.j.hears)
	for i, s := range h.j.hears[max(0, n-len(pcm)):] {
		pcm[i] = int16(float64(s) * 0.668)
	}
	return len(pcm)
}

var _ media.Source = (*returned)(nil)

// TestLineTestInterrupted: a call from outside, or for help, comes first.
func TestLineTestInterrupted(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		found := o.begins("fxo1")
		line.change(jack.RingOn)
		o.ends(found).says(t, "+card: answers", "+battery: present", "-interrupted: a call came in")
		o.comes(1).Hangup(leg.Rejected)
		line.change(jack.RingOff)
		time.Sleep(12 * time.Second)

		found = o.begins("fxo1")
		p := &party{t: t, ladder: new(leg.Ladder)}
		if _, err := o.g.Dial("pstn", "911", leg.Outgoing{Sink: p, Ladder: p.ladder, Emergency: true}); err != nil {
			t.Fatal(err)
		}
		r := o.ends(found)
		if last := r.Steps[len(r.Steps)-1]; last.OK || !strings.Contains(last.Result, "emergency") {
			t.Errorf("%s", r)
		}
		p.saw("Trying")
		time.Sleep(20 * time.Second)
		p.because(38, "no dial tone")
	})
}

// TestLineTestOfAPhone: the telephone is left alone.
func TestLineTestOfAPhone(t *testing.T) {
	open(t, Config{}, "fxs1", func(o *office) {
		o.ends(o.begins("fxs1")).says(t, "+card: answers", "+telephone: idle")
		if err := o.g.BusyOut("fxs1", true); err != nil {
			t.Fatal(err)
		}
		o.ends(o.begins("fxs1")).says(t, "+card: answers", "+telephone: busied out", "-service: busied out by hand")
		if _, err := o.g.Test(context.Background(), "fxs9"); err == nil {
			t.Error("a line that is not there was tested")
		}
	})
}

// TestHardwareThatTells: what a voice modem tells by itself is used, but ends
// no talk.
func TestHardwareThatTells(t *testing.T) {
	open(t, Config{}, "fxo1", func(o *office) {
		line := o.jack("fxo1")
		line.change(jack.RingOn)
		time.Sleep(500 * time.Millisecond)
		line.change(jack.RingOff)
		line.changed(jack.Change{What: jack.CallerID, Caller: jack.Caller{Number: "5551234", Name: "Joe"}})
		in := o.comes(1)
		if in.in.Caller.String() != `5551234 "Joe"` {
			t.Errorf("caller %v", in.in.Caller)
		}
		in.Answer()
		synctest.Wait()
		for _, tone := range []jack.Tone{jack.DialTone, jack.BusyTone, jack.CongestionTone} {
			line.changed(jack.Change{What: jack.Heard, Tone: tone})
		}
		time.Sleep(5 * time.Second)
		o.is("fxo1", `talking with 5551234 "Joe"`)
		line.changed(jack.Change{What: jack.LoopDrop}) // of a length that the hardware does not tell
		in.because(16, "loop-current drop")
		time.Sleep(5 * time.Second)

		p := o.dial("7773660")
		time.Sleep(2500 * time.Millisecond)
		line.change(jack.OffHook) // so late that the wait for dial tone begins anew
		time.Sleep(2500 * time.Millisecond)
		line.changed(jack.Change{What: jack.Heard, Tone: jack.DialTone})
		time.Sleep(3 * time.Second)
		if got := line.dialled(); got != "7773660" {
			t.Errorf("dialled %q", got)
		}
		line.changed(jack.Change{What: jack.Heard, Tone: jack.BusyTone})
		p.because(17, "busy")
	})
}
