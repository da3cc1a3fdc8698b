package measure

import (
	"math"
	"math/bits"
)

// fft transforms x in place; its length is a power of two. Its inverse is the
// transform of the conjugate.
func fft(x []complex128) {
	n := len(x)
	shift := 64 - bits.TrailingZeros(uint(n))
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); n > 1 && i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	turn := make([]complex128, n/2)
	for i := range turn {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / float64(n))
		turn[i] = complex(cos, sin)
	}
	for size := 2; size <= n; size *= 2 {
		half, stride := size/2, n/size
		for from := 0; from < n; from += size {
			a, b := x[from:from+half], x[from+half:from+size]
			for k := range a {
				t := b[k] * turn[k*stride]
				a[k], b[k] = a[k]+t, a[k]-t
			}
		}
	}
}

// correlate finds by how many samples got lags behind sent: where their
// cross-correlation is largest, of either sign.
func correlate(sent, got []int16) (lag int) {
	n := 1
	for n < len(sent)+len(got) {
		n *= 2
	}
	x := make([]complex128, n) // both at once: sent is real, got imaginary
	for i, s := range sent {
		x[i] = complex(float64(s), 0)
	}
	for i, s := range got {
		x[i] += complex(0, float64(s))
	}
	fft(x)
	for i := 0; i <= n/2; i++ {
		j := (n - i) % n
		a, b := x[i], complex(real(x[j]), -imag(x[j]))
		s := (a + b) / 2             // transform of sent
		g := (a - b) / complex(0, 2) // and of got
		p := complex(real(s), -imag(s)) * g
		x[i] = complex(real(p), -imag(p)) // conjugate, for the way back
		x[j] = p
	}
	fft(x)
	best := 0.0
	for i := range x {
		if v := math.Abs(real(x[i])); v > best {
			best, lag = v, i
		}
	}
	if lag >= len(got) {
		lag -= n
	}
	return lag
}
