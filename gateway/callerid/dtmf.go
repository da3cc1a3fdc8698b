package callerid

import (
	"fmt"
	"strings"
)

// Information codes of the B field (EN 300 659 and its national forms), and the
// single digits that stand for them in a D field.
const (
	infoUnavailable = "00"
	infoPrivate     = "10"
	codePrivate     = "1"
	codeUnavailable = "3"
)

// BuildDTMF is c as the digits of one of the DTMF standards; the empty string
// for a standard that is none. DTMF carries no name and no time.
func BuildDTMF(c CallerID, s Standard) string {
	n := plain(c.Number)
	if c.NumberAbsent != 0 {
		n = ""
	}
	code, info := codeUnavailable, infoUnavailable
	if c.NumberAbsent == Private {
		code, info = codePrivate, infoPrivate
	}
	switch {
	case s == DTMFA && n == "":
		return "B" + info + "C"
	case s == DTMFA && c.Redirecting != "":
		return "A" + n + "D" + plain(c.Redirecting) + "C"
	case s == DTMFA:
		return "A" + n + "C"
	case s == DTMFD && n == "":
		return "D" + code + "C"
	case s == DTMFD:
		return "D" + n + "C"
	case s == DTMFHash && n == "":
		return "D" + code + "#"
	case s == DTMFHash:
		return "A" + n + "#"
	}
	return ""
}

// plain is the digits of a number: the other keys end a field, or have no tone.
func plain(number string) string {
	number = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
	return number[:min(len(number), maxNumber)]
}

// ParseDTMF reads the digits of a DTMF caller ID in any of the forms that are
// sent: A<number>D<redirecting>B<information>C, D<number>C, A<number>#.
// Errors wrap ErrFormat or ErrTruncated.
func ParseDTMF(digits string) (CallerID, error) {
	var c CallerID
	if digits == "" || (digits[0] != 'A' && digits[0] != 'B' && digits[0] != 'D') {
		return c, fmt.Errorf("caller ID digits %q begin with none of A B D: %w", digits, ErrFormat)
	}
	end := strings.IndexAny(digits, "C#")
	if end < 0 {
		return c, fmt.Errorf("caller ID digits %q have no C or # at their end: %w", digits, ErrTruncated)
	}
	if end != len(digits)-1 {
		return c, fmt.Errorf("caller ID digits %q go on after their end: %w", digits, ErrFormat)
	}
	for rest := digits[:end]; rest != ""; {
		kind := rest[0]
		value := rest[1:]
		if next := strings.IndexAny(value, "ABD"); next >= 0 {
			value = value[:next]
		}
		rest = rest[1+len(value):]
		if strings.Trim(value, "0123456789") != "" {
			return CallerID{}, fmt.Errorf("caller ID digits %q have %q for a number: %w", digits, value, ErrFormat)
		}
		c.field(kind, value, digits[0] == 'D')
	}
	if c.Number == "" && c.NumberAbsent == 0 {
		c.NumberAbsent = Unavailable
	}
	return c, nil
}

// field takes one field. alone tells that the digits begin with D, whose field
// then is the caller's number, or one digit for the reason that there is none.
func (c *CallerID) field(kind byte, value string, alone bool) {
	switch {
	case kind == 'B' && c.Number != "" || value == "":
	case kind == 'B' && value == infoPrivate:
		c.NumberAbsent = Private
	case kind == 'B':
		c.NumberAbsent = Unavailable
	case kind == 'D' && !alone:
		c.Redirecting = value
	case kind == 'D' && value == codePrivate:
		c.NumberAbsent = Private
	case kind == 'D' && len(value) == 1:
		c.NumberAbsent = Unavailable
	default:
		c.Number = value
	}
}
