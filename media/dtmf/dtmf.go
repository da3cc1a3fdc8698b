// Package dtmf makes and hears the dual-tone multi-frequency signals of
// push-button telephones (ITU-T Q.23, Q.24) in 16-bit linear samples at 8 kHz.
// A Generator speaks digits into the blocks that it is handed; a Detector tells
// of digits in the blocks that it is shown. Both belong to one goroutine, keep
// no clock of their own, and allocate nothing for a block. Digits that travel
// outside the audio (RFC 4733) are not its business.
package dtmf

import "crosspoint/internal/dsp"

// Digits are the sixteen digits in the order of the keypad of ITU-T Q.23, row by row.
const Digits = "123A456B789C*0#D"

// The frequency groups of ITU-T Q.23 in Hz: a row of the keypad is a low
// frequency, a column a high one.
var (
	low  = [4]float64{697, 770, 852, 941}
	high = [4]float64{1209, 1336, 1477, 1633}
)

// Frequencies are the two frequencies of a digit in Hz; ok is false for what
// is no digit. The letters may be small.
func Frequencies(digit byte) (lowHz, highHz float64, ok bool) {
	key, ok := index(digit)
	if !ok {
		return 0, 0, false
	}
	return low[key/4], high[key%4], true
}

// index is the place of a digit in Digits.
func index(digit byte) (int, bool) {
	if 'a' <= digit && digit <= 'd' {
		digit -= 'a' - 'A'
	}
	for i := range len(Digits) {
		if Digits[i] == digit {
			return i, true
		}
	}
	return 0, false
}

const rate = dsp.SampleRate
