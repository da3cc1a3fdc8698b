package rtp

import (
	"net/netip"
	"time"
)

const (
	learnFor  = 2 * time.Second        // how long a better source may still replace the first
	silentFor = 200 * time.Millisecond // a source that is silent for this long gives way to its equal
)

// rank is how much a source address agrees with what was signalled; less is better.
type rank uint8

const (
	exact    rank = iota // the signalled address and port
	sameHost             // the signalled address, another port
	stranger             // elsewhere: a party behind NAT signals an address that nobody sees
	former               // whom we heard before the party signalled a new address
)

// origin learns where the party really sends from (symmetric RTP, RFC 4961)
// and keeps everybody else out. Nobody is locked in at first: the signalled
// address is as soon as it is heard, another one when it has sent two packets
// in sequence and nothing better came within learnFor. The signalled address
// itself comes into its right even later, so nobody can shut the party out by
// being quicker.
type origin struct {
	signalled netip.AddrPort // invalid: not known yet
	source    netip.AddrPort // whom we hear; invalid: nobody yet
	rank      rank           // of source
	locked    bool           // nobody but source is heard any more
	until     time.Time      // when learning ends; zero: it has not begun
	heard     time.Time      // last packet of source

	// A candidate has sent one packet.
	candidate    netip.AddrPort
	candidateTag uint64 // its SSRC and the sequence number that should follow
}

// expect begins to learn anew if the party has signalled another address.
func (o *origin) expect(addr netip.AddrPort, now time.Time) {
	if addr == o.signalled {
		return
	}
	o.signalled = addr
	o.candidate = netip.AddrPort{}
	switch {
	case !o.source.IsValid():
	case o.source == addr:
		o.rank, o.locked = exact, true
	default:
		o.rank, o.locked, o.until = former, false, now.Add(learnFor)
	}
}

// admit decides about a valid packet. changed: source is another one now, or
// has just been locked.
func (o *origin) admit(from netip.AddrPort, ssrc uint32, seq uint16, now time.Time) (ok, changed bool) {
	if from == o.source {
		o.heard = now
		if !o.locked && now.After(o.until) {
			o.locked = true
			return true, true
		}
		return true, false
	}
	r := o.rankOf(from)
	if o.locked && r != exact {
		return false, false
	}
	if o.source.IsValid() && (r > o.rank || r == o.rank && now.Sub(o.heard) < silentFor) {
		return false, false
	}
	if (r != exact || o.locked) && !o.proved(from, ssrc, seq) {
		return false, false
	}
	o.source, o.rank, o.heard = from, r, now
	o.locked = r == exact
	if o.until.IsZero() {
		o.until = now.Add(learnFor)
	}
	return true, true
}

func (o *origin) rankOf(from netip.AddrPort) rank {
	switch {
	case from == o.signalled:
		return exact
	case from.Addr() == o.signalled.Addr():
		return sameHost
	}
	return stranger
}

// proved tells whether this packet follows the one before it from that
// address, and remembers it if not (RFC 3550 appendix A.1, MIN_SEQUENTIAL 2).
func (o *origin) proved(from netip.AddrPort, ssrc uint32, seq uint16) bool {
	tag := uint64(ssrc)<<16 | uint64(seq)
	if from == o.candidate && tag == o.candidateTag {
		o.candidate = netip.AddrPort{}
		return true
	}
	o.candidate, o.candidateTag = from, uint64(ssrc)<<16|uint64(seq+1)
	return false
}
