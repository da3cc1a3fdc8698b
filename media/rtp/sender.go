package rtp

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"crosspoint/media"
	"crosspoint/media/g711"
)

const (
	headerSize  = 12
	maxBack     = 10 * g711.SampleRate // how far a timestamp may go back: an event keeps its start's
	maxAhead    = 60 * g711.SampleRate // and ahead: a silence without packets
	anchorEvery = 256                  // packets after which the source's clock is compared with ours
	anchorSlack = 480                  // samples by which it may be off before ours follows it
	spins       = 100                  // tries to enter at once: another is inside for some microseconds
	patience    = 200                  // tries after that, a pause apart: another was interrupted inside
	pause       = 50 * time.Microsecond
)

// A sender writes packets to the party. The numbers that the party sees go on
// without a break whoever speaks: within one source they keep the steps of the
// source's own, so that losses, silences and packet lengths pass; between two
// they are spliced by the clock.
//
// One source writes at a time, but at the moment of a change two may, and the
// session's own digits come in between. So whoever writes enters first; it is
// a single compare-and-swap, and nobody waits but at such a moment.
type sender struct {
	s       *Session
	busy    atomic.Bool
	over    atomic.Bool   // nobody comes in any more
	ssrc    atomic.Uint32 // ours
	packets atomic.Uint32 // sent, for sender reports, as octets is

	// The rest, but octets, belongs to who is inside.
	running  bool   // a packet was sent
	splice   bool   // what was sent last is not from the source in last
	seq      uint16 // of the newest packet sent
	ts       uint32 // of it
	length   uint32 // its samples
	source   uint32 // whose packet it was, and what it had there
	lastSeq  uint16
	lastTS   uint32
	anchorTS uint32 // timestamp sent at the time anchor
	anchor   time.Time
	left     int  // packets until the anchor is set anew
	digit    bool // our own digit is on: nobody else is heard

	inBand *media.InBand // made when the party takes no telephone-events and one comes
	repack *repacker     // made when the party wants another packet length
	octets atomic.Uint32 // of payload; it stands here for touch
	buf    []byte        // a packet; as long as the longest so far
}

// enter asks for the sender. It fails only if the session is closed, or another
// stays inside for 10 ms.
func (o *sender) enter() bool {
	for try := range spins + patience {
		if o.busy.CompareAndSwap(false, true) {
			return true
		}
		if o.over.Load() {
			return false
		}
		if try < spins {
			runtime.Gosched()
		} else {
			time.Sleep(pause)
		}
	}
	return false
}

// shut keeps everybody out for ever: the socket is about to be closed, and its
// number may be another's then.
func (o *sender) shut() {
	o.over.Store(true)
	for !o.busy.CompareAndSwap(false, true) {
		runtime.Gosched()
	}
}

func (o *sender) leave() { o.busy.Store(false) }

// write sends a source's packet, in the form that the party takes. Whoever
// calls is inside.
func (o *sender) write(p *media.Packet) {
	if o.s.target.Load() == nil || !o.s.Direction().Sends() || o.digit {
		o.splice = true
		return
	}
	f := o.s.format.Load()
	switch {
	case f.EventPT != 0:
		o.inBand = nil
		o.sized(p, f)
	case o.inBand == nil && p.Kind != media.Event:
		o.sized(p, f)
	default:
		if o.inBand == nil {
			o.inBand = media.NewInBand(inside{o}, o.s.Law)
		}
		o.inBand.Write(p)
	}
}

// inside is the sender as a Sink for what works within it.
type inside struct{ *sender }

func (i inside) Write(p *media.Packet) { i.sized(p, i.s.format.Load()) }

// sized sends p in packets of the length that the party wants.
func (o *sender) sized(p *media.Packet, f *Format) {
	size := f.packetSamples()
	if size == 0 || (o.repack == nil && (p.Kind != media.Audio || len(p.Payload) == size)) {
		o.repack = nil
		o.send(p, f)
		return
	}
	if o.repack == nil || o.repack.size != size {
		o.repack = &repacker{size: size}
	}
	o.repack.write(p, func(p *media.Packet) { o.send(p, f) })
}

// send sends p as one packet.
func (o *sender) send(p *media.Packet, f *Format) {
	pt := f.audioPT()
	switch p.Kind {
	case media.Event:
		pt = f.EventPT
	case media.Noise:
		pt = f.NoisePT
		if pt == 0 {
			o.splice = true
			return
		}
	}
	if len(p.Payload) > media.MaxPayload {
		o.splice = true
		return
	}
	seq, ts, spliced, ok := o.place(p)
	if !ok {
		return
	}
	body := o.body(len(p.Payload))
	n := 0
	if p.Kind == media.Audio && p.Law != f.Law {
		n = p.Law.Convert(body, p.Payload)
	} else {
		n = copy(body, p.Payload)
	}
	o.emit(pt, p.Marker || (spliced && p.Kind == media.Audio), seq, ts, n)
}

