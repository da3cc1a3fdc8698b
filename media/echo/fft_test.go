package echo

import (
	"math"
	"testing"
)

// TestTransform compares with the transform's definition, and goes back.
func TestTransform(t *testing.T) {
	var x, back [size]float64
	for i := range x {
		x[i] = math.Sin(float64(i * i))
	}
	var s spectrum
	s.forward(&x)
	s.inverse(&back)
	for k := range bins {
		var re, im float64
		for n := range x {
			sin, cos := math.Sincos(2 * math.Pi * float64(k*n) / size)
			re, im = re+x[n]*cos, im-x[n]*sin
		}
		if math.Abs(re-s.re[k]) > 1e-9 || math.Abs(im-s.im[k]) > 1e-9 {
			t.Errorf("bin %d is %v, %v, expected %v, %v", k, s.re[k], s.im[k], re, im)
		}
	}
	for i := range x {
		if math.Abs(x[i]-back[i]) > 1e-12 {
			t.Errorf("sample %d came back as %v, not %v", i, back[i], x[i])
		}
	}
}
