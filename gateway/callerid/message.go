package callerid

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Format is how a message is laid out.
type Format uint8

const (
	MDMF Format = iota // multiple data message format: number, name, reasons (GR-31, EN 300 659-3)
	SDMF               // single data message format: time and number only
)

// Message types (GR-30, EN 300 659-3).
const (
	typeSDMF        = 0x04
	typeSDMFWaiting = 0x06
	typeMDMF        = 0x80
	typeMDMFWaiting = 0x82
)

// Parameter types of MDMF (GR-31, EN 300 659-3).
const (
	paramTime         = 0x01
	paramNumber       = 0x02
	paramDialed       = 0x03
	paramNumberAbsent = 0x04
	paramName         = 0x07
	paramNameAbsent   = 0x08
	paramWaiting      = 0x0b
	paramRedirecting  = 0x1a
)

// The longest texts that are sent. Telephones cut names at 15 in GR-31; ETSI
// allows 50. Numbers have at most 20 characters in EN 300 659-3.
const (
	maxNumber = 20
	maxName   = 50
)

// Build is the message that tells c, with its type, length and checksum. What
// telephones cannot show is left out or rewritten: accents go, other characters
// become '?'; texts are cut at 20 (number) and 50 (name) characters. A CallerID
// that tells neither number nor reason is sent as Unavailable.
func Build(c CallerID, f Format) []byte {
	if f == SDMF {
		return sdmf(c)
	}
	m := []byte{typeMDMF, 0}
	if c.Time.valid() {
		m = appendParam(m, paramTime, digits(c.Time))
	}
	m = appendText(m, paramNumber, paramNumberAbsent, number(c.Number), c.NumberAbsent)
	if c.Name != "" || c.NameAbsent != 0 {
		m = appendText(m, paramName, paramNameAbsent, text(c.Name, maxName), c.NameAbsent)
	}
	if c.Dialed != "" {
		m = appendParam(m, paramDialed, number(c.Dialed))
	}
	if c.Redirecting != "" {
		m = appendParam(m, paramRedirecting, number(c.Redirecting))
	}
	if c.Waiting != 0 {
		m = appendParam(m, paramWaiting, lamp(c.Waiting))
	}
	return finish(m)
}

// BuildWaiting is the message that switches a telephone's message lamp on or off.
func BuildWaiting(on bool) []byte {
	w := NoMessagesWait
	if on {
		w = MessagesWait
	}
	return finish(appendParam([]byte{typeMDMFWaiting, 0}, paramWaiting, lamp(w)))
}

func sdmf(c CallerID) []byte {
	n := number(c.Number)
	switch {
	case n != "" && c.NumberAbsent == 0:
	case c.NumberAbsent == Private:
		n = string(rune(Private))
	default:
		n = string(rune(Unavailable))
	}
	t := c.Time
	if !t.valid() {
		t = Time{Month: 1, Day: 1}
	}
	return finish(append([]byte{typeSDMF, 0}, digits(t)+n...))
}

// appendText adds a text, or the reason why there is none.
func appendText(m []byte, param, absent byte, s string, why Absence) []byte {
	if s != "" && why == 0 {
		return appendParam(m, param, s)
	}
	if why != Private {
		why = Unavailable
	}
	return appendParam(m, absent, string(rune(why)))
}

func appendParam(m []byte, param byte, s string) []byte {
	return append(append(m, param, byte(len(s))), s...)
}

func lamp(w Waiting) string {
	if w == MessagesWait {
		return "\xff"
	}
	return "\x00"
}

func digits(t Time) string {
	return fmt.Sprintf("%02d%02d%02d%02d", t.Month, t.Day, t.Hour, t.Minute)
}

// finish fills in the length and adds the checksum: the two's complement of the
// sum of all that precedes it (GR-30).
func finish(m []byte) []byte {
	m[1] = byte(len(m) - 2)
	return append(m, -sum(m))
}

func sum(m []byte) (s byte) {
	for _, b := range m {
		s += b
	}
	return s
}

// number is what of a number telephones can show.
func number(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '*' || r == '#' || r == '+' {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), maxNumber)]
}

// text is s in printable ASCII, the one alphabet that all telephones show.
func text(s string, limit int) string {
	s = strings.NewReplacer("ß", "ss", "æ", "ae", "Æ", "AE", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L").Replace(s)
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r) || r < ' ' || r == 0x7f:
			return -1
		case r > 0x7e:
			return '?'
		}
		return r
	}, norm.NFD.String(s))
	return s[:min(len(s), limit)]
}
