package echo

import (
	"math"
	"math/bits"
)

const (
	block = 32        // samples a step
	size  = 2 * block // of the transform
	bins  = block + 1 // of a real signal's spectrum
)

// A spectrum is the transform of size real samples.
type spectrum struct{ re, im [bins]float64 }

// turn are the twiddle factors of size points; order is the bit-reversed
// order of block points.
var turn, order = func() (w [block]complex128, o [block]uint8) {
	for i := range w {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / size)
		w[i] = complex(cos, sin)
		o[i] = bits.Reverse8(uint8(i)) >> 3
	}
	return w, o
}()

// transform is a complex Fourier transform of block points, already in
// bit-reversed order, in place.
func transform(re, im *[block]float64) {
	for i := 0; i < block; i += 2 { // the first stage turns nothing
		re[i], re[i+1] = re[i]+re[i+1], re[i]-re[i+1]
		im[i], im[i+1] = im[i]+im[i+1], im[i]-im[i+1]
	}
	for half := 2; half < block; half *= 2 {
		step := block / half
		for k := range half {
			w := turn[k*step]
			c, s := real(w), imag(w)
			for i := k; i < block; i += 2 * half {
				j := (i + half) % block
				tr, ti := re[j]*c-im[j]*s, re[j]*s+im[j]*c
				re[j], im[j] = re[i]-tr, im[i]-ti
				re[i], im[i] = re[i]+tr, im[i]+ti
			}
		}
	}
}

// forward transforms x. It takes even and odd samples as one complex signal
// of half the length and takes their spectra apart.
func (s *spectrum) forward(x *[size]float64) {
	var re, im [block]float64
	for i, o := range order {
		re[i], im[i] = x[2*o], x[2*o+1]
	}
	transform(&re, &im)
	s.re[0], s.im[0] = re[0]+im[0], 0
	s.re[block], s.im[block] = re[0]-im[0], 0
	for k := 1; k < block; k++ {
		l := block - k
		er, ei := (re[k]+re[l])/2, (im[k]-im[l])/2
		or, oi := (im[k]+im[l])/2, (re[l]-re[k])/2
		c, t := real(turn[k]), imag(turn[k])
		s.re[k], s.im[k] = er+or*c-oi*t, ei+or*t+oi*c
	}
}

// inverse transforms back.
func (s *spectrum) inverse(x *[size]float64) {
	var re, im [block]float64
	for i, o := range order {
		k := int(o)
		l := block - k
		er, ei := (s.re[k]+s.re[l])/2, (s.im[k]-s.im[l])/2
		dr, di := (s.re[k]-s.re[l])/2, (s.im[k]+s.im[l])/2
		c, t := real(turn[k]), -imag(turn[k])
		or, oi := dr*c-di*t, dr*t+di*c
		re[i], im[i] = er-oi, -(ei + or) // its conjugate: the same transform goes back
	}
	transform(&re, &im)
	for i := range block {
		x[2*i], x[2*i+1] = re[i]/block, -im[i]/block
	}
}
