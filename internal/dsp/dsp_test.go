package dsp

import (
	"math"
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
