package media

import (
	"math"
	"testing"
	"time"
)

// R without impairment is the well-known 93.2; the rows with loss follow from
// Ie,eff of G.711 with concealment (G.113 appendix I); those with delay were
// worked out by hand from the formulas of G.107 §7.4.
func TestEstimate(t *testing.T) {
	for _, c := range []struct {
		lost   float64
		delay  time.Duration
		r, mos float64
	}{
		{0, 0, 93.2, 4.41},
		{0.01, 0, 93.2 - 95/26.1, 4.33},
		{0.05, 0, 93.2 - 95*5/30.1, 3.93},
		{1, 0, 17.3, 1.18},
		{0, 100 * time.Millisecond, 91.3, 4.38},
		{0, 200 * time.Millisecond, 86.6, 4.25},
		{0, 400 * time.Millisecond, 63.3, 3.27},
	} {
		q := Estimate(c.lost, c.delay)
		if math.Abs(q.R-c.r) > 1 || math.Abs(q.MOS-c.mos) > 0.06 {
			t.Errorf("loss %g delay %s: R %.1f MOS %.2f, want %.1f and %.2f", c.lost, c.delay, q.R, q.MOS, c.r, c.mos)
		}
	}
}

func TestOpinionOfRatings(t *testing.T) { // G.107 table B.1
	for r, want := range map[float64]float64{90: 4.34, 80: 4.03, 70: 3.60, 60: 3.10, 50: 2.58, 0: 1, 100: 4.5} {
		if got := opinion(r); math.Abs(got-want) > 0.01 {
			t.Errorf("R %g: MOS %.3f, want %.2f", r, got, want)
		}
	}
}

func TestQualityFallsWithLossAndDelay(t *testing.T) {
	last := math.Inf(1)
	for i := range 100 {
		q := Estimate(float64(i)/100, time.Duration(i)*10*time.Millisecond)
		if q.R > last || q.R < 0 || q.MOS < 1 || q.MOS > 4.5 {
			t.Fatalf("step %d: R %.2f after %.2f, MOS %.2f", i, q.R, last, q.MOS)
		}
		last = q.R
	}
	for _, odd := range []float64{-1, 7, math.Inf(1)} {
		if q := Estimate(odd, -time.Second); math.IsNaN(q.R) || q.R < 0 {
			t.Errorf("loss %g: R %g", odd, q.R)
		}
	}
}

func TestHeard(t *testing.T) {
	from := Stats{Received: 950, Lost: 50, RoundTrip: 40 * time.Millisecond, Jitter: 5 * time.Millisecond}
	to := Stats{Sent: 950, RemoteLost: 0.05, RoundTrip: 60 * time.Millisecond}
	got, ok := Heard(from, to)
	want := Estimate(1-0.95*0.95, 80*time.Millisecond)
	if !ok || math.Abs(got.R-want.R) > 1e-9 {
		t.Errorf("R %.2f, want %.2f", got.R, want.R)
	}
	if _, ok := Heard(Stats{}, to); ok {
		t.Error("a party that was never heard has a quality")
	}
}
