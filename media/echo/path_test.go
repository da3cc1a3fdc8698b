package echo

import (
	"math"
	"math/rand/v2"

	"crosspoint/internal/dsp"
	"crosspoint/media/g711"
)

// A path is an echo path: what a hybrid makes of an impulse.
type path []float64

// hybrid is an echo path of the shape that measured ones have (ITU-T G.168
// annex D): a pure delay, then a band-passed impulse that rings out within the
// given samples, some with a second reflection. Its loss is in dB for a signal
// with the spectrum of speech.
func hybrid(seed uint64, delay, length int, loss float64) path {
	r := rand.New(rand.NewPCG(seed, 168))
	h := make(path, delay+length)
	for range 6 {
		hz := 300 + 2900*r.Float64()
		decay := math.Exp(-float64(8+20*r.Float64()) / float64(length))
		a := r.NormFloat64()
		phase := 2 * math.Pi * r.Float64()
		for n := range length {
			h[delay+n] += a * math.Pow(decay, float64(n)) * math.Cos(2*math.Pi*hz/8000*float64(n)+phase)
		}
	}
	return h.lossy(loss)
}

// lossy is the path scaled to an echo return loss in dB.
func (h path) lossy(loss float64) path {
	x := css(1, -10, 350*8*4)
	ratio := rms(h.through(x)) / rms(x)
	scaled := make(path, len(h))
	for i := range h {
		scaled[i] = h[i] / ratio * math.Pow(10, -loss/20)
	}
	return scaled
}

func rms(x []int16) float64 { return math.Sqrt(dsp.Energy(x) / float64(len(x))) }

// through is what comes back of x.
func (h path) through(x []int16) []int16 {
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

// paths are eight lines: short, long, dispersive, and with a second reflection.
var paths = []path{
	hybrid(2, 6, 64, 6), hybrid(3, 10, 96, 6), hybrid(4, 30, 96, 6), hybrid(5, 16, 128, 6),
	hybrid(6, 40, 96, 6), hybrid(7, 60, 96, 10), hybrid(8, 4, 200, 6),
	join(hybrid(9, 8, 64, 9), hybrid(10, 120, 96, 12)),
}

func join(a, b path) path {
	h := make(path, max(len(a), len(b)))
	copy(h, a)
	for i := range b {
		h[i] += b[i]
	}
	return h.lossy(6)
}

// ringOut is how many samples of silence end each signal that is sent, so that
// its echo is whole.
const ringOut = 400

// css is a composite source signal like that of ITU-T G.168 §5: 48.62 ms voiced,
// 200 ms of noise with the spectrum of speech, 101.38 ms of silence, each time
// with the other sign. It is n samples at the given level in dBm0 (of what
// sounds, not of the silence).
func css(seed uint64, dBm0 float64, n int) []int16 {
	return composite(seed, dBm0, n, 389, 1600, 811, 8)
}

// near is like css with the other lengths and pitch of the double talker.
func nearTalk(seed uint64, dBm0 float64, n int) []int16 {
	return composite(seed, dBm0, n, 582, 1600, 1018, 13)
}

func composite(seed uint64, dBm0 float64, n, voiced, noise, pause, pitch int) []int16 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, n)
	low, high := dsp.LowPass(900), dsp.HighPass(250)
	band := dsp.LowPass(3000)
	sign := 1.0
	var sum float64
	var count int
	for at := 0; at < n; {
		for i := 0; i < voiced+noise && at+i < n; i++ {
			v := r.NormFloat64()
			if i < voiced {
				v = 0
				if i%(pitch*8) < 2 {
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
	for i := range max(n-ringOut, 0) {
		out[i] = dsp.Clip(scale * x[i])
	}
	return coded(out)
}

// noise is white noise at the level.
func whiteNoise(seed uint64, dBm0 float64, n int) []int16 {
	r := rand.New(rand.NewPCG(seed, 2))
	s := math.Sqrt(dsp.MeanSquare(dBm0))
	x := make([]int16, n)
	for i := range x {
		x[i] = dsp.Clip(s * r.NormFloat64())
	}
	return x
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
	for i := range max(n-ringOut, 0) {
		out[i] = dsp.Clip(x[i])
	}
	return coded(out)
}

// coded is x after G.711, as it is on every line.
func coded(x []int16) []int16 {
	codes := make([]byte, len(x))
	out := make([]int16, len(x))
	g711.MuLaw.Encode(codes, x)
	g711.MuLaw.Decode(out, codes)
	return out
}

// sum mixes what arrives from both ends, as the line's codec has it.
func sum(a, b []int16) []int16 {
	out := make([]int16, len(a))
	for i := range a {
		v := float64(a[i])
		if i < len(b) {
			v += float64(b[i])
		}
		out[i] = dsp.Clip(v)
	}
	return coded(out)
}

// levelOf is the level of x in dBm0, over the loudest 35 ms windows: as the
// level meter of G.168 has it, without the pauses.
func levelOf(x []int16) float64 {
	const w = 280
	most := 0.0
	for at := 0; at+w <= len(x); at += w / 2 {
		most = max(most, dsp.Energy(x[at:at+w])/w)
	}
	if len(x) < w {
		most = dsp.Energy(x) / float64(len(x))
	}
	return dsp.Level(most)
}

// run passes far and near through the canceller.
func run(c *Canceller, far, near []int16) []int16 {
	out := append([]int16(nil), near...)
	for at := 0; at+160 <= len(out); at += 160 {
		c.Process(out[at:at+160], far[at:at+160])
	}
	return out
}
