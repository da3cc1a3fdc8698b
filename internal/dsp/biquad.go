package dsp

import "math"

// A Biquad is a second-order filter with the state of one signal. The zero
// value lets nothing through.
type Biquad struct {
	b0, b1, b2, a1, a2 float64
	z1, z2             float64
}

// LowPass is a Butterworth low-pass of 12 dB per octave, 3 dB down at hz.
func LowPass(hz float64) Biquad {
	k := math.Tan(math.Pi * hz / SampleRate)
	f, norm := butterworth(k)
	f.b0, f.b1, f.b2 = k*k*norm, 2*k*k*norm, k*k*norm
	return f
}

// HighPass is a Butterworth high-pass of 12 dB per octave, 3 dB down at hz.
func HighPass(hz float64) Biquad {
	f, norm := butterworth(math.Tan(math.Pi * hz / SampleRate))
	f.b0, f.b1, f.b2 = norm, -2*norm, norm
	return f
}

// butterworth has the poles of both, by the bilinear transform.
func butterworth(k float64) (f Biquad, norm float64) {
	norm = 1 / (1 + math.Sqrt2*k + k*k)
	return Biquad{a1: 2 * (k*k - 1) * norm, a2: (1 - math.Sqrt2*k + k*k) * norm}, norm
}

// Next takes a sample and gives the filtered one.
func (f *Biquad) Next(x float64) float64 {
	y := f.b0*x + f.z1
	f.z1 = f.b1*x - f.a1*y + f.z2
	f.z2 = Flush(f.b2*x - f.a2*y)
	f.z1 = Flush(f.z1)
	return y
}

// Flush is x, or zero when x is so small that it is only what is left of a
// filter's past. Processors are a hundred times slower with the smallest
// numbers, to which every filter decays in silence.
func Flush(x float64) float64 {
	if x < 1e-15 && x > -1e-15 {
		return 0
	}
	return x
}
