package rtp

import "time"

// Limits of RFC 3550 appendix A.1.
const (
	maxDropout  = 3000
	maxMisorder = 100
)

// sequence follows the sequence numbers of one source: losses, duplicates and
// jitter (RFC 3550 appendix A.1, A.3, A.8). It begins anew with each SSRC and
// keeps the sums.
type sequence struct {
	ssrc    uint32
	running bool
	anew    bool   // the next packet begins a count, whatever its SSRC
	base    uint16 // first number
	max     uint16 // highest number
	cycles  uint32 // times 65536 that the numbers came round
	bad     uint32 // the number that would confirm a jump; beyond 65535: none
	window  uint64 // which of the 64 numbers up to max have come, bit 0 is max

	received     uint64 // of this SSRC since base
	earlierTotal uint64 // expected before base
	earlierGot   uint64 // received before base

	transit  int32 // of the last packet
	jitter16 uint32
	timed    bool
}

// accept counts a packet. False: it is a duplicate, or a jump that the next
// packet must confirm. fresh: a new count begins with it.
func (s *sequence) accept(ssrc uint32, seq uint16) (ok, fresh bool) {
	if !s.running || s.anew || ssrc != s.ssrc {
		s.begin(ssrc, seq)
		return true, true
	}
	ahead := seq - s.max
	switch {
	case ahead == 0:
		return false, false
	case ahead < maxDropout:
		if seq < s.max {
			s.cycles += 1 << 16
		}
		s.max = seq
		s.window = s.window<<ahead | 1
	case ahead <= 1<<16-1-maxMisorder:
		if uint32(seq) != s.bad {
			s.bad = uint32(seq + 1)
			return false, false
		}
		s.begin(ssrc, seq)
		return true, true
	default: // reordered
		if back := -ahead; back < 64 {
			if s.window>>back&1 != 0 {
				return false, false
			}
			s.window |= 1 << back
		}
	}
	s.received++
	s.bad = 1 << 16
	return true, false
}

func (s *sequence) begin(ssrc uint32, seq uint16) {
	if s.running {
		s.earlierTotal += s.expected()
		s.earlierGot += s.received
	}
	s.running, s.anew, s.ssrc = true, false, ssrc
	s.base, s.max, s.cycles, s.window = seq, seq, 0, 1
	s.received, s.bad = 1, 1<<16
	s.timed = false
}

// highest is the extended highest sequence number (RFC 3550 §6.4.1).
func (s *sequence) highest() uint32 { return s.cycles + uint32(s.max) }

// expected is how many packets this SSRC has sent, going by its numbers.
func (s *sequence) expected() uint64 { return uint64(s.highest()-uint32(s.base)) + 1 }

// total is how many packets were expected and received from all SSRCs.
func (s *sequence) total() (expected, received uint64) {
	return s.earlierTotal + s.expected(), s.earlierGot + s.received
}

// arrived measures the jitter by a packet of audio.
func (s *sequence) arrived(timestamp uint32, now time.Time) {
	transit := int32(samplesOf(now) - timestamp)
	if s.timed {
		d := transit - s.transit
		if d < 0 {
			d = -d
		}
		// The formula of appendix A.8, in 16ths of a sample. A jump of the
		// source's clock by more than a second is no jitter.
		if d < 8000 {
			s.jitter16 += uint32(d) - (s.jitter16+8)>>4
		}
	}
	s.transit, s.timed = transit, true
}

// samplesOf is a time in samples of 1/8000 s, modulo 2^32.
func samplesOf(t time.Time) uint32 { return uint32(t.UnixMicro() / 125) }
