package fsk

import (
	"math"

	"crosspoint/internal/dsp"
)

const maxWindow = 32 // samples: 250 bit/s

// A correlator gives the amplitude of one frequency in the last window of samples.
type correlator struct {
	turn, at complex128 // the oscillator
	mixed    [maxWindow]complex128
	window   int
	i        int
}

func newCorrelator(hz float64, window int) correlator {
	sin, cos := math.Sincos(2 * math.Pi * hz / dsp.SampleRate)
	return correlator{turn: complex(cos, -sin), at: 1, window: window}
}

// next takes a sample and gives the peak of a sine that would explain the
// window, with its phase against the oscillator.
func (c *correlator) next(x float64) complex128 {
	c.mixed[c.i] = c.at * complex(x, 0)
	c.at *= c.turn
	if c.i++; c.i == c.window {
		c.i = 0
		size := math.Hypot(real(c.at), imag(c.at)) // rounding must not make it grow
		c.at /= complex(size, 0)
	}
	var sum complex128
	for _, v := range c.mixed[:c.window] {
		sum += v
	}
	return sum * complex(2/float64(c.window), 0)
}

// energy gives the mean square of the last window of samples, without what is
// constant in them: serial hardware often adds a bias.
type energy struct {
	x      [maxWindow]float64
	window int
	i      int
	mean   float64
}

func (e *energy) next(x float64) float64 {
	e.mean = dsp.Flush(e.mean + (x-e.mean)/1024)
	e.x[e.i] = x - e.mean
	if e.i++; e.i == e.window {
		e.i = 0
	}
	var sum float64
	for _, v := range e.x[:e.window] {
		sum += v * v
	}
	return sum / float64(e.window)
}
