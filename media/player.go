package media

import (
	"math/rand/v2"
	"sync"

	"crosspoint/media/g711"
)

// A Player plays one Source to one Sink at the pace of a Pacer.
type Player struct {
	pacer *Pacer
	to    Sink
	law   func() g711.Law
	done  func()

	mu      sync.Mutex // guards src and stopped; no packet is written under it
	src     Source
	stopped bool

	out packetMaker // belongs to the pacer's goroutine
	pcm [g711.FrameSize]int16
}

// Play starts to play src to the sink: in the stream's law if the sink is a
// Stream, else in law. When the source ends by itself done is called, if it is
// not nil, on the pacer's goroutine: it must not block.
func (p *Pacer) Play(src Source, to Sink, law g711.Law, done func()) *Player {
	pl := &Player{pacer: p, to: to, src: src, done: done, law: func() g711.Law { return law }}
	if s, ok := to.(Stream); ok {
		pl.law = s.Law
	}
	pl.out = newPacketMaker()
	p.add(pl)
	return pl
}

// Stop ends the playing. After it the source is not read any more; a packet
// that is on its way may still arrive. Stopping twice does nothing.
func (pl *Player) Stop() {
	pl.mu.Lock()
	was := pl.stopped
	pl.stopped = true
	pl.mu.Unlock()
	if !was {
		pl.pacer.remove(pl)
	}
}

func (pl *Player) tick(n uint64) {
	pl.mu.Lock()
	if pl.stopped {
		pl.mu.Unlock()
		return
	}
	got := pl.src.Read(pl.pcm[:])
	ended := got < len(pl.pcm)
	pl.stopped = ended
	pl.mu.Unlock()
	if got > 0 {
		clear(pl.pcm[got:])
		pl.to.Write(pl.out.linear(n, pl.law(), &pl.pcm))
	}
	if ended {
		pl.pacer.remove(pl)
		if pl.done != nil {
			pl.done()
		}
	}
}

// packetMaker makes the packets of a paced source: frame n follows frame n-1,
// and frames left out show in the timestamp.
type packetMaker struct {
	packet  Packet
	base    uint32 // timestamp of frame 0
	started bool
	codes   [g711.FrameSize]byte
}

func newPacketMaker() packetMaker {
	return packetMaker{
		base:   rand.Uint32(),
		packet: Packet{Seq: uint16(rand.Uint32()), Source: rand.Uint32() | 1},
	}
}

// linear is the packet of frame n. It is valid until the next call.
func (m *packetMaker) linear(n uint64, law g711.Law, pcm *[g711.FrameSize]int16) *Packet {
	law.Encode(m.codes[:], pcm[:])
	return m.encoded(n, law, m.codes[:])
}

// encoded is the packet of frame n whose codes are already made.
func (m *packetMaker) encoded(n uint64, law g711.Law, codes []byte) *Packet {
	p := &m.packet
	p.Law = law
	p.Marker = !m.started
	p.Seq++
	p.Timestamp = m.base + uint32(n)*g711.FrameSize
	p.Payload = codes
	m.started = true
	return p
}
