package linesim

import (
	"math/bits"

	"crosspoint/gateway/linecard"
	"crosspoint/media/g711"
)

const (
	playoutSamples = 4000 // how far ahead the host may send: half a second
	playoutRing    = 4096
	maxTick        = 160 // samples
	maxMargin      = 32000
)

// playout keeps the samples of one port until their time. Each has its place
// by the card's clock; what never comes leaves silence and delays nothing.
type playout struct {
	ring [playoutRing]uint16 // a µ-law code, or 0: nothing came
}

const filled = 0x100

// put stores µ-law samples whose first is to be played at clock at.
func (p *playout) put(at, now uint64, mulaw []byte) {
	for i, s := range mulaw {
		t := at + uint64(i)
		if t >= now && t < now+playoutSamples {
			p.ring[t%playoutRing] = filled | uint16(s)
		}
	}
}

// get takes the samples due now, and silence for those that are missing. It tells
// how many of the first are there, and how many after these are missing.
func (p *playout) get(now uint64, out []int16) (there, missing int) {
	for i := range out {
		slot := &p.ring[(now+uint64(i))%playoutRing]
		if *slot == 0 {
			missing++
			out[i] = 0
			continue
		}
		if missing > 0 {
			break
		}
		there++
		out[i] = g711.MuLaw.DecodeSample(byte(*slot))
		*slot = 0
	}
	return there, missing
}

func (p *playout) clear() { p.ring = [playoutRing]uint16{} }

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
			var tick [maxTick]byte
			codes := tick[:c.tickLen]
			linecard.GetSamples(codes, samples)
			if f.Damaged {
				linecard.Declick(codes)
			}
			c.ports[n].base().play.put(at, c.clock, codes)
		}
		samples = samples[c.tickLen:]
	}
}
