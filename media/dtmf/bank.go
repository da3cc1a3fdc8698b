package dtmf

import "math"

// A bank correlates blocks with the eight frequencies of the keypad. It is
// read-only once made.
type bank struct {
	cos, sin          [8][hop]float64
	turn              [8]complex128 // from one block to the next
	lowGain, highGain [4]float64    // of the filter, dB
}

func newBank() *bank {
	b := &bank{}
	for i, hz := range append(low[:], high[:]...) {
		for n := range hop {
			b.sin[i][n], b.cos[i][n] = math.Sincos(turn(hz) * float64(n))
		}
		sin, cos := math.Sincos(turn(hz) * hop)
		b.turn[i] = complex(cos, -sin)
	}
	for i := range 4 {
		b.lowGain[i], b.highGain[i] = gain(low[i]), gain(high[i])
	}
	return b
}

// correlate sets c to the correlations of a block, phases counted from its beginning.
func (b *bank) correlate(x []float64, c *[8]complex128) {
	for i := range c {
		var re, im float64
		cos, sin := &b.cos[i], &b.sin[i]
		for n, v := range x[:hop] {
			re += v * cos[n]
			im -= v * sin[n]
		}
		c[i] = complex(re, im)
	}
}

// strongest names the strongest tone of each group in a window of blocks, and
// gives the energy of the two. The halves of the window are added without
// regard to phase, so that a tone at the edge of its tolerance still shows.
func (b *bank) strongest(c *[blocks][8]complex128) (row, column int, energy float64) {
	var e [8]float64
	for i := range e {
		for h := 0; h < blocks; h += blocks / 2 {
			t := b.turn[i]
			sum := c[h][i] + t*(c[h+1][i]+t*c[h+2][i])
			e[i] += (real(sum)*real(sum) + imag(sum)*imag(sum)) * 2 / half
		}
	}
	for i := range 4 {
		if e[i] > e[row] {
			row = i
		}
		if e[4+i] > e[4+column] {
			column = i
		}
	}
	return row, column, e[row] + e[4+column]
}
