package rtp

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"crosspoint/media"
	"crosspoint/media/g711"
)

// A receiver takes the party's packets. Its fields belong to the RTP socket's
// loop, except where they are atomic.
type receiver struct {
	s       *Session
	to      atomic.Pointer[feed]
	packet  media.Packet
	origin  origin
	seq     sequence
	watch   watch
	meter   media.Meter
	failed  uint // reads that failed in a row
	metered bool // Config.Meter

	// Published for others.
	heardFrom    atomic.Pointer[netip.AddrPort] // the source as learnt; nil: none
	ssrc         atomic.Uint32                  // of the source
	received     atomic.Uint64
	malformed    atomic.Uint64
	strangers    atomic.Uint64
	stale        atomic.Uint64 // duplicates, and what is far out of sequence
	paused       atomic.Bool   // the last packet was comfort noise
	expected     atomic.Uint64
	counted      atomic.Uint64 // as expected: without duplicates
	highest      atomic.Uint32
	jitter16     atomic.Uint32
	lastReceived atomic.Int64 // nanoseconds since 1970; 0: never

	digits digitsIn
}

// feed lets an atomic pointer hold a Sink.
type feed struct{ media.Sink }

// datagram takes one packet from the socket, whatever it is.
func (r *receiver) datagram(b []byte, from netip.AddrPort) {
	r.failed = 0
	if isRTCP(b) && r.s.reporter.muxed.Load() {
		r.s.reporter.hand(b, from)
		return
	}
	h, kind, law, payload, ok := r.parse(b)
	if !ok {
		r.malformed.Add(1)
		return
	}
	now := time.Now()
	ok, changed := r.origin.admit(from, h.ssrc, h.seq, now)
	if changed {
		r.learnt()
	}
	if !ok {
		r.strangers.Add(1)
		return
	}
	r.heard(now)
	ok, fresh := r.seq.accept(h.ssrc, h.seq)
	if fresh {
		r.begin(h.ssrc)
	}
	if !ok {
		r.stale.Add(1)
		return
	}
	r.count(kind, h.timestamp, now)
	if len(payload) == 0 {
		return // keeps a NAT open
	}
	switch kind {
	case media.Event:
		r.digits.take(h.timestamp, h.marker, payload, now)
		if at := r.digits.deadline(); !at.IsZero() {
			r.s.loop.wakeAt(at)
		}
	case media.Audio:
		if r.metered {
			r.meter.Add(law, payload)
		}
	}
	to := r.to.Load()
	if to == nil || !r.s.Direction().Receives() {
		return
	}
	p := &r.packet
	p.Kind, p.Law, p.Marker = kind, law, h.marker
	p.Seq, p.Timestamp, p.Payload = h.seq, h.timestamp, payload
	to.Write(p)
}

// parse checks a datagram as far as it can without knowing from whom it is.
func (r *receiver) parse(b []byte) (h header, kind media.Kind, law g711.Law, payload []byte, ok bool) {
	if len(b) > maxPacket {
		return
	}
	if h, payload, ok = parseHeader(b); ok {
		kind, law, ok = r.s.format.Load().kind(h.kind)
	}
	return h, kind, law, payload, ok
}

// begin follows a new source, or one that has begun to count anew.
func (r *receiver) begin(ssrc uint32) {
	r.packet.Source = rand.Uint32() | 1
	r.ssrc.Store(ssrc)
	if r.s.out.ssrc.Load() == ssrc {
		r.s.out.collide(ssrc)
	}
}

func (r *receiver) count(kind media.Kind, timestamp uint32, now time.Time) {
	if kind == media.Audio {
		r.seq.arrived(timestamp, now)
		r.jitter16.Store(r.seq.jitter16)
	}
	expected, counted := r.seq.total()
	r.received.Add(1)
	r.expected.Store(expected)
	r.counted.Store(counted)
	r.highest.Store(r.seq.highest())
	noise := kind == media.Noise
	if noise {
		r.watch.pause()
	}
	if noise != r.paused.Load() {
		r.paused.Store(noise)
	}
}

// heard notes that the party is there.
func (r *receiver) heard(now time.Time) {
	r.lastReceived.Store(now.UnixNano())
	if r.watch.heard(now) && r.s.config.OnHeard != nil {
		r.s.config.OnHeard()
	}
}

// learnt publishes the source that origin has settled on, and sends there.
func (r *receiver) learnt() {
	source := r.origin.source
	if old := r.heardFrom.Load(); old == nil || *old != source {
		r.heardFrom.Store(&source)
		r.seq.anew = true
		r.s.log.Debug("audio heard", "from", source, "signalled", r.origin.signalled)
	}
	if r.origin.signalled.IsValid() && (r.origin.rank != former || r.origin.locked) {
		r.s.target.Store(newTarget(source))
	}
}

// expire does what is due.
func (r *receiver) expire(now time.Time) {
	if at := r.digits.deadline(); !at.IsZero() && !now.Before(at) {
		r.digits.finish()
	}
	if since, ok := r.watch.expired(now); ok && r.s.config.OnSilent != nil {
		r.s.config.OnSilent(since)
	}
	r.s.play.step(now)
	r.arm()
}

// arm asks to be woken for what is due next.
func (r *receiver) arm() {
	for _, at := range [...]time.Time{r.digits.deadline(), r.watch.deadline(), r.s.play.next} {
		if !at.IsZero() {
			r.s.loop.wakeAt(at)
		}
	}
}

// fail is told of a read that failed.
func (r *receiver) fail(err error) {
	r.failed++
	if r.failed == 1 {
		r.s.log.Warn("cannot receive audio", "port", r.s.local, "err", err)
	}
}

// stats are the receiver's part of media.Stats.
func (r *receiver) stats() media.Stats {
	st := media.Stats{
		Received:     r.received.Load(),
		Strangers:    r.strangers.Load(),
		Malformed:    r.malformed.Load(),
		Paused:       r.paused.Load(),
		Jitter:       time.Duration(r.jitter16.Load()>>4) * time.Second / g711.SampleRate,
		ReceivedDBm0: math.Inf(-1),
	}
	st.Dropped = st.Strangers + st.Malformed + r.stale.Load()
	if expected, counted := r.expected.Load(), r.counted.Load(); expected > counted {
		st.Lost = expected - counted
	}
	if at := r.lastReceived.Load(); at != 0 {
		st.LastReceived = time.Unix(0, at)
	}
	if r.s.config.Meter {
		st.ReceivedDBm0 = r.meter.DBm0()
	}
	return st
}
