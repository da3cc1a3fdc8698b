package echo

// A history is what was sent to the line within the tail, as spectra.
type history struct {
	far    []spectrum      // a ring, one a step; far[head] is the newest
	powers [][bins]float64 // of each of them
	energy []float64       // of each of them
	head   int
	last   [block]float64 // the newest samples
}

func newHistory(parts int) history {
	return history{far: make([]spectrum, parts), powers: make([][bins]float64, parts), energy: make([]float64, parts)}
}

func (h *history) reset() {
	clear(h.far)
	clear(h.powers)
	clear(h.energy)
	clear(h.last[:])
	h.head = 0
}

// send takes the next samples sent.
func (h *history) send(far *[block]float64) {
	if h.head--; h.head < 0 {
		h.head = len(h.far) - 1
	}
	var x [size]float64
	copy(x[:block], h.last[:])
	copy(x[block:], far[:])
	h.last = *far
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	h.energy[h.head] = sum
	s, p := &h.far[h.head], &h.powers[h.head]
	if sum == 0 {
		*s, *p = spectrum{}, [bins]float64{}
		return
	}
	s.forward(&x)
	for k := range bins {
		p[k] = s.re[k]*s.re[k] + s.im[k]*s.im[k]
	}
}

// loudest is the power of the loudest of the samples whose echo may be heard now.
func (h *history) loudest() (most float64) {
	for _, e := range h.energy {
		most = max(most, e)
	}
	return most / size
}

// newest is the power of the samples sent last.
func (h *history) newest() float64 { return h.energy[h.head] / size }

// part is the spectrum of the samples sent p steps ago, and power its square.
func (h *history) part(p int) *spectrum       { return &h.far[h.at(p)] }
func (h *history) power(p int) *[bins]float64 { return &h.powers[h.at(p)] }

func (h *history) at(p int) int {
	if p += h.head; p >= len(h.far) {
		p -= len(h.far)
	}
	return p
}

// impure is how much of its energy a signal of one tone or two has elsewhere
// at the most: 25 dB less.
const impure = 3e-3

// tonal tells whether the newest samples are one tone or two.
func (h *history) tonal() bool {
	s := h.part(0)
	var e [bins]float64
	var all float64
	for k := 1; k < block; k++ { // through a Hann window, by its spectrum
		re := s.re[k]/2 - (s.re[k-1]+s.re[k+1])/4
		im := s.im[k]/2 - (s.im[k-1]+s.im[k+1])/4
		e[k] = re*re + im*im
		all += e[k]
	}
	rest := all
	for range 2 {
		top := 1
		for k := range e {
			if e[k] > e[top] {
				top = k
			}
		}
		for k := max(top-2, 0); k <= min(top+2, block); k++ {
			rest -= e[k]
			e[k] = 0
		}
	}
	return all > 0 && rest < impure*all
}
