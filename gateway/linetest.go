package gateway

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/media/tone"
)

// A TestReport is what a line test found, step by step.
type TestReport struct {
	Line, Port string
	At         time.Time
	Steps      []TestStep
}

// A TestStep is one finding. Hint says what to do if it is not OK.
type TestStep struct {
	Name, Result string
	OK           bool
	Hint         string
}

// OK tells that every step was.
func (r TestReport) OK() bool {
	for _, s := range r.Steps {
		if !s.OK {
			return false
		}
	}
	return len(r.Steps) > 0
}

// String is the report for people.
func (r TestReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "line %s (%s)\n", r.Line, r.Port)
	for _, s := range r.Steps {
		mark := "ok"
		if !s.OK {
			mark = "BAD"
		}
		fmt.Fprintf(&b, "  %-3s  %-20s %s\n", mark, s.Name, s.Result)
		if s.Hint != "" {
			fmt.Fprintf(&b, "       %-20s %s\n", "", s.Hint)
		}
	}
	return b.String()
}

// Test takes an idle line off-hook and measures it: battery, loop current, dial
// tone and its level, whether a digit is understood, noise, and echo return
// loss. It takes about 6 s; no number is dialled. The error says why it could
// not be done: there is no such line, or it is in use.
//
// A line to a telephone is not rung: the test tells how its hook and its card
// stand.
func (g *Gateway) Test(ctx context.Context, line string) (TestReport, error) {
	l := g.now.Load().byName[line]
	if l == nil {
		return TestReport{}, fmt.Errorf("there is no line %q", line)
	}
	ev := testLine{make(chan testResult, 1)}
	if !l.inbox.Put(ev) {
		return TestReport{}, fmt.Errorf("line %s: the exchange is being stopped", line)
	}
	select {
	case r := <-ev.result:
		return r.report, r.err
	case <-l.done:
		return TestReport{}, fmt.Errorf("line %s: the exchange is being stopped", line)
	case <-ctx.Done():
		return TestReport{}, fmt.Errorf("line %s: the test did not end: %w", line, ctx.Err())
	}
}

// testLine orders a test.
type testLine struct{ result chan testResult }

type testResult struct {
	report TestReport
	err    error
}

// Limits of a good line, levels in dBm0.
const (
	dialToneLeast = -30 // weaker, and its detection is in danger
	dialToneMost  = -6  // stronger, and the gain is too high
	noiseMost     = -50
	returnLoss    = 6                       // dB, the least that a line echo canceller is made for (ITU-T G.168 §3)
	settleTone    = 2100 * time.Millisecond // until the meter has a whole second of it
)

// A lineTest is a test under way.
type lineTest struct {
	order  testLine
	report TestReport
	stage  testStage
	lifted time.Time
	dial   float64 // level of the dial tone
	probe  *sound
}

type testStage uint8

const (
	testGuard testStage = iota // waits out the guard time
	testDialTone
	testLevel // dial tone is there; its level settles
	testDigit // a digit is sent
	testNoise // it has been; the line should be silent
	testEcho  // a probe is sent
)

func (t *lineTest) found(name string, ok bool, hint, format string, args ...any) {
	if ok {
		hint = ""
	}
	t.report.Steps = append(t.report.Steps, TestStep{Name: name, OK: ok, Result: fmt.Sprintf(format, args...), Hint: hint})
}

// newTest begins a report with what is the same for each kind of line.
func (l *line) newTest(ev testLine) *lineTest {
	t := &lineTest{order: ev, report: TestReport{Line: l.cfg.Name, Port: l.cfg.Port.Name(), At: time.Now()}}
	t.found("card", l.jack.Present, "is it plugged in? crosspoint status shows the cards", "%s",
		map[bool]string{true: "answers", false: "does not answer, or the port is out of order"}[l.jack.Present])
	return t
}

// startTest begins a test of an idle line.
func (f *fxo) startTest(ev testLine) fxoState {
	t := f.newTest(ev)
	battery := func() {
		t.found("battery", f.jack.Battery, "is the wall jack plugged in?", "%s", map[bool]string{true: "present", false: "none"}[f.jack.Battery])
	}
	switch f.state {
	case fxoDown, fxoDead:
		if f.jack.Present {
			battery()
		}
		ev.result <- testResult{report: t.report}
		return f.state
	case fxoIdle:
	default:
		ev.result <- testResult{err: fmt.Errorf("line %s is in use: it is %s", f.cfg.Name, f.words())}
		return f.state
	}
	battery()
	f.test = t
	f.claimed.Store(true)
	if !f.jack.Battery {
		f.endTest()
		f.claimed.Store(false)
		return f.state
	}
	if rest := time.Until(f.guardEnd); rest > 0 {
		f.timers.set(stepTimer, rest)
		return fxoTesting
	}
	f.testLift()
	return fxoTesting
}

