package echo

import (
	"math"
	"math/rand/v2"

	"crosspoint/internal/dsp"
	"crosspoint/internal/g168"
)

// hybrid is an echo path of the shape that measured ones have (ITU-T G.168
// annex D): a pure delay, then a band-passed impulse that rings out within the
// given samples, some with a second reflection. Its loss is in dB for a signal
// with the spectrum of speech.
func hybrid(seed uint64, delay, length int, loss float64) g168.Path {
	r := rand.New(rand.NewPCG(seed, 168))
	h := make(g168.Path, delay+length)
	for range 6 {
		hz := 300 + 2900*r.Float64()
		decay := math.Exp(-float64(8+20*r.Float64()) / float64(length))
		a := r.NormFloat64()
		phase := 2 * math.Pi * r.Float64()
		for n := range length {
			h[delay+n] += a * math.Pow(decay, float64(n)) * math.Cos(2*math.Pi*hz/8000*float64(n)+phase)
		}
	}
	return h.Lossy(loss)
}

// paths are eight lines: short, long, dispersive, and with a second reflection.
var paths = []g168.Path{
	hybrid(2, 6, 64, 6), hybrid(3, 10, 96, 6), hybrid(4, 30, 96, 6), hybrid(5, 16, 128, 6),
	hybrid(6, 40, 96, 6), hybrid(7, 60, 96, 10), hybrid(8, 4, 200, 6),
	join(hybrid(9, 8, 64, 9), hybrid(10, 120, 96, 12)),
}

func join(a, b g168.Path) g168.Path {
	h := make(g168.Path, max(len(a), len(b)))
	copy(h, a)
	for i := range b {
		h[i] += b[i]
	}
	return h.Lossy(6)
}

// tones is a sum of sines of the level each.
func tones(dBm0 float64, n int, hz ...float64) []int16 {
	x := make([]float64, n)
	for _, f := range hz {
		for i := range x {
			x[i] += dsp.Peak(dBm0) * math.Sin(2*math.Pi*f/8000*float64(i))
		}
	}
	out := make([]int16, n)
	for i := range max(n-g168.RingOut, 0) {
		out[i] = dsp.Clip(x[i])
	}
	return g168.Coded(out)
}

// run passes far and near through the canceller.
func run(c *Canceller, far, near []int16) []int16 {
	out := append([]int16(nil), near...)
	for at := 0; at+160 <= len(out); at += 160 {
		c.Process(out[at:at+160], far[at:at+160])
	}
	return out
}
