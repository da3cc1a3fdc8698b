// Package leg is the seam between call control and everything that a party can
// be attached by: a SIP dialog, a telephone line, a test's phone. Call control
// gives a Leg orders and gets Events; words of SIP (Via, CSeq) and of the line
// card (ring voltage) stop here. The package also holds what both sides speak
// of: Cause, why a leg ended, and Ladder, what passed between whom.
//
// It owns nothing and starts no goroutine.
package leg

import (
	"log/slog"
	"time"

	"crosspoint/media"
	"crosspoint/media/g711"
)

// A Leg is one party's attachment to the exchange. All methods may be called
// from any goroutine. Those without a result are orders: they queue and return
// at once; what comes of them is an Event at the leg's Sink. An order that
// makes no sense in the leg's state (Answer after HungUp) is logged and does
// nothing.
type Leg interface {
	// ID is unique in the process, for logs: "sip-1f", "fxo1-3".
	ID() string
	// Name is the party's column in a ladder: an extension, a line, a host.
	Name() string
	// Party is who is at the other end, as known now.
	Party() Party
	// Stream is the party's audio. It is never nil; before early media or an
	// answer it is silent both ways.
	Stream() media.Stream

	// Prefer asks that this law be agreed on if the party can speak it and
	// nothing is agreed yet. It comes before Progress and Answer.
	Prefer(g711.Law)
	// Ringing tells a caller that the callee is alerted (180, ringback).
	Ringing()
	// Progress opens the audio towards a caller before the answer (183).
	Progress()
	// Answer answers a caller's call.
	Answer()
	// Hold tells the party that it is on hold, in the form that it
	// understands; Resume that it no longer is.
	Hold()
	Resume()
	// Digit sends a DTMF digit (0-9 * # A-D) for the given time; zero is 100 ms.
	Digit(digit byte, d time.Duration)
	// Flash sends a hook-flash, where the party is an exchange.
	Flash()
	// Identify tells the party whom it is now connected to.
	Identify(Party)
	// Refer asks the party to call elsewhere by itself.
	Refer(Refer)
	// Notify tells a party that referred how far its referral has come.
	Notify(Cause)
	// Hangup ends the leg whatever its state: a refusal, CANCEL or BYE with
	// the cause's meaning; on-hook for a line. HungUp follows.
	Hangup(Cause)
}

// A Party is how somebody is shown to others.
type Party struct {
	Number   string // extension, telephone number or user part; empty: unknown
	Name     string // display name, may be empty
	Host     string // domain of a SIP address; empty: ours
	Domain   string // which of our domains, where the address said it; empty: the first
	Withheld bool   // the party asked not to be shown (RFC 3323, caller ID "P")
}

// String is the party for people: `101 "Alice"`.
func (p Party) String() string {
	s := p.Number
	switch {
	case p.Withheld:
		return "withheld"
	case s == "" && p.Name == "":
		return "unknown"
	case p.Host != "":
		s += "@" + p.Host
	}
	if p.Name != "" {
		s += ` "` + p.Name + `"`
	}
	return s
}

// A Source says by which door a call came in. The zero value is a stranger.
type Source struct {
	Kind SourceKind
	Name string // the phone's extension, the line's or the peer's name in the configuration
}

// SourceKind orders callers by what is known of them.
type SourceKind uint8

const (
	Stranger SourceKind = iota // nobody we know: no credentials, no configured address
	Phone                      // a phone of ours, authenticated or wired to us
	Line                       // a PSTN line
	Peer                       // a SIP peer or trunk named in the configuration
)

func (k SourceKind) String() string {
	return [...]string{"stranger", "phone", "line", "peer"}[k]
}

// Outgoing is what a new leg towards a callee needs to know.
type Outgoing struct {
	Call       string   // the call's id, for logs
	From       Party    // whom the callee is shown
	To         Party    // what the caller dialled, shown as To whatever is rung
	Law        g711.Law // what the caller speaks: the callee is offered it first
	Emergency  bool     // the call may take a line from another one
	Sink       Sink     // where the leg's events go
	Ladder     *Ladder  // the call's
	Log        *slog.Logger
	Hops       int         // Max-Forwards left; zero is 70 (RFC 3261 §8.1.1.6)
	ReferredBy string      // address of who transferred (RFC 3892)
	Also       bool        // who transferred speaks RFC 2543 (BYE with Also); so may the callee
	Replaces   string      // dialog that the new one takes the place of (RFC 3891)
	Diversions []Diversion // forwardings so far, latest first (RFC 5806)
	Ring       Ring        // how the callee's telephone rings
}

// A Ring is how a telephone rings, so that whoever hears it knows what kind of
// call it is (distinctive ringing). Zero: as the line's country rings.
type Ring struct {
	// Name is one of those below, "dr1" to "dr4" for the cadences of Telcordia
	// GR-506 §14, or one that the office has named. Empty: RingOutside.
	Name string
	// Info is the value of Alert-Info for a SIP phone (RFC 3261 §20.4), such as
	// <urn:alert:source:internal>. Empty: none is sent.
	Info string
}

// Names of rings that need no configuration.
const (
	RingInside  = "inside"  // somebody in the office calls
	RingOutside = "outside" // somebody else calls
	RingRecall  = "recall"  // the exchange calls back: a held or parked party, a number that was busy
	RingUrgent  = "urgent"  // somebody in the office has called for help
)

// A Diversion is one forwarding on the way to a callee.
type Diversion struct {
	By     Party
	Reason string // "unconditional", "user-busy", "no-answer" (RFC 5806 §4.1)
	Rule   string // file:line of what forwarded
}

// A Refer asks a party to call Target, in the place of the dialog Replaces
// names if it is not empty.
type Refer struct {
	Target     string // a SIP address
	To         Party  // whom it names, as it may be shown; zero: Target says it all
	Replaces   string // RFC 3891: call-id;to-tag=…;from-tag=…
	ReferredBy string
}

// A Sink takes the events of a leg, in order. Deliver does not block.
type Sink interface{ Deliver(Event) }

// An Acceptor takes incoming calls: call control. The Sink that it returns
// gets the leg's events from then on; it is never nil.
type Acceptor interface{ Accept(Incoming) Sink }
