// Package txn holds the four transaction state machines of SIP: client and
// server, INVITE and not (RFC 3261 §17 with the corrections of RFC 6026), and
// the repetition of what a user agent itself must repeat: a 2xx until its ACK
// (RFC 3261 §13.3.1.4) and a reliable provisional response until its PRACK
// (RFC 3262 §3).
//
// They are plain values without goroutine or lock. Their owner hands them what
// arrives (Receive), asks when they next have something to do (Deadline) and
// calls Expire when that time has come. They send through the function that
// they were given.
package txn

import (
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Timing holds the base timers of RFC 3261 §17.1.1.1. The zero value is the
// standard's.
type Timing struct {
	T1 time.Duration // estimate of the round trip; zero is 500 ms
	T2 time.Duration // longest interval between two sendings; zero is 4 s
	T4 time.Duration // how long a message may stay in the network; zero is 5 s
	// Repeated counts what is sent again because no answer came, or because a
	// message came again that was answered; nil: nobody counts.
	Repeated *atomic.Int64
}

// again counts a repetition.
func (t Timing) again() {
	if t.Repeated != nil {
		t.Repeated.Add(1)
	}
}

// Filled returns the timing with the standard's values for what is zero.
func (t Timing) Filled() Timing {
	if t.T1 <= 0 {
		t.T1 = 500 * time.Millisecond
	}
	if t.T2 <= 0 {
		t.T2 = 4 * time.Second
	}
	if t.T4 <= 0 {
		t.T4 = 5 * time.Second
	}
	return t
}

// Timeout is 64*T1, the standard's measure of giving up (timers B, F, H, L, M).
func (t Timing) Timeout() time.Duration { return 64 * t.Filled().T1 }

// State is where a transaction is, in the words of the figures of RFC 3261 §17
// and RFC 6026 §7.
type State uint8

const (
	// Calling: the INVITE is sent and repeated; nothing came back (figure 5).
	Calling State = iota
	// Trying: the same for other methods, or for a server before its first
	// response (figures 6, 8).
	Trying
	// Proceeding: a provisional response was received or sent.
	Proceeding
	// Completed: a final response was received or sent; repetitions are served.
	Completed
	// Confirmed: the ACK of a refusal has come; further ones are absorbed (figure 7).
	Confirmed
	// Accepted: a 2xx to an INVITE; further 2xx or ACK go to the user (RFC 6026).
	Accepted
	// Terminated: it is over and may be forgotten.
	Terminated
)

func (s State) String() string {
	return [...]string{"calling", "trying", "proceeding", "completed", "confirmed", "accepted", "terminated"}[s]
}

// Send puts a message on its way. An error says that it could not be sent at all.
type Send func(sip.Message) error
