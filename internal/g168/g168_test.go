package g168

import (
	"math"
	"slices"
	"testing"
)

func TestLevels(t *testing.T) {
	for _, dBm0 := range []float64{0, -10, -30} {
		for _, x := range [][]int16{CSS(1, dBm0, 40000), DoubleTalk(1, dBm0, 40000), WhiteNoise(1, dBm0, 40000)} {
			if got := Level(x); math.Abs(got-dBm0) > 3 {
				t.Errorf("%v dBm0 is %.1f", dBm0, got)
			}
		}
	}
	if x := CSS(1, -10, 8000); Level(x[len(x)-RingOut:]) > -100 || Level(x[2000:2700]) > -100 {
		t.Error("no pauses")
	}
	if slices.Equal(CSS(1, -10, 8000), CSS(2, -10, 8000)) || !slices.Equal(CSS(1, -10, 8000), CSS(1, -10, 8000)) {
		t.Error("a seed does not make its own signal")
	}
}

func TestPath(t *testing.T) {
	h := Path{0, 0, 0.5, -0.25}
	if got := h.Through([]int16{1000, 0, 0, 0, 0}); !slices.Equal(got, []int16{0, 0, 500, -250, 0}) {
		t.Errorf("an impulse comes back as %v", got)
	}
	x := CSS(3, -10, 20000)
	if got := 20 * math.Log10(RMS(x)/RMS(h.Lossy(12).Through(x))); math.Abs(got-12) > 0.5 {
		t.Errorf("return loss %.1f dB", got)
	}
	if got := Sum([]int16{1000, 2000}, []int16{500}); !slices.Equal(got, Coded([]int16{1500, 2000})) {
		t.Errorf("sum %v", got)
	}
}
