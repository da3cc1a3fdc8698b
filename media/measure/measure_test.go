package measure

import (
	"math"
	"testing"

	"crosspoint/internal/dsp"
	"crosspoint/media/g711"
)

func sine(hz, level float64, n int) []int16 {
	var o dsp.Osc
	o.Tune(hz)
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = dsp.Clip(dsp.Peak(level) * o.Next())
	}
	return pcm
}

func TestLevel(t *testing.T) {
	for _, level := range []float64{3, 0, -13, -40} {
		about(t, "level", Level(sine(1004, level, 8000)), level, 0.05)
	}
	var milliwatt [8]int16 // ITU-T G.711 table 6
	g711.MuLaw.Decode(milliwatt[:], []byte{0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e})
	about(t, "the digital milliwatt", Level(milliwatt[:]), 0, 0.05)
	about(t, "its dBFS", LevelFS(milliwatt[:]), -3.2, 0.05)
	if !math.IsInf(Level(nil), -1) || !math.IsInf(Level(make([]int16, 10)), -1) || !math.IsInf(LevelFS(nil), -1) {
		t.Error("silence has a level")
	}
}

func TestSine(t *testing.T) {
	for _, c := range []struct{ hz, level float64 }{{1004, 0}, {1000, -10}, {425.3, -20}, {3000.7, -5}, {300, -13}, {2100, -30}} {
		for _, n := range []int{8000, 3777} {
			got := Sine(sine(c.hz, c.level, n))
			about(t, "frequency", got.Hz, c.hz, 0.02)
			about(t, "level", got.Level, c.level, 0.02)
		}
	}
	if got := Sine(through(g711.MuLaw, sine(1004, -10, 8000))); got.SINAD < 37 || got.SINAD > 41 { // ITU-T G.712 asks for 33 dB
		t.Errorf("SINAD through the µ-law is %.1f dB", got.SINAD)
	}
	noisy := scaled(sine(1004, -10, 8000), 0, -30)
	about(t, "SINAD", Sine(noisy).SINAD, 20, 0.5)
	for i := range noisy {
		noisy[i] += 1000
	}
	about(t, "SINAD with an offset", Sine(noisy).SINAD, 20, 0.5)
	about(t, "SINAD of two tones", Sine(add(sine(1000, -10, 8000), sine(1700, -16, 8000))).SINAD, 7, 0.1)
	for _, pcm := range [][]int16{nil, make([]int16, 8000), sine(1000, 0, 40)} {
		if got := Sine(pcm); !math.IsInf(got.Level, -1) || !math.IsInf(got.SINAD, -1) {
			t.Errorf("%d samples of nothing: %+v", len(pcm), got)
		}
	}
}

func add(a, b []int16) []int16 {
	for i := range a {
		a[i] += b[i]
	}
	return a
}

// TestSignal holds the signal to its level, and to fit nowhere but in its place.
func TestSignal(t *testing.T) {
	for _, level := range []float64{-9, -15, -30} {
		pcm := signal(1, level, 10)
		about(t, "level", Level(pcm), level, 0.2)
		for _, s := range pcm {
			if s > 32000 || s < -32000 {
				t.Fatalf("%v dBm0: overload %d", level, s)
			}
		}
	}
	pcm := signal(1, -15, 10)
	own := dsp.Energy(pcm)
	for lag := 8; lag < 40000; lag += 1 + lag/16 {
		var sum float64
		for i := range len(pcm) - lag {
			sum += float64(pcm[i]) * float64(pcm[i+lag])
		}
		if r := math.Abs(sum / own); r > 0.15 {
			t.Errorf("shifted by %d samples it resembles itself by %.2f", lag, r)
		}
	}
	a, b := signal(1, -15, 1), signal(1, -15, 1)
	for i := range a {
		if a[i] != b[i] {
			t.Fatal("it is not the same each time")
		}
	}
}
