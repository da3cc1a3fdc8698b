package linesim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosspoint/media/tone"
)

// A Cadence is how ring voltage comes and goes: on, off, on, off …. One that is
// rung ends with its longest pause and is repeated; one that was heard ends
// with its last burst. Nil: none, or not known.
type Cadence []time.Duration

// String writes the times in seconds: "0.4/0.2/0.4".
func (c Cadence) String() string {
	var times []string
	for _, d := range c {
		times = append(times, strconv.FormatFloat(d.Seconds(), 'f', -1, 64))
	}
	return strings.Join(times, "/")
}

// Limits of a cadence that the town rings.
const (
	cadenceMost  = 16                     // on and off times, as many as a card may be told
	cadenceLeast = 100 * time.Millisecond // of each: shorter ones are noise to whoever is rung
	pauseLeast   = 2 * time.Second        // caller ID needs 0.5 s, 1 s of message and 0.2 s (GR-30 §2.3)
	pauseMost    = 5 * time.Second        // soon after that, whoever is rung takes the caller to have given up
)

// ParseCadence reads a cadence by its name in a country ("dr2"; see
// tone.Country.Ring) or written out in seconds ("0.8/0.4/0.8/4").
func ParseCadence(country tone.Country, text string) (Cadence, error) {
	if named, ok := country.Ring(text); ok {
		return named, nil
	}
	var c Cadence
	for word := range strings.SplitSeq(text, "/") {
		seconds, err := strconv.ParseFloat(word, 64)
		if err != nil || !(seconds >= 0 && seconds <= 60) {
			return nil, fmt.Errorf("%q is no ring: write outside, inside, recall, urgent, dr1 to dr4, or times in seconds such as 0.8/0.4/0.8/4", text)
		}
		c = append(c, time.Duration(seconds*1000+0.5)*time.Millisecond)
	}
	return c, c.check()
}

// check tells what is wrong with a cadence to ring; nil is none, and right.
func (c Cadence) check() error {
	if c == nil {
		return nil
	}
	if len(c) == 0 || len(c)%2 != 0 || len(c) > cadenceMost {
		return fmt.Errorf("cadence %v has %d times: write 1 to %d rings, each with the pause after it", c, len(c), cadenceMost/2)
	}
	switch last := c[len(c)-1]; {
	case slices.Min(c) < cadenceLeast:
		return fmt.Errorf("cadence %v: %v is too short: write times of %v or more", c, slices.Min(c), cadenceLeast)
	case last < pauseLeast || last > pauseMost || last < c.longestPause():
		return fmt.Errorf("cadence %v ends with a pause of %v: the last pause is the longest, from %v to %v", c, last, pauseLeast, pauseMost)
	}
	return nil
}

func (c Cadence) longestPause() (longest time.Duration) {
	for i := 1; i < len(c); i += 2 {
		longest = max(longest, c[i])
	}
	return longest
}

// heard is what is heard of a cadence to ring before its last pause.
func (c Cadence) heard() Cadence { return c[:max(0, len(c)-1)] }

// cadenceOn tells whether a cadence of on, off, on, off … is on at a time. One
// of an odd length is on twice where it begins again.
func cadenceOn(cadence []time.Duration, at time.Duration) bool {
	var period time.Duration
	for _, d := range cadence {
		period += d
	}
	if period <= 0 {
		return false
	}
	at %= period
	for i, d := range cadence {
		if at < d {
			return i%2 == 0
		}
		at -= d
	}
	return false
}
