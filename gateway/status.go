package gateway

import (
	"time"

	"crosspoint/gateway/jack"
)

// A Status is what a line does and how it fares, for an operator.
type Status struct {
	Line  string    // its name
	Port  string    // where it is: "card1:1 (/dev/ttyUSB0)"
	Kind  jack.Kind // FXO, FXS or TDM
	State string    // in words: "idle", "seized, waits for dial tone", "talking with 5551234", "failed: no battery"
	Since time.Time // when that began
	// Ready: a call to the line would be placed now.
	Ready bool
	// BusiedOut: taken out of service by hand. Failed: why the line can't be
	// used, empty if it can.
	BusiedOut bool
	Failed    string
	// Fault is the last thing that went wrong and FaultAt when, though the
	// line may work again.
	Fault   string
	FaultAt time.Time
	// Battery and Reversed are the loop as the card reports it; OffHook is our
	// own order on an FXO line, and the telephone's hook on an FXS line.
	Battery, OffHook, Reversed bool
	// Heard and Said are the levels of the last second from and to the line,
	// in dBm0; -inf is silence.
	Heard, Said float64
	// ReturnLoss is the echo return loss of the line in dB: by how much what it
	// hears comes back weaker; Enhancement is by how much the echo canceller
	// lowered that further. Both are of this call, or of the last; zero: not
	// measured.
	ReturnLoss, Enhancement float64
	Counts                  Counts
	Last                    []CallRecord // the last calls, latest first, at most 10
}

// Counts are a line's statistics since the gateway began.
type Counts struct {
	Incoming, Outgoing uint64 // calls
	Answered           uint64 // of both
	Talked             time.Duration
	NoDialTone         uint64
	NoWink             uint64 // seizures that the far end of a timeslot did not answer
	Glare              uint64 // rings, or seizures from afar, that met a seizure
	NoCallerID         uint64 // incoming calls without, or with a damaged, caller ID
	NoNumber           uint64 // incoming calls of a line with several numbers whose ring was none of theirs
	Preempted          uint64 // calls that an emergency call took the line from
	LostTicks          uint64 // 20 ms of audio lost between the card and us
}

// A CallRecord is one call of a line.
type CallRecord struct {
	At       time.Time
	Incoming bool   // from the line; else to it
	Number   string // of the other end, empty if not known
	Dialed   string // the line's own number that was called, where its ring tells; else empty
	Talked   time.Duration
	Ended    string // why, in words
	Data     string // "fax" or "modem" if it was such a call; empty: speech
}