func (f *fxo) testLift() {
	f.test.stage, f.test.lifted = testDialTone, time.Now()
	f.timers.set(stepTimer, f.opt.DialToneWait)
	f.lift()
}

// endTest hands the report over, whole or as far as it has come.
func (f *fxo) endTest() {
	if f.test == nil {
		return
	}
	f.log.Info("line test", "ok", f.test.report.OK())
	f.test.order.result <- testResult{report: f.test.report}
	f.test = nil
}

// testing goes from measurement to measurement.
func (f *fxo) testing(ev event) fxoState {
	t := f.test
	switch ev := ev.(type) {
	case jack.Change:
		switch {
		case ev.What == jack.RingOn:
			t.found("interrupted", false, "test it again", "a call came in")
			f.endTest()
			f.ringIn()
			if !f.offHook {
				f.call = nil
				return f.rung()
			}
			f.stats.Glare++
			f.in("ring (glare)")
			return f.offer()
		case ev.What == jack.OffHook && t.stage == testDialTone:
			f.timers.set(stepTimer, f.opt.DialToneWait)
		case ev.What == jack.BatteryOff && f.offHook:
			t.found("loop current", false, "is the wall jack plugged in?", "none")
			return fxoIdle
		}
	case signal:
		if t.stage == testDialTone && ev.heard == dialTone && ev.on {
			t.found("loop current", f.jack.Battery, "the card feels none", "%s", map[bool]string{true: "flows", false: "none"}[f.jack.Battery])
			t.found("dial tone", true, "", "after %v", time.Since(t.lifted).Round(10*time.Millisecond))
			t.stage = testLevel
			f.timers.set(stepTimer, settleTone)
		}
	case expired:
		if ev.timer == stepTimer {
			return f.testNext()
		}
	}
	return f.state
}

// testNext ends a stage whose time is over.
func (f *fxo) testNext() fxoState {
	t := f.test
	switch t.stage {
	case testGuard:
		f.testLift()
	case testDialTone:
		t.found("dial tone", false, "is the wall jack plugged in, and is country right? Another tone needs dial_tone = \"blind\"",
			"none of this country within %v; %s heard", f.opt.DialToneWait, levelText(f.audio.heard.DBm0()))
		return fxoIdle
	case testLevel:
		t.dial = f.audio.heard.DBm0()
		t.found("dial tone level", t.dial >= dialToneLeast && t.dial <= dialToneMost, "set gain_in so that it is near -15 dBm0", "%s", levelText(t.dial))
		if f.opt.Pulse {
			return fxoIdle
		}
		t.stage = testDigit
		f.audio.play(program{sound: newDigits("1", 0)})
		f.timers.set(stepTimer, 200*time.Millisecond+settleTone)
	case testDigit:
		noise := f.audio.heard.DBm0()
		if noise > t.dial-6 {
			t.found("digit", false, "the exchange may know pulses only (dialing = \"pulse\"), or gain_out is too low", "dial tone goes on after a DTMF digit")
			return fxoIdle
		}
		t.found("digit", true, "", "dial tone ends with a DTMF digit")
		t.found("noise", noise <= noiseMost, "look for hum and bad joints on the line", "%s", levelText(noise))
		t.stage = testEcho
		t.probe = &sound{Source: tone.NewGenerator(probe)}
		f.audio.play(program{sound: t.probe})
		f.timers.set(stepTimer, settleTone)
	case testEcho:
		sent, back := f.audio.said.DBm0(), f.audio.heard.DBm0()
		loss := sent - back
		text := fmt.Sprintf("%.0f dB", loss)
		if math.IsInf(back, -1) || loss > 50 {
			text = "more than 50 dB"
		}
		t.found("echo return loss", loss >= returnLoss, "the line's impedance does not match the card's: check its country setting, and lower gain_in and gain_out", "%s", text)
		return fxoIdle
	}
	return f.state
}

// probe is what the echo is measured with: three tones over the telephone band.
var probe = tone.Tone{Parts: []tone.Part{{Hz: []float64{540, 1130, 2250}, Level: -20}}}

func levelText(dBm0 float64) string {
	if math.IsInf(dBm0, -1) || dBm0 < -75 {
		return "silence"
	}
	return fmt.Sprintf("%.0f dBm0", dBm0)
}

// testPhone tells how a line to a telephone stands.
func (f *fxs) testPhone(ev testLine) {
	t := f.newTest(ev)
	switch {
	case f.state == fxsDown:
	case f.state == fxsParked:
		t.found("telephone", false, "hang it up, or look for a short circuit on its line", "was left off-hook")
	default:
		t.found("telephone", true, "", "%s", f.words())
	}
	if f.busied {
		t.found("service", false, "crosspoint lines return "+f.cfg.Name, "busied out by hand")
	}
	ev.result <- testResult{report: t.report}
}
