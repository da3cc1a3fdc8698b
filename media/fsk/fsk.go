// Package fsk is the frequency-shift keying in which telephone networks send
// caller identification: 1200 bit/s, asynchronous characters of one start bit,
// eight data bits and one stop bit, in 16-bit linear samples at 8 kHz. A
// Modulator makes the signal, a Demodulator finds the characters in it. Both
// belong to one goroutine and allocate nothing for a block. What the characters
// mean is for gateway/callerid.
package fsk

import "crosspoint/internal/dsp"

// A Standard names the two frequencies and the speed of a modem.
type Standard struct {
	Name  string
	Mark  float64 // Hz of a binary 1, and of the idle line
	Space float64 // Hz of a binary 0
	Baud  float64 // bit/s, up to 1200
}

// The two modems of caller identification.
var (
	Bell202 = Standard{"Bell 202", 1200, 2200, 1200} // Telcordia GR-30
	V23     = Standard{"V.23", 1300, 2100, 1200}     // ITU-T V.23 mode 2, ETSI EN 300 659
)

const (
	dataBits  = 8
	charBits  = dataBits + 2 // with start and stop bit
	perSample = 1 / float64(dsp.SampleRate)
)
