package measure

import (
	"math"

	"crosspoint/internal/dsp"
)

// A Signal is noise in the telephone band that never repeats and is the same
// each time: what is sent to be found again by Compare. Its autocorrelation is
// that of a single sharp pulse, so that it fits in one place only, and its
// peaks stay below the overload point of G.711 up to -9 dBm0. No detector takes
// it for a tone or a digit. Make it with NewSignal.
type Signal struct {
	state uint64
	scale float64
	high  biquad
	low   biquad
}

// NewSignal is the signal of a seed at a level in dBm0. Signals of different
// seeds have nothing in common, so that each direction of a call can have its own.
func NewSignal(seed uint64, level float64) *Signal {
	s := &Signal{
		state: seed*0x9e3779b97f4a7c15 + 1,
		high:  butterworth(300, true),
		low:   butterworth(3000, false),
	}
	s.scale = math.Sqrt(dsp.MeanSquare(level) / s.power())
	return s
}

// power is the mean square of the filtered noise: that of the noise times the
// energy of the filters' impulse response.
func (s *Signal) power() float64 {
	high, low := s.high, s.low
	var energy float64
	x := 1.0
	for range rate {
		y := low.next(high.next(x))
		energy += y * y
		x = 0
	}
	return energy * uniforms / 12
}

const uniforms = 4 // random numbers that make a sample: their sum is nearly Gaussian, and bounded

// Read fills pcm with the next samples. It never ends.
func (s *Signal) Read(pcm []int16) int {
	for i := range pcm {
		var sum float64
		for range uniforms {
			s.state ^= s.state << 13 // Marsaglia's xorshift
			s.state ^= s.state >> 7
			s.state ^= s.state << 17
			sum += float64(s.state>>11)/(1<<53) - 0.5
		}
		pcm[i] = dsp.Clip(s.scale * s.low.next(s.high.next(sum)))
	}
	return len(pcm)
}

// A biquad is a second-order filter.
type biquad struct {
	b0, b1, b2, a1, a2 float64
	z1, z2             float64
}

// butterworth is a low-pass or high-pass at the given frequency, by the
// bilinear transform.
func butterworth(hz float64, highPass bool) biquad {
	k := math.Tan(math.Pi * hz / rate)
	norm := 1 / (1 + math.Sqrt2*k + k*k)
	f := biquad{a1: 2 * (k*k - 1) * norm, a2: (1 - math.Sqrt2*k + k*k) * norm}
	if highPass {
		f.b0, f.b1, f.b2 = norm, -2*norm, norm
	} else {
		f.b0, f.b1, f.b2 = k*k*norm, 2*k*k*norm, k*k*norm
	}
	return f
}

func (f *biquad) next(x float64) float64 {
	y := f.b0*x + f.z1
	f.z1 = f.b1*x - f.a1*y + f.z2
	f.z2 = f.b2*x - f.a2*y
	return y
}
