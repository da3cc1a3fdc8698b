package measure

import (
	"math"
	"math/cmplx"

	"crosspoint/internal/dsp"
)

// A Tone is the strongest sine of a recording.
type Tone struct {
	Hz    float64
	Level float64 // dBm0; minus infinity if there is none
	SINAD float64 // dB: everything against everything but the tone (ITU-T O.132 calls it total distortion); a constant offset is left out
}

// Sine finds the strongest sine in pcm and measures it: to some 0.01 Hz and
// 0.01 dB in a clean second. It needs 10 ms; less is no tone.
func Sine(pcm []int16) Tone {
	none := Tone{Level: math.Inf(-1), SINAD: math.Inf(-1)}
	if len(pcm) < rate/100 {
		return none
	}
	x := make([]float64, len(pcm))
	var mean float64
	for _, s := range pcm {
		mean += float64(s)
	}
	mean /= float64(len(pcm))
	var all float64
	for i, s := range pcm {
		x[i] = float64(s) - mean
		all += x[i] * x[i]
	}
	if all == 0 {
		return none
	}
	hz := refine(x, peak(x))
	a := dsp.Correlate(x, hz)
	a -= image(a, hz, len(x))
	tone := residual(x, a, hz)
	size := cmplx.Abs(a)
	return Tone{Hz: hz, Level: dsp.Level(size * size / 2), SINAD: snr(all, tone)}
}

// peak is the strongest frequency of the windowed spectrum, to a fraction of its resolution.
func peak(x []float64) float64 {
	n := 1
	for n < 2*len(x) {
		n *= 2
	}
	spectrum := make([]complex128, n)
	for i, v := range x {
		hann := 1 - math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(x)))
		spectrum[i] = complex(v*hann, 0)
	}
	fft(spectrum)
	best := 1
	for i := 1; i < n/2; i++ {
		if cmplx.Abs(spectrum[i]) > cmplx.Abs(spectrum[best]) {
			best = i
		}
	}
	return float64(best) * rate / float64(n)
}

// refine compares the phase of the two halves until it is at rest.
func refine(x []float64, hz float64) float64 {
	half := len(x) / 2
	for range 6 {
		a, b := dsp.Correlate(x[:half], hz), dsp.Correlate(x[half:2*half], hz)
		a, b = a-image(a, hz, half), b-image(b, hz, half)
		hz += dsp.Drift(a, b, hz, half)
	}
	return hz
}

// image is what the negative frequency of a sine adds to its correlation.
func image(a complex128, hz float64, n int) complex128 {
	w := 2 * math.Pi * hz / rate
	den := math.Sin(w)
	if math.Abs(den) < 1e-9 {
		return 0
	}
	size := math.Sin(w*float64(n)) / den / float64(n)
	return cmplx.Conj(a) * cmplx.Rect(size, -w*float64(n-1))
}

// residual is the energy of x without the sine.
func residual(x []float64, a complex128, hz float64) float64 {
	turn := cmplx.Rect(1, 2*math.Pi*hz/rate)
	var sum float64
	for _, v := range x {
		d := v - real(a)
		sum += d * d
		a *= turn
	}
	return sum
}
