package leg

import "time"

// An Event is a fact about a leg. Each has one struct.
type Event interface{ From() Leg }

// Of is the part that all events share: whose they are. It is written
// leg.Ringing{Of: leg.Of{Leg: l}}.
type Of struct{ Leg Leg }

// From is the leg that the event is about.
func (o Of) From() Leg { return o.Leg }

type (
	// Incoming is a new call from outside. It is handed to the Acceptor, not to a Sink.
	Incoming struct {
		Of
		Source Source  // by which door
		Caller Party   // who calls, as it may be shown
		Dialed string  // what was dialled: a user part with its parameters, a SIP address of another domain, or empty on a line without digits
		To     Party   // the To of the request
		Hops   int     // Max-Forwards left; zero is 70
		Ladder *Ladder // begun by the leg
		// Replaces names the leg that this call takes the place of, nil if none (RFC 3891).
		Replaces  Leg
		EarlyOnly bool // only if that leg is not answered yet (RFC 3891 §6.1)
		// Diversions are the forwardings that the caller's side reports, latest first.
		Diversions []Diversion
		ReferredBy string
		// AlertInfo is how the caller's side wants the callee alerted, a value of
		// Alert-Info (RFC 3261 §20.4), where it is one that may ask for that; empty:
		// it does not say.
		AlertInfo string
		Also      bool // it is said in the manner of RFC 2543 (Requested-By)
	}
	// Trying: the callee's side has taken the call (100, line seized).
	Trying struct{ Of }
	// Ringing: the callee is alerted.
	Ringing struct{ Of }
	// EarlyMedia: the callee's side is heard before the answer.
	EarlyMedia struct{ Of }
	// Answered: the callee has answered; its Stream is open both ways.
	Answered struct{ Of }
	// Held: the party has put us on hold; Resumed: it took us back.
	Held    struct{ Of }
	Resumed struct{ Of }
	// Digit: the party pressed a key, 0-9 * # A-D. It is reported at its end.
	Digit struct {
		Of
		Digit   byte
		For     time.Duration
		Relayed bool // the party's audio carries the digit too (RFC 4733, in-band); not so by SIP INFO
	}
	// Flash: the party gave a hook-flash.
	Flash struct{ Of }
	// Referred: the party asks us to send the other end elsewhere (REFER, BYE with Also).
	Referred struct {
		Of
		Refer
		// ReplacesLeg is the leg that Replaces names, if it is ours.
		ReplacesLeg Leg
		// Gone: the party has left by the same message (BYE with Also); no Notify.
		Gone bool
	}
	// Notified: how far the party has come with our Refer.
	Notified struct {
		Of
		Cause Cause
	}
	// Silent: nothing is heard from the party though its audio should flow;
	// For is how long. Heard: it is heard again.
	Silent struct {
		Of
		For time.Duration
	}
	Heard struct{ Of }
	// HungUp: the leg is over. It is a leg's last event.
	HungUp struct {
		Of
		Cause Cause
		// Moved is where a callee sends its callers instead of answering (301, 302;
		// RFC 3261 §8.1.3.4), best first, each as Incoming.Dialed has it. Nil: nowhere.
		Moved []string
		// MovedFor is its reason (RFC 5806 §4.1); empty: it gave none.
		MovedFor string
	}
)
