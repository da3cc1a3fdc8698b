package gateway

import (
	"time"

	"crosspoint/media/dtmf"
	"crosspoint/media/tone"
)

// A heard is a signal on a line, whoever makes it.
type heard uint8

const (
	nothing heard = iota
	dialTone
	stutterTone
	ringbackTone
	busyTone
	congestionTone
	howlerTone
	waitingTone // another call waits
	specialTone // SIT: an announcement follows
	faxTone     // CNG, answer tone of a fax or modem
	voice       // anything that is no signal
)

var heards = [...]string{"nothing", "dial tone", "stutter dial tone", "ringback", "busy tone", "congestion tone",
	"off-hook warning", "call-waiting tone", "special information tone", "fax or modem tone", "voice"}

func (h heard) String() string { return heards[h] }

// tone is the signal as the line's country makes it.
func (l *line) tone(h heard) *sound {
	c := &l.country
	t := tone.Tone{}
	switch h {
	case dialTone:
		t = c.Dial
	case stutterTone:
		t = c.Stutter
		if t.Silent() {
			t = c.Dial
		}
	case ringbackTone:
		t = c.Ringback
	case busyTone:
		t = c.Busy
	case congestionTone:
		t = c.Congestion
		if t.Silent() {
			t = c.Busy
		}
	case howlerTone:
		t = c.Howler
	case waitingTone:
		t = c.CallWaiting
	}
	return &sound{Source: tone.NewGenerator(t)}
}

// newDigits makes DTMF digits, each of length d (zero: 100 ms).
func newDigits(digits string, d time.Duration) *sound {
	g := dtmf.NewGenerator(dtmf.Timing{On: d})
	// What is not a digit was refused before: parseNumber, leg.Leg.Digit.
	_ = g.Dial(digits)
	return &sound{Source: g}
}
