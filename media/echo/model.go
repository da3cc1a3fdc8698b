package echo

const (
	// doubt is how much of the echo path's power a model does not know at
	// first: an echo as loud as our voice, spread over the tail.
	doubt = 1.0
	// wander is by how much of its power an echo path may have changed from one
	// step to the next. More follows a change sooner, less models it better.
	wander = 2e-5
	// memory is the weight of the past in the near end's spectrum, by step.
	memory = 0.85
	// cycle is how many steps it takes until each part was put in order again.
	cycle = 8
	// least is a squared error so small that it means nothing, except to the
	// processor: numbers that decay below all others are slow.
	least = 1e-30
	// grain is the energy that a bin has at the least.
	grain = 1e-8
)

// A model is what is known of an echo path: a filter in parts of a block each,
// held as spectra, and for each bin of each how far it may be off. It learns
// by the partitioned form of G. Enzner and P. Vary, "Frequency-domain adaptive
// Kalman filter for acoustic echo control in hands-free telephones", Signal
// Processing 86 (2006).
type model struct {
	path     []spectrum
	off      [][bins]float64 // expected squared error of path
	near     [bins]float64   // spectrum of what is no echo
	next     int             // the part to be put in order next
	expected float64         // power of the echo that it may have left
}

func newModel(parts int) model {
	m := model{path: make([]spectrum, parts), off: make([][bins]float64, parts)}
	m.forget()
	return m
}

// forget makes it a model that knows nothing.
func (m *model) forget() {
	clear(m.path)
	for p := range m.off {
		for k := range m.off[p] {
			m.off[p][k] = doubt / float64(len(m.off))
		}
	}
	clear(m.near[:])
	m.next, m.expected = 0, 0
}

// become makes it a copy of another.
func (m *model) become(other *model) {
	copy(m.path, other.path)
	copy(m.off, other.off)
	m.near, m.next, m.expected = other.near, other.next, other.expected
}

// echo estimates the echo in the samples that arrive now.
func (m *model) echo(h *history, y *[block]float64) {
	var sum spectrum
	for p := range m.path {
		x, w := h.part(p), &m.path[p]
		for k := range bins {
			sum.re[k] += x.re[k]*w.re[k] - x.im[k]*w.im[k]
			sum.im[k] += x.re[k]*w.im[k] + x.im[k]*w.re[k]
		}
	}
	var t [size]float64
	sum.inverse(&t)
	copy(y[:], t[block:])
}

// learn corrects the model by what its estimate left of the samples received.
func (m *model) learn(h *history, left *[block]float64) {
	var t [size]float64
	copy(t[block:], left[:])
	var e spectrum
	e.forward(&t)

	var unsure, scale [bins]float64
	for p := range m.off {
		pow, off := h.power(p), &m.off[p]
		for k := range bins {
			unsure[k] += off[k] * pow[k]
		}
	}
	m.expected = 0
	for k := range bins {
		power := e.re[k]*e.re[k] + e.im[k]*e.im[k]
		m.near[k] = memory*m.near[k] + (1-memory)*power
		// Half of a step's samples are zeros here: what was left counts twice.
		scale[k] = 1 / (unsure[k] + 2*max(m.near[k], power) + grain)
		m.expected += unsure[k]
	}
	m.expected *= 2. / (size * size)

	for p := range m.path {
		x, pow, w, off := h.part(p), h.power(p), &m.path[p], &m.off[p]
		for k := range bins {
			o := off[k]
			gain := o * scale[k]
			re := w.re[k] + gain*(x.re[k]*e.re[k]+x.im[k]*e.im[k])
			im := w.im[k] + gain*(x.re[k]*e.im[k]-x.im[k]*e.re[k])
			w.re[k], w.im[k] = re, im
			off[k] = (1-wander)*(1-gain*pow[k]/2)*o + wander*(re*re+im*im) + least
		}
	}
	for range (len(m.path) + cycle - 1) / cycle {
		m.constrain()
	}
}

// constrain makes one part of the path, in turn, a filter of block samples:
// corrections by spectrum wrap around.
func (m *model) constrain() {
	var t [size]float64
	w := &m.path[m.next]
	w.inverse(&t)
	clear(t[block:])
	w.forward(&t)
	m.next = (m.next + 1) % len(m.path)
}
