package gateway

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// Config says which lines there are and who takes their calls. The zero value
// is a gateway without lines.
type Config struct {
	// Country gives the tones, the bell cadences and the hook timing of lines
	// that name none: "us", "uk", "de", "fr", "jp", "au" … Empty is "us".
	Country string
	Lines   []LineConfig
	Trunks  []TrunkConfig
	// Rings are the office's own cadences of ring voltage by the names that calls
	// ask for (leg.Ring): ring, pause, ring, pause …, repeated. They come before
	// those that a line's country has for the same names (tone.Country.Ring).
	// Each has up to 8 rings of 0.2 to 5 s and as many pauses, the longest of them
	// from 2 to 5 s for the caller ID.
	Rings map[string][]time.Duration
	// Accept takes the calls that come in on FXO and TDM lines and that telephones on
	// FXS lines make. Nil refuses them all.
	Accept leg.Acceptor
	// Complete tells what the dial plan knows of the digits that the telephone
	// on an FXS line, or the far end of a TDM line, has dialled so far. Nil knows nothing: '#' or the
	// inter-digit timer ends the number.
	Complete func(line, digits string) Completeness
	// Log may be nil.
	Log *slog.Logger
}

// Completeness is what the dial plan knows of digits dialled so far.
type Completeness uint8

const (
	Partial        Completeness = iota // more digits are needed
	Complete                           // the number is whole; no longer one begins with it
	CompleteOrMore                     // the number is whole, and longer ones begin with it
	Impossible                         // no number begins with these digits
)

// LineConfig describes one line. Port and Name are needed, all else has a
// default.
type LineConfig struct {
	Name string    // "fxo1": unique, and the line's column in ladders
	Port jack.Port // the jack that it is wired to; the gateway attaches to it
	// Kind is jack.FXO, jack.FXS or jack.TDM; zero takes the port's. A timeslot
	// of a channel bank is given the kind of jack that it leads to there, for its
	// bits are that jack's; TDM is a trunk with E&M signalling.
	Kind    jack.Kind
	Country string // empty: the gateway's
	// CallerID is the standard of caller ID, a name that callerid.Lookup
	// knows. Empty is the country's.
	CallerID string

	// ReceiveGain and SendGain are added to what the line says and to what it
	// hears, in dB, -24 to 24. Zero leaves the level as it is.
	ReceiveGain, SendGain float64
	// EchoTail is how long after something was sent its echo may come back from
	// the line and is cancelled (ITU-T G.168). Zero is 32 ms, and more for a port
	// that can't tell when it is heard, and none for a TDM line; negative
	// switches the canceller off.
	EchoTail time.Duration
	// BusiedOut takes the line out of service from the start; see Gateway.BusyOut.
	BusiedOut bool

	// GroundStart: an FXO or FXS line on a timeslot has ground-start signalling,
	// else loop start. It means nothing to other jacks.
	GroundStart bool

	FXO FXO // of a line to an exchange
	FXS FXS // of a line to a telephone
	TDM TDM // of a trunk over a timeslot
}

// FXO is how a line to a telephone exchange behaves. The zero value suits a
// line of which nothing is known.
type FXO struct {
	// DialToneWait is how long the exchange may take to give dial tone. Zero is 3 s.
	DialToneWait time.Duration
	// BlindDial dials after DialToneWait even if no dial tone was heard, for
	// exchanges with a tone that is not the country's.
	BlindDial bool
	// Pulse dials by loop pulses, for an exchange that knows no DTMF.
	Pulse bool
	// Answer says how the answer of the called party is known.
	Answer AnswerRule
	// PolarityHangup takes any reversal of polarity during a call as the end
	// of it. A reversal that takes back the one of the answer always is.
	PolarityHangup bool
	// Silence ends a call in which neither side was heard for so long. Zero is
	// 30 minutes, negative never.
	Silence time.Duration
	// MinLoopDrop is the shortest loss of loop current that ends a call. Zero is 80 ms.
	MinLoopDrop time.Duration
	// Guard is how long the line stays on-hook before it is seized again, so
	// that the exchange notices the release. Zero is 4 s, negative none.
	Guard time.Duration
	// CallerIDWait is how long after the first ring an incoming call may wait
	// for its caller ID before it is offered. Zero is 4 s, negative does not
	// wait. A second ring ends the wait.
	CallerIDWait time.Duration
	// FlashTime is how long the loop opens for a hook-flash towards the
	// exchange. Zero is the country's.
	FlashTime time.Duration
	// Numbers are those that the line has, when its exchange rings each of them
	// differently (distinctive ringing: SmartRing, Ident-a-Call, Call Sign …). A
	// call in is then offered at the end of its first ring, with the number that
	// was called. Zero entries are unused; with none, a line does not know its
	// number.
	Numbers [4]RingNumber
}

