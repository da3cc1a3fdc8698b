package dsp

import (
	"math"
	"math/cmplx"
	"testing"

	"crosspoint/media/g711"
)

// TestDigitalMilliwatt decodes the eight codes of ITU-T G.711 table 6, which
// are 1 kHz at 0 dBm0, and the A-law's of table 5.
func TestDigitalMilliwatt(t *testing.T) {
	for _, c := range []struct {
		law   g711.Law
		codes [8]byte
		dBm0  float64
	}{
		{g711.MuLaw, [8]byte{0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e}, 0},
		{g711.ALaw, [8]byte{0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4}, 0},
	} {
		var pcm [8]int16
		c.law.Decode(pcm[:], c.codes[:])
		if got := Level(Energy(pcm[:]) / 8); math.Abs(got-c.dBm0) > 0.1 {
			t.Errorf("%v digital milliwatt is %.3f dBm0", c.law, got)
		}
	}
}

func TestLevels(t *testing.T) {
	for _, dBm0 := range []float64{3, 0, -13, -42} {
		if got := Level(MeanSquare(dBm0)); math.Abs(got-dBm0) > 1e-9 {
			t.Errorf("level %v dBm0 became %v", dBm0, got)
		}
	}
	if got := Level(32768. * 32768 / 2); math.Abs(got-FullScale) > 1e-3 {
		t.Errorf("full scale is %.4f dBm0, not %.4f", got, FullScale)
	}
	if !math.IsInf(Level(0), -1) {
		t.Error("silence has a level")
	}
	if Clip(40000) != 32767 || Clip(-40000) != -32768 || Clip(-1.6) != -2 {
		t.Error("clipping")
	}
}

func TestOscIsASine(t *testing.T) {
	var o Osc
	o.Tune(1004)
	for n := range 80000 {
		want := math.Sin(2 * math.Pi * 1004 * float64(n) / SampleRate)
		if got := o.Next(); math.Abs(got-want) > 1e-5+float64(n)*1e-9 {
			t.Fatalf("sample %d is %v, not %v", n, got, want)
		}
	}
}

// TestFitPair separates two sines that are close to each other.
func TestFitPair(t *testing.T) {
	x := make([]float64, 400)
	for n := range x {
		at := func(hz float64) float64 { return 2 * math.Pi * hz * float64(n) / SampleRate }
		x[n] = 3*math.Cos(at(413)+1) + 2*math.Cos(at(438)-2)
	}
	a, b, energy := FitPair(x, 413, 438)
	var all float64
	for _, v := range x {
		all += v * v
	}
	if math.Abs(cmplx.Abs(a)-3) > 0.1 || math.Abs(cmplx.Abs(b)-2) > 0.1 ||
		math.Abs(cmplx.Phase(a)-1) > 0.05 || math.Abs(cmplx.Phase(b)+2) > 0.05 {
		t.Errorf("fitted %v and %v", a, b)
	}
	if math.Abs(energy/all-1) > 0.02 {
		t.Errorf("the two explain %.3f of the energy", energy/all)
	}
}

func TestDrift(t *testing.T) {
	var o Osc
	o.Tune(1011.5)
	x := make([]float64, 200)
	for i := range x {
		x[i] = o.Next()
	}
	first, second := Correlate(x[:100], 1000), Correlate(x[100:], 1000)
	if got := Drift(first, second, 1000, 100); math.Abs(got-11.5) > 0.2 {
		t.Errorf("off by %.2f Hz", got)
	}
}

// TestFilters measures both filters at their corner, an octave inside and an octave outside.
func TestFilters(t *testing.T) {
	gain := func(f Biquad, hz float64) float64 {
		var o Osc
		o.Tune(hz)
		var in, out float64
		for n := range 16000 {
			x := o.Next()
			y := f.Next(x)
			if n > 8000 {
				in, out = in+x*x, out+y*y
			}
		}
		return 10 * math.Log10(out/in)
	}
	for _, c := range []struct{ low, high, hz float64 }{{-3, -3, 500}, {-0.3, -12.3, 250}, {-13, -0.3, 1000}} {
		if got := gain(LowPass(500), c.hz); math.Abs(got-c.low) > 0.6 {
			t.Errorf("low-pass at %v Hz: %.1f dB", c.hz, got)
		}
		if got := gain(HighPass(500), c.hz); math.Abs(got-c.high) > 0.6 {
			t.Errorf("high-pass at %v Hz: %.1f dB", c.hz, got)
		}
	}
}

// TestFiltersComeToRest ends a filter's decay before its numbers become too small to be fast.
func TestFiltersComeToRest(t *testing.T) {
	f := HighPass(200)
	f.Next(30000)
	for range 8000 {
		f.Next(0)
	}
	if f.z1 != 0 || f.z2 != 0 {
		t.Errorf("after a second of silence: %v, %v", f.z1, f.z2)
	}
}
