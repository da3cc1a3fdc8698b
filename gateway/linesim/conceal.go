package linesim

// concealment fills the place of lost ticks, up to 40 ms, by going on with what was
// heard before as linear prediction does (Burg's method): a tone that loses a tick
// goes on in its phase, so that a DTMF digit stays one digit though several of its
// ticks are lost. A voice goes on too, and fades.
type concealment struct {
	past  [concealPast]float64 // what was played, oldest first
	next  [concealOrder]float64
	knows bool // next is of the past
	run   int  // samples invented in a row
}

const (
	concealPast  = 240 // samples
	concealOrder = 16
	concealMost  = 320    // samples
	concealFade  = 0.9995 // a sample
)

// played remembers what was there.
func (c *concealment) played(pcm []int16) {
	copy(c.past[:], c.past[len(pcm):])
	for i, s := range pcm {
		c.past[len(c.past)-len(pcm)+i] = float64(s)
	}
	c.knows, c.run = false, 0
}

// invent writes what is missing; silence after 40 ms.
func (c *concealment) invent(out []int16) {
	if !c.knows {
		c.predict()
	}
	for i := range out {
		s := 0.0
		if c.run++; c.run <= concealMost {
			for k, a := range c.next {
				s += a * c.past[len(c.past)-1-k]
			}
		}
		s = max(-32000, min(32000, s))
		copy(c.past[:], c.past[1:])
		c.past[len(c.past)-1] = s
		out[i] = int16(s)
	}
}

// predict finds by which share of each of the samples before it a sample goes on.
func (c *concealment) predict() {
	c.knows, c.next = true, [concealOrder]float64{}
	forward, backward := c.past, c.past
	for k := range concealOrder {
		over, under := 0.0, 1e-9
		for n := k + 1; n < concealPast; n++ {
			over += forward[n] * backward[n-1]
			under += forward[n]*forward[n] + backward[n-1]*backward[n-1]
		}
		reflection := 2 * over / under
		was := c.next
		for i := range k {
			c.next[i] = was[i] - reflection*was[k-1-i]
		}
		c.next[k] = reflection
		for n := concealPast - 1; n > k; n-- {
			f, b := forward[n], backward[n-1]
			forward[n], backward[n] = f-reflection*b, b-reflection*f
		}
	}
	fade := 1.0
	for k := range c.next {
		fade *= concealFade
		c.next[k] *= fade
	}
}