// place finds the sequence number and the timestamp for a source's packet.
// Not ok: it is a repetition of the last.
func (o *sender) place(p *media.Packet) (seq uint16, ts uint32, spliced, ok bool) {
	steps, span := int16(p.Seq-o.lastSeq), int32(p.Timestamp-o.lastTS)
	same := o.running && !o.splice && p.Source == o.source
	if same && steps == 0 {
		if span == 0 {
			return 0, 0, false, false
		}
		steps = 1 // a source that does not count
	}
	if !same || steps < -maxMisorder || steps > maxDropout || span < -maxBack || span > maxAhead {
		o.spliceNow(time.Now())
		seq, ts, spliced = o.seq, o.ts, true
	} else {
		seq, ts = o.seq+uint16(steps), o.ts+uint32(span)
		if steps < 0 {
			return seq, ts, false, true // late: the newest stays the newest
		}
		o.seq, o.ts = seq, ts
		if o.left--; o.left <= 0 {
			o.follow(time.Now())
		}
	}
	o.source, o.lastSeq, o.lastTS = p.Source, p.Seq, p.Timestamp
	o.splice = false
	o.length = 0
	if p.Kind == media.Audio {
		o.length = uint32(len(p.Payload))
	}
	return seq, ts, spliced, true
}

// spliceNow sets seq and ts to those of a packet that begins now, after all
// that was sent.
func (o *sender) spliceNow(now time.Time) {
	o.seq++
	if !o.running {
		o.running = true
		o.seq, o.ts = uint16(rand.Uint32()), rand.Uint32()
		o.setAnchor(now)
		return
	}
	after := o.ts + o.length
	o.ts = o.clock(now)
	if int32(o.ts-after) < 0 {
		o.ts = after
	}
}

// follow sets our clock by the source's if they have drifted apart. A frame or
// two is no drift: a splice may have put a source off by that.
func (o *sender) follow(now time.Time) {
	o.left = anchorEvery
	if off := int32(o.ts - o.clock(now)); off > anchorSlack || off < -anchorSlack {
		o.setAnchor(now)
	}
}

func (o *sender) setAnchor(now time.Time) {
	o.anchor, o.anchorTS, o.left = now, o.ts, anchorEvery
}

// clock is the timestamp of now.
func (o *sender) clock(now time.Time) uint32 {
	return o.anchorTS + uint32(int64(now.Sub(o.anchor))*g711.SampleRate/int64(time.Second))
}

// body is room for n bytes of payload in buf. A session whose packets hold 20 ms,
// as nearly all do, never needs more than those.
func (o *sender) body(n int) []byte {
	if headerSize+n > len(o.buf) {
		o.buf = make([]byte, headerSize+max(n, g711.FrameSize))
	}
	return o.buf[headerSize:]
}

// emit sends the n bytes of payload that stand in buf.
func (o *sender) emit(pt uint8, marker bool, seq uint16, ts uint32, n int) {
	to := o.s.target.Load()
	if to == nil || !o.s.Direction().Sends() {
		return
	}
	b := o.buf[:headerSize+n]
	b[0] = 2 << 6
	b[1] = pt & 0x7f
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], o.ssrc.Load())
	if err := o.s.loop.send(b, to); err != nil {
		return // as if it were lost on the way
	}
	o.packets.Add(1)
	o.octets.Add(uint32(n))
}

// collide takes another SSRC: the party uses ours (RFC 3550 §8.2). A party
// that reflects our packets takes that one, too, and shall be heard none the
// less, so it is done only once.
func (o *sender) collide(theirs uint32) {
	if o.s.reflected {
		return
	}
	o.s.reflected = true
	for o.ssrc.Load() == theirs {
		o.ssrc.Store(rand.Uint32())
	}
}

// repacker cuts a source's audio into packets of another length.
type repacker struct {
	size   int // samples in a packet
	packet media.Packet
	have   int    // samples in buf
	begin  uint32 // timestamp of the first
	marker bool
	buf    [media.MaxPayload]byte
}

// write takes p and calls send for each packet that is full. What is not audio,
// a gap or another source sends what there is first.
func (r *repacker) write(p *media.Packet, send func(*media.Packet)) {
	if r.have > 0 && (p.Kind != media.Audio || p.Source != r.packet.Source ||
		p.Law != r.packet.Law || p.Timestamp != r.begin+uint32(r.have)) {
		r.flush(r.have, send)
	}
	if p.Kind != media.Audio {
		seq := r.packet.Seq + 1
		r.packet = *p
		r.packet.Seq = seq
		send(&r.packet)
		return
	}
	if len(p.Payload) > len(r.buf)-r.have {
		return
	}
	if r.have == 0 {
		r.begin, r.marker = p.Timestamp, p.Marker
	}
	r.packet.Kind, r.packet.Law, r.packet.Source = media.Audio, p.Law, p.Source
	r.have += copy(r.buf[r.have:], p.Payload)
	for r.have >= r.size {
		r.flush(r.size, send)
	}
}

func (r *repacker) flush(n int, send func(*media.Packet)) {
	r.packet.Seq++
	r.packet.Timestamp, r.packet.Marker = r.begin, r.marker
	r.packet.Payload = r.buf[:n]
	send(&r.packet)
	r.have = copy(r.buf[:], r.buf[n:r.have])
	r.begin += uint32(n)
	r.marker = false
}
