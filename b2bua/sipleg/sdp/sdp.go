// Package sdp makes and reads session descriptions (RFC 4566) for one audio
// stream of G.711 with telephone-events, by the offer/answer model of RFC 3264.
//
// A Session is our side of one leg: it makes our descriptions and knows which
// it has sent. What the other side described comes out as an Agreed. There is
// no socket, no goroutine and no state but the Session's.
package sdp

import (
	"net/netip"
	"time"

	"crosspoint/media/g711"
)

// ContentType is the media type of a session description (RFC 4566 §8.1).
const ContentType = "application/sdp"

// Direction is who sends, seen from us. The zero value is SendRecv (RFC 3264 §5.1).
type Direction uint8

const (
	SendRecv Direction = iota
	SendOnly           // we send, and play nothing that comes
	RecvOnly           // we receive, and send nothing
	Inactive           // neither; RTCP goes on
)

// String is the attribute's name.
func (d Direction) String() string {
	return [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[d&3]
}

// Sends tells that we send; Receives that we receive.
func (d Direction) Sends() bool    { return d == SendRecv || d == SendOnly }
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Reverse is the same direction as the other side calls it.
func (d Direction) Reverse() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	}
	return d
}

func direction(sends, receives bool) Direction {
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	}
	return Inactive
}

// Hold is the form in which the other side put us on hold. The zero value is
// no hold.
type Hold uint8

const (
	NotHeld      Hold = iota
	HeldZero          // c=0.0.0.0 (RFC 2543 §B.5): send nothing
	HeldSendOnly      // a=sendonly (RFC 3264 §8.4): it sends music, perhaps
	HeldInactive      // a=inactive
)

// String is the hold's form for logs: "c=0.0.0.0".
func (h Hold) String() string {
	return [...]string{"not held", "c=0.0.0.0", "sendonly", "inactive"}[h&3]
}

// Prefs is what we would like. Its zero value offers PCMU, PCMA and
// telephone-events, sendrecv, in packets of 20 ms.
type Prefs struct {
	// Laws in order of preference; empty is PCMU, PCMA. An answer takes the
	// first of these that the offer has (RFC 3264 §6.1 lets the answerer choose).
	Laws []g711.Law
	// OfferersChoice makes an answer take the offer's order instead.
	OfferersChoice bool
	NoEvents       bool          // no telephone-events (RFC 4733)
	EventPT        uint8         // their payload type in our offers; zero is 101
	Ptime          time.Duration // of packets that we'd like to receive; zero is 20 ms
	Direction      Direction     // what we would do
	// ZeroAddress writes c=0.0.0.0 when we would not receive, for a phone that
	// knows no a=sendonly (RFC 2543 §B.5).
	ZeroAddress bool
	// Bare leaves out what a phone of 1999 may stumble over: direction
	// attributes for sendrecv, ptime, rtcp.
	Bare bool
}

func (p Prefs) laws() []g711.Law {
	if len(p.Laws) == 0 {
		return []g711.Law{g711.MuLaw, g711.ALaw}
	}
	return p.Laws
}

func (p Prefs) eventPT() uint8 {
	if p.EventPT == 0 {
		return 101
	}
	return p.EventPT
}

func (p Prefs) ptime() time.Duration {
	if p.Ptime == 0 {
		return 20 * time.Millisecond
	}
	return p.Ptime
}

// Agreed is what an offer and an answer come to, for our side of the stream.
type Agreed struct {
	Remote netip.AddrPort // where our RTP goes; not valid: nowhere, or to RemoteHost
	RTCP   netip.AddrPort // where our RTCP goes; not valid as Remote (RFC 3605; else the port above)
	Mux    bool           // RTCP goes to the RTP port (RFC 5761)
	// RemoteHost is set instead of an address if the other side wrote a host
	// name. RemotePort is its RTP port in any case: where the name does not
	// resolve, the source of the signalling with this port is a fair guess.
	RemoteHost string
	RemotePort uint16

	Law       g711.Law
	PT        uint8 // payload type of Law, in what we send
	RecvPT    uint8 // of the same, in what we receive: differs if each side numbered it its own way
	OtherPT   uint8 // of the other law, if HasOther: it may come as well
	HasOther  bool
	EventPT   uint8 // of telephone-events, if Events
	RecvEvent uint8 // of those that we receive
	Events    bool
	Ptime     time.Duration // the other side would like packets of this length; 20 ms if it does not say
	Direction Direction     // ours: what we may send and shall receive
	Hold      Hold          // how the other side holds us
	Changed   bool          // what was read is not the same description as the one before
}
