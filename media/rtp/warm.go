package rtp

// ahead is how many loops warm takes at once: what they need, some 2 kB each,
// still is in the core's cache when the last one's turn comes.
const ahead = 32

// warm reads what the loops will need for a packet. With thousands of calls a
// session has left the core's cache by the time of its next packet, and relaying
// it would wait for memory some twenty times, once after the other. The reads
// here do not depend on each other, so the core makes many of them at once. The
// result means nothing: it keeps the reads from being left out.
func warm(loops []*loop) (sum uint64) {
	if len(loops) == 1 {
		return 0 // there is nothing to do at the same time
	}
	for _, l := range loops {
		if l != nil {
			sum += l.owner.touch() + uint64(l.place)
		}
	}
	return sum
}

// touch reads a word of each cache line, of 64 bytes as a rule, that a packet
// needs, here and where it goes. What belongs to others than the loop is read
// only where it is atomic.
func (r *receiver) touch() uint64 {
	sum := uint64(r.s.format.Load().AudioPT) + uint64(r.origin.signalled.Port()) + uint64(r.origin.rank) +
		uint64(r.seq.max) + uint64(r.seq.jitter16) + uint64(r.failed) + r.received.Load() + uint64(r.lastReceived.Load())
	if to := r.to.Load(); to != nil {
		if s, ok := to.Sink.(*Session); ok {
			sum += s.touch()
		}
	}
	return sum
}

// touch reads what is needed to send.
func (s *Session) touch() uint64 {
	o := &s.out
	sum := uint64(o.ssrc.Load()) + uint64(o.octets.Load()) + uint64(s.format.Load().AudioPT)
	if to := s.target.Load(); to != nil {
		sum += uint64(to.Port())
	}
	return sum
}

// touch does nothing: a report in 5 s may wait for memory.
func (r *reporter) touch() uint64 { return 0 }
