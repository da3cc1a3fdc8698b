// Package gateway makes call legs of telephone lines. An FXO line faces a
// telephone exchange: it is seized and dialled on, and rings. An FXS line
// faces a telephone: it rings it, gives it tones, and collects the digits that
// it dials. Each is a leg.Leg while it has a call.
//
// Each line is owned by one goroutine with an inbox and a timer (line.go); what
// an FXO line does stands in the files fxo*.go, what an FXS line does in
// fxs*.go. The card's 20 ms ticks do the audio work in audio.go, in the
// driver's goroutine, without waiting for the owner. The package knows no card
// and no protocol: a line driver offers each jack as a jack.Port.
package gateway

import (
	"context"

	"crosspoint/b2bua/leg"
)

// A Gateway owns the telephone lines of the exchange.
type Gateway struct {
}

// New attaches to the port of each line and takes it into service as its card
// answers. Its error says which line or trunk of the configuration
// contradicts itself.
func New(c Config) (*Gateway, error) { panic("to be written") }

// Dial places a call to a number over a trunk: it seizes the first idle line
// in hunting order, and the next when that has no dial tone. The error is a
// leg.Cause: leg.NoCircuit with what each line is doing, leg.InvalidNumber for
// what can't be dialled.
//
// Number is digits 0-9 * # A-D; ' ', '-', '.', '(' and ')' are skipped. ','
// is a pause of 2 s, 'w' waits for another dial tone (two-stage dialling).
func (g *Gateway) Dial(trunk, number string, o leg.Outgoing) (leg.Leg, error) {
	panic("to be written")
}

// DialLine rings the telephone on an FXS line. The error is a leg.Cause:
// leg.Busy if the telephone is off-hook.
func (g *Gateway) DialLine(line string, o leg.Outgoing) (leg.Leg, error) { panic("to be written") }

// Lines reports on each line, in the order of the configuration.
func (g *Gateway) Lines() []Status { panic("to be written") }

// BusyOut takes a line out of service for new calls, and puts it back. A call
// on it goes on.
func (g *Gateway) BusyOut(line string, out bool) error { panic("to be written") }

// MessageWaiting says whether the telephone on an FXS line is told, by a
// stutter dial tone, that messages wait.
func (g *Gateway) MessageWaiting(line string, waiting bool) error { panic("to be written") }

// Close ends all calls and leaves each line on-hook and silent. It waits for
// the lines' goroutines until ctx ends.
func (g *Gateway) Close(ctx context.Context) error { panic("to be written") }
