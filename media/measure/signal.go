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
	high  dsp.Biquad
	low   dsp.Biquad
}

// NewSignal is the signal of a seed at a level in dBm0. Signals of different
// seeds have nothing in common, so that each direction of a call can have its own.
func NewSignal(seed uint64, level float64) *Signal {
	s := &Signal{
		state: seed*0x9e3779b97f4a7c15 + 1,
		high:  dsp.HighPass(300),
		low:   dsp.LowPass(3000),
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
		y := low.Next(high.Next(x))
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
		pcm[i] = dsp.Clip(s.scale * s.low.Next(s.high.Next(sum)))
	}
	return len(pcm)
}
