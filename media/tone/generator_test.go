package tone

import (
	"math"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/dsp"
)

// TestLevels measures each frequency of the tones of the Precise Tone Plan.
func TestLevels(t *testing.T) {
	c, _ := Lookup("us")
	for _, tone := range []struct {
		tone Tone
		hz   [2]float64
		dBm0 float64
	}{{c.Dial, [2]float64{350, 440}, -13}, {c.Ringback, [2]float64{440, 480}, -19}, {c.Busy, [2]float64{480, 620}, -24}} {
		pcm := make([]int16, 4000)
		if n := NewGenerator(tone.tone).Read(pcm); n != len(pcm) {
			t.Fatalf("%d samples", n)
		}
		x := make([]float64, len(pcm))
		for i, s := range pcm {
			x[i] = float64(s)
		}
		a, b, energy := dsp.FitPair(x, tone.hz[0], tone.hz[1])
		for _, peak := range []complex128{a, b} {
			if got := dsp.Level((real(peak)*real(peak) + imag(peak)*imag(peak)) / 2); math.Abs(got-tone.dBm0) > 0.05 {
				t.Errorf("%v Hz at %.2f dBm0, not %v", tone.hz, got, tone.dBm0)
			}
		}
		if rest := 1 - energy/dsp.Energy(pcm); rest > 1e-3 {
			t.Errorf("%v Hz: %.4f of the energy is something else", tone.hz, rest)
		}
	}
}

// TestCadence finds the sounds of a tone where they belong, in blocks that do not divide them.
func TestCadence(t *testing.T) {
	g := NewGenerator(cadence(-10, hz(425), 20, 30, 40, 50))
	pcm := make([]int16, 0, 8*280)
	var block [37]int16
	for len(pcm) < 8*280 {
		pcm = append(pcm, block[:g.Read(block[:])]...)
	}
	for i := range 280 { // milliseconds
		want := i%140 < 20 || i%140 >= 50 && i%140 < 90
		if got := dsp.Energy(pcm[8*i:8*i+8]) > 0; got != want {
			t.Errorf("%d ms: sounds %v", i, got)
		}
	}
}

// TestContinuous goes on with the same phase in a part of the same frequency.
func TestContinuous(t *testing.T) {
	g := NewGenerator(Tone{Parts: []Part{{Hz: hz(440), Level: -10, For: 10 * ms}, {Hz: hz(440), Level: -10}}})
	whole := NewGenerator(steady(-10, 440))
	var a, b [800]int16
	g.Read(a[:])
	whole.Read(b[:])
	if a != b {
		t.Error("the phase jumps between parts")
	}
}

func TestEnd(t *testing.T) {
	g := NewGenerator(information(330, 0, 0))
	pcm := make([]int16, 10000)
	if n := g.Read(pcm); n != 990*8 || g.Playing() {
		t.Errorf("three tones last %d samples", n)
	}
	if n := g.Read(pcm); n != 0 {
		t.Errorf("%d samples after the end", n)
	}
	for name, silent := range map[string]*Generator{"zero": {}, "nothing": NewGenerator(Tone{}),
		"shorter than a sample": NewGenerator(Tone{Parts: []Part{{Hz: hz(400), For: time.Microsecond}}})} {
		if n := silent.Read(pcm); n != 0 || silent.Playing() {
			t.Errorf("%s plays %d samples", name, n)
		}
	}
	g = NewGenerator(steady(-10, 400))
	g.Read(pcm[:10])
	g.Stop()
	if g.Playing() {
		t.Error("plays after Stop")
	}
}

func TestAdd(t *testing.T) {
	var sum, one, other [400]int16
	NewGenerator(steady(-10, 400)).Read(one[:])
	NewGenerator(steady(-20, 1000)).Read(other[:])
	sum = one
	if n := NewGenerator(steady(-20, 1000)).Add(sum[:]); n != 400 {
		t.Errorf("%d samples were added", n)
	}
	for i := range sum {
		if sum[i] != one[i]+other[i] {
			t.Fatalf("sample %d is %d", i, sum[i])
		}
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	c, _ := Lookup("uk")
	g := NewGenerator(c.Congestion)
	var block [160]int16
	if n := testing.AllocsPerRun(200, func() { g.Read(block[:]); g.Add(block[:]) }); n != 0 {
		t.Errorf("%v allocations a block", n)
	}
}

// TestTables holds the countries to what every country has.
func TestTables(t *testing.T) {
	for _, code := range Codes() {
		c, err := Lookup(strings.ToUpper(code))
		if err != nil || c.Code != code || c.Name == "" {
			t.Errorf("%s: %+v, %v", code, c.Code, err)
		}
		for name, tone := range map[string]Tone{"dial": c.Dial, "stutter": c.Stutter, "ringback": c.Ringback, "busy": c.Busy,
			"congestion": c.Congestion, "call waiting": c.CallWaiting, "SIT": c.SIT, "howler": c.Howler} {
			if tone.Silent() {
				t.Errorf("%s has no %s", code, name)
			}
			for _, p := range tone.Parts {
				if len(p.Hz) > maxHz || len(p.Hz) > 0 && (p.Level > -5 || p.Level < -30) {
					t.Errorf("%s %s: %+v", code, name, p)
				}
			}
		}
		if len(c.Bell) < 2 || len(c.Bell)%2 != 0 {
			t.Errorf("%s rings %v", code, c.Bell)
		}
	}
	for code, want := range map[string]string{"": "us", "GB": "uk", "gb": "uk"} {
		if c, err := Lookup(code); err != nil || c.Code != want {
			t.Errorf("%q is %q, %v", code, c.Code, err)
		}
	}
	if _, err := Lookup("xx"); err == nil || !strings.Contains(err.Error(), `country "xx": choose one of at au`) {
		t.Errorf("error is %v", err)
	}
	de, _ := Lookup("de")
	if p := de.Busy.Parts; p[0].Hz[0] != 425 || p[0].For != 480*ms || p[1].For != 480*ms {
		t.Errorf("Germany is busy with %+v", p)
	}
}
