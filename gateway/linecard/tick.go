package linecard

import (
	"math/bits"
	"time"

	"crosspoint/gateway/jack"
)

// slowTicks is how many ticks a card may drop before the line is called slow.
const slowTicks = 10

// media is a session's audio: ticks of the card gathered to frames of 20 ms,
// and the card's clock. It belongs to the card's owner.
type media struct {
	tick    int    // samples of a tick on the wire; changes with CONFIGURE's ACK
	newest  uint64 // the card's sample counter, extended to 64 bits
	running bool   // a tick has come since the session began
	anchor  uint64 // where the first frame began: the next ones follow each 20 ms
	due     uint64 // where the next tick should begin
	frame   uint64 // where the frame being gathered begins
	have    int    // samples gathered of it
	mask    uint32 // ports of which something was gathered
	heard   uint16 // sequence number of the card's newest tick
	seq     uint16 // and of ours
	lead    int    // samples from a frame's end to the playout of its answer
	first   int    // the lead to come back to
	ample   time.Time
	slow    bool   // that the line is too slow was said
	raw     []byte // content of a frame to be sent
	wire    []byte // stuffed frames to be sent
	play    uint64 // when the card plays the answers to the frame delivered
}

func (m *media) begin(clock uint32, lead time.Duration) {
	first := max(Samples(lead), 0)
	*m = media{tick: Samples(20 * time.Millisecond), newest: uint64(clock), lead: first, first: first, raw: m.raw, wire: m.wire}
}

// setTick takes the tick of an acknowledged CONFIGURE.
func (m *media) setTick(millis int) {
	if t := millis * 8; t != m.tick {
		m.tick, m.running = t, false
	}
}

// extend makes a full counter of the 32 bits on the wire: the one nearest to
// the newest known.
func (m *media) extend(clock uint32) uint64 {
	full := m.newest + uint64(int64(int32(clock-uint32(m.newest))))
	if int64(full) < 0 { // before the counter began: a card's mistake
		full = 0
	}
	if full > m.newest {
		m.newest = full
	}
	return full
}

// tick takes one MEDIA frame from the card.
func (c *Card) tick(f Frame) {
	m := &c.media
	in, err := ParseMedia(f.Content, m.tick)
	if err != nil || c.state != up {
		if !f.Damaged {
			c.badFrame(TypeMedia, err)
		}
		return
	}
	c.heard = time.Now()
	c.count.mediaIn.Add(1)
	if f.Damaged {
		c.count.damagedTicks.Add(1)
	}
	clock := m.extend(in.Clock)
	if m.running && clock+8000 < m.due { // the counter has jumped: begin anew
		m.running, m.newest = false, clock
	}
	switch {
	case !m.running:
		m.running, m.anchor, m.frame, m.have, m.mask = true, clock, clock, 0, 0
	case clock < m.due:
		c.count.ignored.Add(1)
		return // a second time, or the past
	default: // without audio there are no ticks: only the numbers tell what was lost
		c.count.lostTicks.Add(uint64(in.Seq - m.heard - 1))
	}
	m.due, m.heard = clock+uint64(m.tick), in.Seq
	at := int((clock - m.anchor) % jack.FrameSize)
	if at%m.tick != 0 { // the card's ticks have moved: gather anew from here
		m.anchor, at = clock, 0
	}
	if start := clock - uint64(at); start != m.frame {
		if m.have > 0 {
			c.deliver() // what came of a frame whose rest is lost
		}
		m.frame = start
	}
	c.gather(in, at, f.Damaged)
	if m.have += m.tick; at+m.tick == jack.FrameSize {
		c.deliver()
	}
}

// gather puts a tick's samples at their place in each port's frame. What is
// missing of a frame stays silence.
func (c *Card) gather(in Media, at int, damaged bool) {
	m := &c.media
	samples := in.Samples
	for mask := in.Mask; mask != 0; mask &= mask - 1 {
		n := bits.TrailingZeros32(mask)
		p := &c.slots[n+1]
		if m.mask&(1<<n) == 0 {
			m.mask |= 1 << n
			silence(p.rx[:])
		}
		GetSamples(p.rx[at:at+m.tick], samples)
		if damaged {
			Declick(p.rx[at : at+m.tick])
		}
		samples = samples[m.tick:]
	}
}

// deliver hands the frame to the handlers and sends what they answer, to be
// played at its own time (§6.1): an answer that never comes delays no later one.
func (c *Card) deliver() {
	m := &c.media
	m.play = m.frame + jack.FrameSize + uint64(m.lead)
	var mask uint32
	for left := m.mask; left != 0; left &= left - 1 {
		n := bits.TrailingZeros32(left)
		p := &c.slots[n+1]
		if !p.up || p.handler == nil || p.want.Want&WantAudio == 0 {
			continue
		}
		mask |= 1 << n
		silence(p.tx[:])
		p.handler.Tick(p.rx[:], p.tx[:], m.frame)
	}
	m.have, m.mask = 0, 0
	if mask == 0 || c.link == nil {
		return
	}
	m.wire = m.wire[:0]
	for at := 0; at < jack.FrameSize; at += m.tick {
		m.seq++
		m.raw = BeginMedia(m.raw[:0], m.seq, uint32(m.play)+uint32(at), mask)
		for left := mask; left != 0; left &= left - 1 {
			p := &c.slots[bits.TrailingZeros32(left)+1]
			m.raw = PutSamples(m.raw, p.tx[at:at+m.tick])
		}
		m.wire = AppendFrame(m.wire, m.raw)
	}
	m.wire = c.link.out.tick(m.wire)
}

// silence is µ-law's code of zero.
func silence(b []byte) {
	for i := range b {
		b[i] = 0xff
	}
}

// report adapts the lead: at once when answers come late, slowly back when
// they have long come early.
func (c *Card) report(payload []byte) {
	r, err := ParseReport(payload)
	if err != nil || c.state != up {
		c.badFrame(TypeReport, err)
		return
	}
	c.count.report(r)
	m, now := &c.media, time.Now()
	if r.Dropped > slowTicks && !m.slow {
		m.slow = true
		c.log.Warn(c.String() + ": audio is dropped: the serial line is too slow for so many ports, raise the baud rate of both sides")
	}
	step, most := Samples(leadStep), Samples(maxLead)
	switch margin := int(r.Margin); {
	case margin < 0:
		was := m.lead
		m.lead = min(m.lead-margin+step, most, max(int(c.hello.Buffer)-2*jack.FrameSize, m.first))
		m.ample = time.Time{}
		if m.lead != was {
			c.log.Info(c.String()+": audio came late at the card", "late", Duration(-margin), "lead", Duration(m.lead))
		}
	case margin < 3*step || m.lead <= m.first:
		m.ample = time.Time{}
	case m.ample.IsZero():
		m.ample = now
	case now.Sub(m.ample) >= leadPatience:
		m.lead = max(m.lead-step, m.first)
		m.ample = now
	}
	c.count.lead.Store(int64(Duration(m.lead)))
}
