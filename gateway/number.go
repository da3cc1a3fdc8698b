package gateway

import (
	"fmt"
	"strings"
	"time"
)

// pauseTime is what one ',' in a number waits (S8 of ITU-T V.250 §6.3.11: 2 s).
const pauseTime = 2 * time.Second

// maxDigits bounds a number. E.164 has 15 digits; carrier codes, calling cards
// and second stages come on top.
const maxDigits = 64

// A step is one part of dialling: digits, else a pause, else the wait for
// another dial tone.
type step struct {
	digits string
	pause  time.Duration
}

// parseNumber cuts what is to be dialled into steps, in the spelling that
// Gateway.Dial describes.
func parseNumber(s string) ([]step, error) {
	steps, digits, err := cutNumber(s)
	switch {
	case err != nil:
		return nil, err
	case digits == 0:
		return nil, fmt.Errorf("%q has no digit to dial", s)
	}
	return steps, nil
}

// cutNumber is parseNumber of what may have no digits; it counts them.
func cutNumber(s string) (steps []step, digits int, err error) {
	for _, r := range s {
		switch {
		case strings.ContainsRune(" -.()", r):
		case r == ',':
			if n := len(steps); n > 0 && steps[n-1].pause > 0 {
				steps[n-1].pause += pauseTime
			} else {
				steps = append(steps, step{pause: pauseTime})
			}
		case r == 'w' || r == 'W':
			steps = append(steps, step{})
		case isDigit(r):
			if n := len(steps); n == 0 || steps[n-1].digits == "" {
				steps = append(steps, step{})
			}
			steps[len(steps)-1].digits += strings.ToUpper(string(r))
			digits++
		default:
			return nil, 0, fmt.Errorf("%q can't be dialled on a line: %q is not a digit", s, r)
		}
	}
	if digits > maxDigits {
		return nil, 0, fmt.Errorf("%q… has %d digits, a line dials at most %d", s[:16], digits, maxDigits)
	}
	return steps, digits, nil
}

// isDigit tells whether r is a key of a telephone (ITU-T Q.23).
func isDigit(r rune) bool {
	return '0' <= r && r <= '9' || r == '*' || r == '#' || 'A' <= r && r <= 'D' || 'a' <= r && r <= 'd'
}
