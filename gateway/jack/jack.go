// Package jack is what a line driver offers to the gateway: one Port for each
// jack of a card or a modem, with its hook, its loop, its ring and its audio.
// The framed line-card protocol and the voice-modem driver implement it; the
// gateway makes telephone lines of it. It holds no state and no logic.
package jack

import "time"

// Kind tells what a jack is. The zero value is unknown.
type Kind uint8

const (
	Unknown Kind = iota
	FXO          // faces a telephone exchange: goes off-hook, is rung
	FXS          // faces a telephone: feeds battery, rings it
	TDM          // a timeslot of a T1 or E1, with signalling bits
)

func (k Kind) String() string {
	switch k {
	case FXO:
		return "fxo"
	case FXS:
		return "fxs"
	case TDM:
		return "tdm"
	}
	return "unknown"
}

// FrameSize is the number of µ-law samples that a port exchanges at each tick: 20 ms.
const FrameSize = 160

// State is all that a port tells of itself at once, so that one message after
// a loss brings everything up to date.
type State struct {
	Present  bool // the card answers and this port works
	OffHook  bool // FXO: we are off-hook. FXS: the telephone is off-hook
	Ringing  bool // FXO: ring voltage is on the line now. FXS: we ring
	Battery  bool // FXO: the line carries battery (on-hook) or loop current (off-hook)
	Reversed bool // polarity is reversed
	// Untimed: an FXO port tells that it rings, and not for how long: RingOn and
	// RingOff say nothing of the cadence. See RingTimer.
	Untimed bool
	// FarOffHook: the far end of a TDM timeslot has seized it, or has answered.
	FarOffHook bool
	// Alarm is what is wrong with the span that a TDM timeslot is part of.
	Alarm Alarm
}

// A Change is what a port reports, with its state after it.
type Change struct {
	What  What
	State State
	Clock uint64 // the card's sample counter at the change
	// For is how long it lasted, of LoopDrop and Flash; zero: the hardware judged
	// by itself. OnHook of TDM: how long the far end was off-hook. RingOff: how long
	// it rang, and RingOn: the pause before, if the hardware has measured it; zero:
	// that shows by when it is told.
	For   time.Duration
	Digit byte // Pulse: '0' to '9'
	// Caller is who calls, of CallerID. Tone is what was heard, of Heard.
	Caller Caller
	Tone   Tone
}

// A Caller is who calls, as hardware that reads caller ID by itself tells it.
// The zero value: nothing was told.
type Caller struct {
	Number, Name string
	Withheld     bool // the caller asked not to be shown
}

// A Tone is a signal of the exchange that hardware tells by itself. It is a
// hint: the gateway listens for itself as well.
type Tone uint8

const (
	DialTone Tone = iota + 1
	RingbackTone
	BusyTone
	CongestionTone
)

func (t Tone) String() string {
	if t < 1 || t > CongestionTone {
		return "unknown"
	}
	return [...]string{"dial tone", "ringback", "busy tone", "congestion tone"}[t-1]
}

// What happened at a port.
type What uint8

const (
	Up         What = iota + 1 // the card answers; State is a snapshot
	Down                       // the card is gone: all line state is lost
	RingOn                     // FXO: ring voltage began (each burst of the cadence)
	RingOff                    // FXO: ring voltage ended
	OffHook                    // FXS: the telephone was lifted (while ringing: ring trip). FXO: slow hardware has gone off-hook as ordered. TDM: the far end went off-hook
	OnHook                     // FXS: the telephone was hung up. TDM: the far end went on-hook
	Flash                      // FXS: hook-flash, told from on-hook by the card
	LoopDrop                   // FXO: loop current was gone for For, and is back
	BatteryOff                 // FXO: no battery and no loop current. TDM: an alarm of the span; State.Alarm says which
	BatteryOn                  // FXO: battery or loop current is back. TDM: the alarm is over
	Polarity                   // FXO: polarity changed
	Fault                      // the port does not work; State.Present is false
	Pulse                      // FXS, TDM: a digit was dialled by pulses, told from flash by the card
	CallerID                   // FXO: the hardware has read who calls; Caller says it
	Heard                      // FXO: the hardware heard a tone begin; Tone says which
)

var whats = [...]string{"", "up", "down", "ring on", "ring off", "off-hook", "on-hook", "flash",
	"loop drop", "battery off", "battery on", "polarity", "fault", "pulse digit",
	"caller ID", "tone"}

func (w What) String() string {
	if int(w) < len(whats) {
		return whats[w]
	}
	return "unknown"
}

// A Handler takes what a port reports. Its methods are called one at a time
// per port, in the card's order, and must not block.
type Handler interface {
	// Changed tells of a change of state. The first is Up.
	Changed(Change)
	// Tick is called for each 20 ms frame of the card's own clock while audio
	// is on: rx holds what the line says; the handler fills tx, FrameSize
	// bytes of µ-law, with what the line shall hear. Both slices are valid
	// only during the call. clock is the card's sample counter at rx's start;
	// a gap between two ticks is audio lost on the serial line.
	Tick(rx, tx []byte, clock uint64)
}

// A Port is one jack. Its methods are orders: they queue and return, may be
// repeated, and are lost without harm while the card is Down.
type Port interface {
	// Name says where it is, for people: "card1:2 (/dev/ttyUSB0)".
	Name() string
	Kind() Kind
	// Attach names who takes what the port reports, once, before anything
	// else; Up follows when the card answers, at once if it already has.
	Attach(Handler)
	// SetHook takes an FXO or TDM port off-hook or on-hook.
	SetHook(offHook bool)
	// FlashHook opens the loop of an off-hook FXO port for d. On a TDM port it
	// turns the hook over for d: a wink when on-hook, a pulse when off-hook.
	FlashHook(d time.Duration)
	// SetRing starts or stops ringing an FXS port. Cadence is on, off, on,
	// off … and repeats; it is needed only to start.
	SetRing(on bool, cadence []time.Duration)
	// SetReversed sets the polarity that an FXS port feeds.
	SetReversed(reversed bool)
	// DropLoop takes battery off an FXS port for d: how an exchange tells a
	// telephone set or a gateway that the other end is gone.
	DropLoop(d time.Duration)
	// SetAudio starts and stops the ticks.
	SetAudio(on bool)
}

// A Timed port knows when the line hears what the handler answers, so that its
// echo can be found in what the line says. A port that is not Timed plays it
// soon after, always with the same delay.
type Timed interface {
	// Playout is the card's sample counter at which the first sample of the tx
	// of this tick reaches the line. It is asked in Handler.Tick.
	Playout() uint64
}

// HookTiming is how an FXS port tells what a telephone does by how long its loop
// is open: up to PulseMax it is a dial pulse, from FlashMin to FlashMax a
// hook-flash, and what is longer was hung up. Zero leaves the port's own.
type HookTiming struct{ PulseMax, FlashMin, FlashMax time.Duration }

// A HookTimer port can be told these times. One that is none judges by its own.
type HookTimer interface {
	// SetHookTiming is an order as those of Port are. A port that was Down has
	// forgotten it.
	SetHookTiming(HookTiming)
}

// A RingTimer port tells how long rings are only when it is asked to, if it can.
type RingTimer interface {
	// TimeRings is an order, given before Attach. State.Untimed of the Up that
	// follows says whether the port obeys.
	TimeRings(bool)
}

// A Reader port may read caller ID by itself, with all that the exchange asks
// of a telephone for it, and tells it by a Change. A port that is no Reader
// only lets the gateway hear the line.
type Reader interface{ ReadsCallerID() bool }
