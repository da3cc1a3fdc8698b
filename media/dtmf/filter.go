package dtmf

import (
	"math"
	"math/cmplx"

	"crosspoint/internal/dsp"
)

// A highPass takes away what lies below the low group: hum, and the dial tones
// of every country at 30 dB. It has two zeros on the unit circle in the dial
// tones' range; its poles were searched for the flattest pass band (1.5 dB from
// 680 to 1800 Hz) that rings for less than 3 ms.
type highPass struct{ one, two section }

// A section is a second-order filter with its zeros on the unit circle.
type section struct{ y1, y2 float64 }

// What makes a section: the frequency of its zeros, and of its poles with their radius.
type shape struct{ zero, pole, radius float64 }

var shapes = [2]shape{{323.6, 545.2, 0.8571}, {444.2, 534.6, 0.8451}}

// coefficients are those of the shapes: b1, a1 and a2 of
// y = x + b1·x[-1] + x[-2] - a1·y[-1] - a2·y[-2].
var coefficients = func() (c [2][3]float64) {
	for i, s := range shapes {
		c[i] = [3]float64{-2 * math.Cos(turn(s.zero)), -2 * s.radius * math.Cos(turn(s.pole)), s.radius * s.radius}
	}
	return
}()

func turn(hz float64) float64 { return 2 * math.Pi * hz / rate }

func (f *highPass) next(x float64) float64 {
	return f.two.next(&coefficients[1], f.one.next(&coefficients[0], x))
}

// next is the transposed direct form II.
func (s *section) next(c *[3]float64, x float64) float64 {
	y := x + s.y1
	s.y1 = dsp.Flush(c[0]*x - c[1]*y + s.y2)
	s.y2 = dsp.Flush(x - c[2]*y)
	return y
}

// gain is the filter's gain at a frequency, in dB.
func gain(hz float64) float64 {
	z := cmplx.Rect(1, -turn(hz))
	h := complex(1, 0)
	for _, c := range coefficients {
		h *= (1 + complex(c[0], 0)*z + z*z) / (1 + complex(c[1], 0)*z + complex(c[2], 0)*z*z)
	}
	return 20 * math.Log10(cmplx.Abs(h))
}
