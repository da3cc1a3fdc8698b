package media

import (
	"time"

	"crosspoint/media/g711"
)

// Kind tells what a Packet carries. The zero value is Audio.
type Kind uint8

const (
	Audio Kind = iota // G.711 samples
	Event             // an RFC 4733 telephone-event payload, 4 bytes
	Noise             // an RFC 3389 comfort-noise payload
)

// A Packet is a piece of one party's audio on its way through the exchange.
// Its Payload belongs to whoever made it and is valid only during the call
// that hands it on.
type Packet struct {
	Kind      Kind
	Law       g711.Law // of Audio
	Marker    bool     // first packet of a talkspurt or of an event (RFC 3550 §5.1)
	Seq       uint16   // of the source: a gap is a loss
	Timestamp uint32   // of the source, in samples of 1/8000 s
	Source    uint32   // who counts Seq and Timestamp: another one begins a new count; 0: not said
	Payload   []byte
}

// A Sink takes packets, of either law: p.Law says which, and who speaks only
// the other converts. Write does not block, does not keep or change p or its
// Payload, and may be called from any goroutine.
type Sink interface {
	Write(p *Packet)
}

// A Stream is the audio of one party, both ways: what is written to it the
// party hears, and what the party says is written to the Sink that Feed names.
// An RTP session, a telephone line and a test's phone are streams.
type Stream interface {
	Sink
	// Feed sends what the party says to the sink from its next packet on; nil
	// drops it. Packets of one stream arrive in order, from one goroutine at a time.
	Feed(to Sink)
	// Law is what the party speaks now.
	Law() g711.Law
	// Stats counts what has passed since the stream began.
	Stats() Stats
}

// Stats counts a stream's traffic, seen from the exchange.
type Stats struct {
	Received, Sent uint64        // packets from the party, to the party
	Lost           uint64        // gaps in the party's sequence numbers
	Dropped        uint64        // packets refused: Strangers, Malformed, and what came twice or far too late
	Strangers      uint64        // packets from elsewhere than where the party sends from
	Malformed      uint64        // packets that are none, oversized, or of a kind that was not agreed on
	LastReceived   time.Time     // zero: the party was never heard
	LastReport     time.Time     // when RTCP of the party came last; zero: never
	Paused         bool          // the party's last packet was comfort noise: it may send nothing for a while (RFC 3389)
	Jitter         time.Duration // interarrival jitter of RFC 3550 §6.4.1
	RemoteLost     float64       // fraction lost as the party reports it by RTCP, 0..1
	RoundTrip      time.Duration // by RTCP; zero: not known
	ReceivedDBm0   float64       // level of the last second from the party, in dBm0; -inf: silence or not measured
}
