package linesim

import (
	"math/bits"

	"crosspoint/gateway/linecard"
	"crosspoint/media/g711"
)

const (
	playoutSamples = 4000 // how far ahead the host may send: half a second
	playoutRing    = 4096
	maxMargin      = 32000
)

// playout keeps the samples of one port until their time. Each has its place
// by the card's clock; what never comes leaves silence and delays nothing.
type playout struct {
	ring [playoutRing]uint16 // a µ-law code, or 0: nothing came
}

const filled = 0x100

// put stores samples from the wire whose first is to be played at clock at.
func (p *playout) put(at, now uint64, wire []byte) {
	for i, s := range wire {
		t := at + uint64(i)
		if t >= now && t < now+playoutSamples {
			p.ring[t%playoutRing] = filled | uint16(s^0x7f)
		}
	}
}

// get takes the samples due now, silence for those that are missing, and tells
// how many these were.
func (p *playout) get(now uint64, out []int16) (missing int) {
	for i := range out {
		slot := &p.ring[(now+uint64(i))%playoutRing]
		if *slot == 0 {
			missing++
			out[i] = 0
			continue
		}
		out[i] = g711.MuLaw.DecodeSample(byte(*slot))
		*slot = 0
	}
	return missing
}

func (p *playout) clear() { p.ring = [playoutRing]uint16{} }

// concealment fills the place of one lost tick (20 ms) with what fits best to
// what was played before, so that a tone that lost a tick is still one tone.
type concealment struct {
	past [concealPast + stepSamples]int16 // what was played, oldest first
	lag  int                              // distance of the repetition under way; 0: none
	run  int                              // samples invented in a row
}

const (
	concealPast  = 320
	concealMost  = 160 // samples
	concealMatch = 120 // samples that are compared
)

// played remembers a step that was whole.
func (c *concealment) played(pcm []int16) {
	copy(c.past[:], c.past[len(pcm):])
	copy(c.past[len(c.past)-len(pcm):], pcm)
	c.lag, c.run = 0, 0
}

// invent writes a step in place of one that is missing; silence after 20 ms.
func (c *concealment) invent(out []int16) {
	if c.run >= concealMost {
		clear(out)
		return
	}
	if c.lag == 0 {
		c.lag = c.fit()
	}
	lag := c.lag
	for i := range out {
		copy(c.past[:], c.past[1:])
		out[i] = c.past[len(c.past)-1-lag]
		c.past[len(c.past)-1] = out[i]
	}
	c.run += len(out)
}

// fit is the distance, up to a tick, at which the newest samples resemble
// older ones most.
func (c *concealment) fit() int {
	newest := c.past[len(c.past)-concealMatch:]
	best, least := 1, int64(1)<<62
	for lag := 40; lag <= 160; lag++ {
		older := c.past[len(c.past)-concealMatch-lag:]
		var off int64
		for i, s := range newest {
			d := int64(s) - int64(older[i])
			off += d * d
		}
		if off < least {
			best, least = lag, off
		}
	}
	return best
}

// play stores a tick from the host (§6.1, §6.4). A damaged one is used if its
// header is whole.
func (c *Card) play(f linecard.Frame) {
	m, err := linecard.ParseMedia(f.Content, c.tickLen)
	if err != nil || c.session == 0 {
		return
	}
	c.heard = c.clock
	c.fed = true
	at := c.clock + uint64(int64(int32(m.Clock-uint32(c.clock))))
	margin := int(int32(m.Clock - uint32(c.clock)))
	c.margin = min(c.margin, margin)
	if margin < 0 {
		c.late++
	}
	samples := m.Samples
	for mask := m.Mask; mask != 0; mask &= mask - 1 {
		if n := bits.TrailingZeros32(mask); n < len(c.ports) {
			c.ports[n].base().play.put(at, c.clock, samples[:c.tickLen])
		}
		samples = samples[c.tickLen:]
	}
}
