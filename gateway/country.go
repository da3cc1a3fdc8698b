package gateway

import (
	"time"

	"crosspoint/media/tone"
)

// A country is what differs between telephone networks.
type country struct {
	tone.Country
	// flash is the loop break that an exchange takes as a hook-flash, and
	// flashMin, flashMax those that we take as one from a telephone. North
	// America: 300 to 1000 ms. Europe: the timed break of 80 to 120 ms (ETSI
	// ES 201 970), accepted up to a second because telephones differ.
	flash, flashMin, flashMax time.Duration
	// loopBreak and loopMake are the halves of a dial pulse at 10 a second.
	loopBreak, loopMake time.Duration
}

// longFlash lists the countries of the long flash and the 61/39 pulse.
var longFlash = map[string]bool{"us": true, "ca": true, "jp": true, "mx": true}

// countryOf looks a country up; the error names those there are.
func countryOf(code string) (country, error) {
	t, err := tone.Lookup(code)
	if err != nil {
		return country{}, err
	}
	c := country{Country: t, flash: 100 * time.Millisecond, flashMin: 80 * time.Millisecond, flashMax: time.Second,
		loopBreak: 67 * time.Millisecond, loopMake: 33 * time.Millisecond}
	if longFlash[t.Code] {
		c.flash, c.flashMin = 750*time.Millisecond, 300*time.Millisecond
		c.loopBreak, c.loopMake = 61*time.Millisecond, 39*time.Millisecond
	}
	return c, nil
}

// longestPause is when the longest silence of a cadence (on, off, on, off …)
// begins, and how long it is.
func longestPause(cadence []time.Duration) (start, length time.Duration) {
	var at time.Duration
	for i, d := range cadence {
		if i%2 == 1 && d > length {
			start, length = at, d
		}
		at += d
	}
	return start, length
}
