package dsp

import (
	"math"
	"math/cmplx"
)

// Correlate is the correlation of x with a frequency in Hz, scaled so that a
// sine of that frequency gives its peak, with its phase as a cosine at x[0].
func Correlate(x []float64, hz float64) complex128 {
	sin, cos := math.Sincos(2 * math.Pi * hz / SampleRate)
	var re, im float64
	c, s := 1.0, 0.0
	for _, v := range x {
		re += v * c
		im -= v * s
		c, s = c*cos-s*sin, c*sin+s*cos
	}
	scale := 2 / float64(len(x))
	return complex(re*scale, im*scale)
}

// FitPair fits two sines of the given frequencies to x by least squares and
// gives their peaks with their phases at x[0], and the energy (sum of squares)
// that the two have in x. The frequencies must be some cycles per block apart
// from zero and not the same.
func FitPair(x []float64, hzA, hzB float64) (a, b complex128, energy float64) {
	n := float64(len(x))
	ca, cb := Correlate(x, hzA), Correlate(x, hzB)
	g := Kernel(2*math.Pi*(hzB-hzA)/SampleRate, len(x)) // what a sine at B adds to the correlation at A
	det := 1 - real(g)*real(g) - imag(g)*imag(g)
	a = (ca - g*cb) / complex(det, 0)
	b = (cb - cmplx.Conj(g)*ca) / complex(det, 0)
	energy = n / 2 * (real(a)*real(ca) + imag(a)*imag(ca) + real(b)*real(cb) + imag(b)*imag(cb))
	return a, b, energy
}

// Kernel is the mean of n samples of a complex oscillation of w radians a sample.
func Kernel(w float64, n int) complex128 {
	den := math.Sin(w / 2)
	if math.Abs(den) < 1e-12 {
		return 1
	}
	size := math.Sin(w/2*float64(n)) / den / float64(n)
	return cmplx.Rect(size, w/2*float64(n-1))
}

// Drift is by how many Hz a sine is higher than the frequency it was fitted
// with in two blocks that follow each other, from the peaks found; the second
// block begins step samples after the first. Good to ±4000/step Hz.
func Drift(first, second complex128, hz float64, step int) float64 {
	turned := 2 * math.Pi * hz / SampleRate * float64(step)
	phase := cmplx.Phase(second * cmplx.Conj(first) * cmplx.Rect(1, -turned))
	return phase * SampleRate / (2 * math.Pi * float64(step))
}
