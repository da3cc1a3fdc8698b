package linesim

import (
	"fmt"
	"slices"
	"strings"
)

// cas are the signalling bits A and B of a timeslot in one direction
// (docs/linecard-protocol.md §5.5).
type cas uint8

const (
	casA cas = 1 << 1
	casB cas = 1 << 0
)

// What the bits mean, by signalling. An exchange's end says what its line
// carries, a subscriber's end what its loop does.
const (
	emOnHook  cas = 0
	emOffHook     = casA | casB

	loopOpen   = casB        // loop start and ground start
	loopClosed = casA | casB //
	ringGround = cas(0)      // ground start: the subscriber asks for the line

	lineFeeds   = casB        // loop start: battery; ground start: tip ground
	lineRings   = cas(0)      //
	lineNothing = casA | casB // loop start: no battery; ground start: tip open
)

// A Signalling is what the far end of a timeslot is, by its name in a town file.
type Signalling string

const (
	WinkStart      Signalling = "wink-start"       // another exchange, E&M
	ImmediateStart Signalling = "immediate-start"  // the same, without winks
	FXOLoopStart   Signalling = "fxo-loop-start"   // a line of the town, through a channel bank
	FXOGroundStart Signalling = "fxo-ground-start" // the same
	FXSLoopStart   Signalling = "fxs-loop-start"   // a telephone, on a channel bank
	FXSGroundStart Signalling = "fxs-ground-start" // a trunk port of a private exchange, on a channel bank
)

var signallings = []Signalling{WinkStart, ImmediateStart, FXOLoopStart, FXOGroundStart, FXSLoopStart, FXSGroundStart}

// ParseSignalling reads a name; empty is WinkStart.
func ParseSignalling(name string) (Signalling, error) {
	if name == "" {
		return WinkStart, nil
	}
	if s := Signalling(name); slices.Contains(signallings, s) {
		return s, nil
	}
	var names []string
	for _, s := range signallings {
		names = append(names, string(s))
	}
	return "", fmt.Errorf("signalling %q is not one of %s", name, strings.Join(names, ", "))
}

// TimeslotConfig is what is at the far end of one timeslot. The zero value is
// an exchange that is called with wink start.
type TimeslotConfig struct {
	Signalling Signalling // empty: WinkStart
	Number     string     // of a line of the town at its far end. Empty: 5552001, 5552002 …

	// Of an exchange at the far end (E&M).
	NoWink  bool // it does not answer a seizure
	Yield   bool // on glare it gives up its own call; else it waits for the other end to do that
	Pulse   bool // it dials by pulses
	Blocked bool // it has taken the timeslot out of service
}

// A farEnd is what a timeslot leads to. It takes what the card sends in a step,
// and answers with what the card receives.
type farEnd interface {
	step(rx cas, in, out []int16) (tx cas)
}

// A slot is one timeslot of a card's span, between the card and its far end.
type slot struct {
	card    *Card
	name    string // of what is at its far end: "tdm1", "fxo1", "fxs1"
	far     farEnd
	toFar   cas
	fromFar cas
	blank   [stepSamples]int16
}

// exchange passes a step both ways. While the span carries nothing the bits
// stand as they were, and there is silence.
func (s *slot) exchange(tx cas, in, out []int16) (rx cas) {
	if s.card.span.condition != 0 {
		clear(s.blank[:])
		s.far.step(s.toFar, s.blank[:], s.blank[:])
		clear(out)
		return s.fromFar
	}
	s.toFar = tx
	s.fromFar = s.far.step(tx, in, out)
	return s.fromFar
}
