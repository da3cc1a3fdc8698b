package linesim

import (
	"time"

	"crosspoint/gateway/linecard"
	"crosspoint/media/g711"
)

// port is what the firmware does with one jack.
type port interface {
	base() *jackBase
	info() linecard.PortInfo
	reset()
	set(linecard.Set) linecard.Reason
	interrupt(t linecard.Type, d time.Duration) linecard.Reason
	setTiming(linecard.Timing)
	step()
}

// debounce is how long a change must last before the card believes it, in
// steps: 60 ms.
const debounce = 6

// jackBase is what both kinds of port have.
type jackBase struct {
	card    *Card
	n       uint8
	audio   bool
	playing bool // something has come to play since audio was switched on
	faulty  bool
	play    playout
	conceal concealment
	capture [160]byte
	timing  linecard.Timing
	in, out [stepSamples]int16 // of this step: to the line, from the line
}

func (b *jackBase) base() *jackBase { return b }

// captured is the tick that has just ended.
func (b *jackBase) captured(tick int) []byte { return b.capture[:tick] }

// fetch gets what the host wants the line to hear in this step.
func (b *jackBase) fetch() {
	c := b.card
	if !b.audio || !c.powered {
		clear(b.in[:])
		return
	}
	lacks := false
	for at := 0; at < len(b.in); { // a tick that was lost need not begin with a step
		there, missing := b.play.get(c.clock+uint64(at), b.in[at:])
		if there > 0 {
			b.playing = true
			b.conceal.played(b.in[at : at+there])
		}
		if at += there; missing > 0 && b.playing {
			lacks = true
			b.conceal.invent(b.in[at : at+missing])
		}
		at += missing
	}
	if lacks {
		c.missing++
	}
}

// store keeps what the line says for the tick under way.
func (b *jackBase) store() {
	at := int(b.card.clock) % b.card.tickLen
	g711.MuLaw.Encode(b.capture[at:at+stepSamples], b.out[:])
}

func (b *jackBase) setAudio(on bool) {
	if on != b.audio {
		b.audio, b.playing = on, false
		b.play.clear()
		b.conceal = concealment{}
	}
}

// setTiming takes the fields that are not zero.
func (b *jackBase) setTiming(t linecard.Timing) {
	take := func(to *time.Duration, d time.Duration) {
		if d > 0 {
			*to = d
		}
	}
	take(&b.timing.PulseMax, t.PulseMax)
	take(&b.timing.FlashMin, t.FlashMin)
	take(&b.timing.FlashMax, t.FlashMax)
	take(&b.timing.LoopDropMin, t.LoopDropMin)
}

// defaultTiming is that of §5.4.
var defaultTiming = linecard.Timing{
	PulseMax:    90 * time.Millisecond,
	FlashMin:    300 * time.Millisecond,
	FlashMax:    1000 * time.Millisecond,
	LoopDropMin: 80 * time.Millisecond,
}

// A settled value changes only after its source has differed for a while.
type settled struct {
	now   bool
	steps int // that the source has differed
}

// see takes the source's value of a step and tells whether the settled value
// has changed by it.
func (s *settled) see(v bool, after int) bool {
	if v == s.now {
		s.steps = 0
		return false
	}
	if s.steps++; s.steps < after {
		return false
	}
	s.now, s.steps = v, 0
	return true
}
