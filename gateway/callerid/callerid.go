// Package callerid is how a telephone network says who calls: the messages that
// exchanges send to a ringing line (Telcordia GR-30 and GR-31, ETSI EN 300 659,
// BT SIN 227, NTT's Number Display) as frequency-shift keying or as DTMF digits. It builds and reads
// the messages, makes the whole signal of one (a Sender) and finds one in what
// a line says between two rings (a Receiver). When to send and when to listen
// is for the line.
package callerid

import (
	"errors"
	"time"
)

// A CallerID is what an exchange tells of a call. The zero value tells nothing.
type CallerID struct {
	Number       string  // as sent: digits as the called subscriber would dial them
	NumberAbsent Absence // why there is no Number
	Name         string
	NameAbsent   Absence // why there is no Name
	Time         Time    // when the call came, by the exchange's clock
	Dialed       string  // the number the caller dialled, if it was sent
	Redirecting  string  // the number that forwarded the call, if it was sent
	Waiting      Waiting // whether messages wait, if it was sent
}

// OfCall tells whether c says anything of a caller. A message that only switches the
// lamp does not, and belongs to no call.
func (c CallerID) OfCall() bool {
	return c.Number != "" || c.NumberAbsent != 0 || c.Name != "" || c.NameAbsent != 0
}

// Absence is why a number or a name is not told, as GR-31 and EN 300 659-3
// write it. The zero value: no reason was given.
type Absence byte

const (
	Unavailable     Absence = 'O' // the exchange does not know: out of area
	Private         Absence = 'P' // the caller withholds it
	Payphone        Absence = 'C' // the caller uses a public telephone (NTT)
	ServiceConflict Absence = 'S' // another service forbids it (NTT)
)

func (a Absence) String() string {
	switch a {
	case 0:
		return ""
	case Unavailable:
		return "unavailable"
	case Private:
		return "private"
	case Payphone:
		return "public telephone"
	case ServiceConflict:
		return "service conflict"
	}
	return "absent (" + string(rune(a)) + ")"
}

// Waiting is what a message says of waiting voice messages. The zero value: nothing.
type Waiting uint8

const (
	MessagesWait   Waiting = iota + 1 // switch the lamp on
	NoMessagesWait                    // switch the lamp off
)

// A Time is a date without a year, as caller identification has it. The zero
// value is no time.
type Time struct{ Month, Day, Hour, Minute int }

// TimeOf is the Time of t, in t's place.
func TimeOf(t time.Time) Time {
	return Time{int(t.Month()), t.Day(), t.Hour(), t.Minute()}
}

// Near is the moment that t means when it is about now, in now's place: the
// year is the one that brings it nearest. The zero Time is the zero time.Time.
func (t Time) Near(now time.Time) time.Time {
	if t == (Time{}) {
		return time.Time{}
	}
	best := time.Time{}
	for year := now.Year() - 1; year <= now.Year()+1; year++ {
		at := time.Date(year, time.Month(t.Month), t.Day, t.Hour, t.Minute, 0, 0, now.Location())
		if at.Day() == t.Day && (best.IsZero() || at.Sub(now).Abs() < best.Sub(now).Abs()) { // 29 February
			best = at
		}
	}
	return best
}

// valid tells whether there can be such a time.
func (t Time) valid() bool {
	return t.Month >= 1 && t.Month <= 12 && t.Day >= 1 && t.Day <= 31 &&
		t.Hour >= 0 && t.Hour <= 23 && t.Minute >= 0 && t.Minute <= 59
}

// What can be wrong with a message; the errors of Parse, ParseDTMF and Receiver.Err wrap them.
var (
	ErrNothing   = errors.New("no caller ID signal was heard: does the exchange send it, and after which ring?")
	ErrTruncated = errors.New("message is cut short: was the line answered while it was sent?")
	ErrChecksum  = errors.New("wrong checksum: noise or level trouble on the line")
	ErrFormat    = errors.New("not a caller ID message")
)