// tellsNumbers is whether the line's rings tell which number was called.
func (f FXO) tellsNumbers() bool { return f.Numbers != [4]RingNumber{} }

// A RingNumber is one number of an FXO line, told by its ring.
type RingNumber struct {
	// Ring names the cadence, as in Config.Rings, or of the line's country:
	// "outside" is its Bell, "dr1" to "dr4" are those of Telcordia GR-506.
	Ring string
	// Number is what was called, as it is shown to the dial plan.
	Number string
}

// FXS is how a line to a telephone behaves.
type FXS struct {
	Extension string // the telephone's number, shown as the caller and as the called party
	Name      string // who is shown beside the number; may be empty
	// FirstDigit, InterDigit and Match are how long the telephone may wait
	// before the first digit, between digits, and after a number that is
	// whole though longer ones exist. Zero is 16 s, 8 s and 3 s.
	FirstDigit, InterDigit, Match time.Duration
	// FlashMin and FlashMax bound the loop break that is a hook-flash. Zero is
	// the country's.
	FlashMin, FlashMax time.Duration
	// NoFlash: the telephone's hook-flash asks for nothing, so that it need not be
	// told from hanging up, which is known about a second sooner.
	NoFlash bool
	// Hotline is the number that is dialled without a digit when the telephone
	// is lifted, after HotlineAfter (zero: at once; else a "warm line" that
	// may still dial by itself). Empty is none.
	Hotline      string
	HotlineAfter time.Duration
	// ReverseOnAnswer reverses polarity while a call that the telephone made
	// is answered, for payphones, private exchanges and meters.
	ReverseOnAnswer bool
	// NoCallerID sends no caller ID, and no message for the lamp, for a device that
	// mistakes them for speech.
	NoCallerID bool
	// PlainRing rings with the country's Bell whatever ring a call asks for, for an
	// answering machine or a fax that takes another for none.
	PlainRing bool
}

// A TrunkConfig is a group of FXO and TDM lines that lead to the same exchange.
type TrunkConfig struct {
	Name  string
	Lines []string // names of lines, in hunting order
	Hunt  Hunt
	// Access is dialled before each number, spelled as Gateway.Dial has it: "9w" for
	// lines of another exchange that wants a 9 and gives a second dial tone, an
	// access number and a PIN for two-stage dialling. Empty: nothing.
	Access string
}

// Hunt is the order in which a trunk's lines are tried.
type Hunt uint8

const (
	Ascending      Hunt = iota // the first idle line
	Descending                 // the last idle line: away from an exchange that hunts upwards, against glare
	RoundRobin                 // the idle line after the one used last
	RoundRobinDown             // the idle line before the one used last
)

var hunts = [...]string{"ascending", "descending", "round-robin", "round-robin-down"}

func (h Hunt) String() string { return hunts[h] }

// ParseHunt reads the name of a hunting order; empty is Ascending.
func ParseHunt(s string) (Hunt, error) {
	if s == "" {
		return Ascending, nil
	}
	for h, name := range hunts {
		if s == name {
			return Hunt(h), nil
		}
	}
	return 0, fmt.Errorf("hunt %q is not one of %s", s, strings.Join(hunts[:], ", "))
}
