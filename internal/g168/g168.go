// Package g168 makes the signals by which echo cancellers are tested (ITU-T
// G.168): composite source signals of both ends, and what arrives from a line.
// All are 16-bit linear samples at 8 kHz, as G.711 has them, and the same each
// time for a seed.
package g168

import (
	"math"
	"math/rand/v2"

	"crosspoint/internal/dsp"
	"crosspoint/media/g711"
)

// RingOut is how many samples of silence end each composite signal, so that
// its echo is whole.
const RingOut = 400

// CSS is a composite source signal like that of ITU-T G.168 §5: 48.62 ms
// voiced, 200 ms of noise with the spectrum of speech, 101.38 ms of silence,
// each time with the other sign. It is n samples at the given level in dBm0, of
// what sounds, not of the silence.
func CSS(seed uint64, dBm0 float64, n int) []int16 {
	return composite(seed, dBm0, n, 389, 1600, 811, 64)
}

// DoubleTalk is like CSS with the lengths and another pitch of the near end.
func DoubleTalk(seed uint64, dBm0 float64, n int) []int16 {
	return composite(seed, dBm0, n, 582, 1600, 1018, 104)
}

func composite(seed uint64, dBm0 float64, n, voiced, noise, pause, pitch int) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, n)
	low, high, band := dsp.LowPass(900), dsp.HighPass(250), dsp.LowPass(3000)
	sign := 1.0
	var sum float64
	var count int
	for at := 0; at < n; {
		for i := 0; i < voiced+noise && at+i < n; i++ {
			v := r.NormFloat64()
			if i < voiced {
				v = 0
				if i%pitch < 2 {
					v = 6
				}
			}
			v = high.Next(0.6*low.Next(v) + 0.4*band.Next(v))
			x[at+i] = v * sign
			sum += v * v
			count++
		}
		at += voiced + noise + pause
		sign = -sign
	}
	scale := math.Sqrt(dsp.MeanSquare(dBm0) / (sum / float64(count)))
	out := make([]int16, n)
	for i := range max(n-RingOut, 0) {
		out[i] = dsp.Clip(scale * x[i])
	}
	return Coded(out)
}

// WhiteNoise is noise of a level in dBm0.
func WhiteNoise(seed uint64, dBm0 float64, n int) []int16 {
	r := rand.New(rand.NewPCG(seed, 2))
	s := math.Sqrt(dsp.MeanSquare(dBm0))
	x := make([]int16, n)
	for i := range x {
		x[i] = dsp.Clip(s * r.NormFloat64())
	}
	return x
}

// A Path is an echo path: its impulse response.
type Path []float64

// Lossy is the path scaled to an echo return loss in dB for CSS.
func (h Path) Lossy(loss float64) Path {
	x := CSS(1, -10, 350*8*4)
	ratio := RMS(h.Through(x)) / RMS(x)
	scaled := make(Path, len(h))
	for i := range h {
		scaled[i] = h[i] / ratio * math.Pow(10, -loss/20)
	}
	return scaled
}

// Through is what comes back of x.
func (h Path) Through(x []int16) []int16 {
	y := make([]int16, len(x))
	for n := range x {
		var sum float64
		for k := 0; k < len(h) && k <= n; k++ {
			sum += h[k] * float64(x[n-k])
		}
		y[n] = dsp.Clip(sum)
	}
	return y
}

// Coded is x after G.711's µ-law.
func Coded(x []int16) []int16 {
	codes := make([]byte, len(x))
	out := make([]int16, len(x))
	g711.MuLaw.Encode(codes, x)
	g711.MuLaw.Decode(out, codes)
	return out
}

// Sum is what arrives of an echo and a near end, which may be shorter, or nil.
func Sum(echo, near []int16) []int16 {
	out := make([]int16, len(echo))
	for i := range echo {
		v := float64(echo[i])
		if i < len(near) {
			v += float64(near[i])
		}
		out[i] = dsp.Clip(v)
	}
	return Coded(out)
}

// RMS is the root of the mean square of x.
func RMS(x []int16) float64 { return math.Sqrt(dsp.Energy(x) / float64(len(x))) }

// Level is the level in dBm0 of the loudest 35 ms of x: the level of what
// sounds, without the pauses.
func Level(x []int16) float64 {
	const window = 280
	if len(x) < window {
		return dsp.Level(dsp.Energy(x) / float64(len(x)))
	}
	most := 0.0
	for at := 0; at+window <= len(x); at += window / 2 {
		most = max(most, dsp.Energy(x[at:at+window])/window)
	}
	return dsp.Level(most)
}
