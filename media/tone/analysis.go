package tone

import (
	"math"
	"math/cmplx"

	"crosspoint/internal/dsp"
)

const (
	hop    = 80  // samples between two looks: 10 ms
	window = 320 // samples of a look: 40 ms, in which 25 Hz are one turn

	tolerance = 0.01 // share by which a frequency may be off
	spread    = 16   // Hz between the basis vectors that stand for a frequency and its tolerance
	crowd     = 60   // Hz below which two frequencies are too close for more than one vector each

	purity = 0.75 // share of the energy that a tone must have; noise 10 dB below leaves 0.9
	part   = 0.08 // share of a tone's energy that only one of its frequencies must explain: 10 dB of twist
)

// A basis is a sine and a cosine of one frequency over a window. The last hop of
// samples is correlated with the first hop of it; those before are turned.
type basis struct {
	hz       float64
	cos, sin [hop]float64
	turn     complex128               // by which a hop turns the phase
	corr     [window / hop]complex128 // of the hops in the window, phase counted from their own beginning
}

// A mix is frequencies that sound together, as one look can tell.
type mix struct {
	hz    []float64
	whole space
	less  []space // without one of the frequencies; none for a single one
}

// A space is what some basis vectors span.
type space struct {
	vectors []int       // of the analysis; each is a cosine and a sine
	inverse [][]float64 // of their inner products: each row from the diagonal on, what follows it doubled
	bound   float64     // no energy is larger than this times the sum of the squared inner products
}

// An analysis tells of each look which of a country's mixes it holds.
type analysis struct {
	bases []basis
	mixes []mix
	dots  []float64 // inner products with the look, cosine and sine in turn
	own   []float64 // those of one space
}

// newAnalysis can tell the given frequencies apart. Sets that are the same are one.
func newAnalysis(sets [][]float64) *analysis {
	a := &analysis{}
	var all []float64
	for _, s := range sets {
		all = append(all, s...)
	}
	for _, s := range sets {
		if a.find(s) < 0 {
			a.mixes = append(a.mixes, a.newMix(s, all))
		}
	}
	a.dots = make([]float64, 2*len(a.bases))
	a.own = make([]float64, 2*len(a.bases))
	return a
}

// find is the index of a mix, or -1.
func (a *analysis) find(hz []float64) int {
	for i, m := range a.mixes {
		if len(m.hz) != len(hz) {
			continue
		}
		same := true
		for j := range hz {
			same = same && m.hz[j] == hz[j]
		}
		if same {
			return i
		}
	}
	return -1
}

func (a *analysis) newMix(hz, all []float64) mix {
	m := mix{hz: hz}
	vectors := make([][]int, len(hz))
	for i, f := range hz {
		n := 1
		if !crowded(f, all) {
			n = 1 + int(math.Ceil(2*tolerance*f/spread))
		}
		for k := range n {
			vectors[i] = append(vectors[i], a.basis(f+spread*(float64(k)-float64(n-1)/2)))
		}
	}
	without := func(skip int) space {
		var v []int
		for i, of := range vectors {
			if i != skip {
				v = append(v, of...)
			}
		}
		return a.newSpace(v)
	}
	m.whole = without(-1)
	if len(hz) > 1 {
		for i := range hz {
			m.less = append(m.less, without(i))
		}
	}
	return m
}

// crowded tells whether another frequency of the country is close.
func crowded(f float64, all []float64) bool {
	for _, other := range all {
		if d := math.Abs(f - other); d > 0 && d < crowd {
			return true
		}
	}
	return false
}

// basis is the index of a frequency's basis, made if there is none.
func (a *analysis) basis(hz float64) int {
	for i := range a.bases {
		if a.bases[i].hz == hz {
			return i
		}
	}
	b := basis{hz: hz, turn: cmplx.Rect(1, -2*math.Pi*hz/dsp.SampleRate*hop)}
	for n := range hop {
		b.sin[n], b.cos[n] = math.Sincos(2 * math.Pi * hz / dsp.SampleRate * float64(n))
	}
	a.bases = append(a.bases, b)
	return len(a.bases) - 1
}

