package echo

import "math"

const (
	poles   = 8   // of the filter that gives comfort noise its colour
	minutes = 250 // steps of which the quietest is remembered: a second
	reshape = 25  // steps after which the colour is computed anew
)

// loudest is the power above which a steady sound is no line's noise.
var loudest = meanSquare(-33)

// A background is the near end's noise: how loud it is, and its colour by
// linear prediction. It makes noise like it.
type background struct {
	power  float64 // 0: not known yet
	smooth float64
	least  [4]float64 // the least smoothed power of the last seconds
	steps  int
	corr   [poles + 1]float64
	coef   [poles + 1]float64
	gain   float64 // of the excitation
	past   [poles]float64
	random uint32
}

func (b *background) reset() {
	*b = background{random: 0x9e3779b9}
	for i := range b.least {
		b.least[i] = math.Inf(1)
	}
}

// listen takes a step in which there is no echo; if it is not louder than the
// quietest of the last seconds it is noise.
func (b *background) listen(x *[block]float64, power float64) {
	b.smooth += (power - b.smooth) / 8
	if b.steps%minutes == 0 {
		copy(b.least[1:], b.least[:])
		b.least[0] = math.Inf(1)
	}
	if b.steps++; b.steps > 16 { // until then smooth only begins
		b.least[0] = min(b.least[0], b.smooth)
	}
	floor := b.least[0]
	for _, l := range b.least[1:] {
		floor = min(floor, l)
	}
	if b.smooth > 2.5*floor || power > loudest {
		return
	}
	share := 1. / 64
	if b.power == 0 {
		share = 1
	}
	b.power += (power - b.power) * share
	for lag := range b.corr {
		var sum float64
		for i := lag; i < block; i++ {
			sum += x[i] * x[i-lag]
		}
		b.corr[lag] += (sum - b.corr[lag]) * share
	}
	if b.steps%reshape == 0 {
		b.shape()
	}
}

// shape computes the colour (Levinson and Durbin).
func (b *background) shape() {
	err := b.corr[0] * 1.0001
	b.coef = [poles + 1]float64{1}
	b.gain = 0
	if err <= 0 {
		return
	}
	first := err
	for i := 1; i <= poles; i++ {
		acc := b.corr[i]
		for j := 1; j < i; j++ {
			acc += b.coef[j] * b.corr[i-j]
		}
		k := -acc / err
		was := b.coef
		for j := 1; j < i; j++ {
			b.coef[j] = was[j] + k*was[i-j]
		}
		b.coef[i] = k
		err *= 1 - k*k
	}
	b.gain = math.Sqrt(max(err/first, 0))
}

// make makes a step of noise.
func (b *background) make(x *[block]float64) {
	if b.power < 1e-12 {
		clear(x[:])
		return
	}
	gain, coef := b.gain, &b.coef
	if coef[0] == 0 { // no colour yet
		gain = 1
	}
	peak := gain * math.Sqrt(3*b.power) / (1 << 31)
	for i := range x {
		b.random ^= b.random << 13
		b.random ^= b.random >> 17
		b.random ^= b.random << 5
		v := peak * float64(int32(b.random))
		for j, p := range b.past {
			v -= coef[j+1] * p
		}
		copy(b.past[1:], b.past[:])
		b.past[0] = v
		x[i] = v
	}
}