func (a *analysis) newSpace(vectors []int) space {
	n := 2 * len(vectors)
	product := make([][]float64, n)
	for i := range n {
		product[i] = make([]float64, n)
		for j := range n {
			product[i][j] = inner(a.bases[vectors[i/2]].hz, a.bases[vectors[j/2]].hz, i%2 == 1, j%2 == 1)
		}
	}
	s := space{vectors: vectors, inverse: invert(product)}
	for i, row := range s.inverse {
		var sum float64
		for _, v := range row {
			sum += math.Abs(v)
		}
		s.bound = max(s.bound, sum) // no eigenvalue is larger than a row's sum
		s.inverse[i] = row[i:]
		for j := range s.inverse[i][1:] {
			s.inverse[i][1+j] *= 2
		}
	}
	return s
}

// inner is the inner product over a window of a cosine (or a sine) of one
// frequency and that of another.
func inner(a, b float64, sinA, sinB bool) float64 {
	minus := dsp.Kernel(2*math.Pi*(a-b)/dsp.SampleRate, window)
	plus := dsp.Kernel(2*math.Pi*(a+b)/dsp.SampleRate, window)
	switch {
	case sinA && sinB:
		return window / 2 * (real(minus) - real(plus))
	case sinA:
		return window / 2 * (imag(plus) + imag(minus))
	case sinB:
		return window / 2 * (imag(plus) - imag(minus))
	}
	return window / 2 * (real(minus) + real(plus))
}

// invert inverts a positive definite matrix by Gauss and Jordan.
func invert(m [][]float64) [][]float64 {
	n := len(m)
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
		out[i][i] = 1
	}
	for i := range n {
		scale := 1 / m[i][i]
		for k := range n {
			m[i][k] *= scale
			out[i][k] *= scale
		}
		for j := range n {
			if f := m[j][i]; j != i {
				for k := range n {
					m[j][k] -= f * m[i][k]
					out[j][k] -= f * out[i][k]
				}
			}
		}
	}
	return out
}

// reset forgets the samples.
func (a *analysis) reset() {
	for i := range a.bases {
		clear(a.bases[i].corr[:])
	}
}

// take correlates the next hop of samples.
func (a *analysis) take(x *[hop]float64) {
	for i := range a.bases {
		b := &a.bases[i]
		var c, s, c2, s2 float64 // two sums each, for the processor to work on at once
		for n := 0; n < hop; n += 2 {
			c += x[n] * b.cos[n]
			s += x[n] * b.sin[n]
			c2 += x[n+1] * b.cos[n+1]
			s2 += x[n+1] * b.sin[n+1]
		}
		copy(b.corr[:], b.corr[1:])
		b.corr[len(b.corr)-1] = complex(c+c2, -s-s2)
	}
}

// look takes the inner products of the window that the last hop ended.
func (a *analysis) look() {
	for i := range a.bases {
		b := &a.bases[i]
		sum := b.corr[len(b.corr)-1]
		for h := len(b.corr) - 2; h >= 0; h-- {
			sum = b.corr[h] + b.turn*sum
		}
		a.dots[2*i], a.dots[2*i+1] = real(sum), -imag(sum)
	}
}

// energy is the energy of the last look that lies in the space; some number
// below the given one if it is less than that.
func (a *analysis) energy(s *space, least float64) (e float64) {
	var squares float64
	for i, v := range s.vectors {
		c, s := a.dots[2*v], a.dots[2*v+1]
		a.own[2*i], a.own[2*i+1] = c, s
		squares += c*c + s*s
	}
	if s.bound*squares < least {
		return 0
	}
	for i, row := range s.inverse {
		var sum float64
		own := a.own[i : i+len(row)]
		for j, g := range row {
			sum += g * own[j]
		}
		e += sum * own[0]
	}
	return e
}

// best is the mix that the last look holds, by its index, and the mix's energy;
// -1 if it holds none. all is the energy of the look.
func (a *analysis) best(all float64) (found int, energy float64) {
	found = -1
	for i := range a.mixes {
		m := &a.mixes[i]
		if e := a.energy(&m.whole, purity*all); e >= purity*all && e > energy && a.complete(m, e) {
			found, energy = i, e
		}
	}
	return found, energy
}

// complete tells whether each frequency of the mix has its share.
func (a *analysis) complete(m *mix, energy float64) bool {
	for i := range m.less {
		if energy-a.energy(&m.less[i], 0) < part*energy {
			return false
		}
	}
	return true
}
