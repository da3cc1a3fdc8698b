package gateway

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"crosspoint/b2bua/leg"
)

// Cadences of ring voltage have names, by which calls ask for them (fxs_ring.go)
// and by which an exchange tells several numbers of a line apart (fxo_number.go).

const (
	// maxCadence is the most times that a card takes (docs/linecard-protocol.md §7.1).
	maxCadence = 16
	// ringShortest and ringLongest bound each time of an office's own cadence: less
	// does not move a bell, and after more a line behind ours thinks that the caller
	// has given up (ringGone).
	ringShortest, ringLongest = 200 * time.Millisecond, 5 * time.Second
	// ringCallerID is the pause that caller ID needs between two rings (GR-30
	// §2.3: 0.5 s of silence, a message of 1 s, and silence before the next ring).
	ringCallerID = 2 * time.Second
)

// rings are an office's own cadences by name.
type rings map[string][]time.Duration

// cadence finds the cadence of a name: the office's own, else the country's. One
// that neither has is the country's Bell, and false.
func (r rings) cadence(name string, c country) (cadence []time.Duration, ok bool) {
	if name == "" {
		name = leg.RingOutside
	}
	if own := r[name]; own != nil {
		return own, true
	}
	return c.Ring(name)
}

// cadence finds a cadence as it is in force now.
func (l *line) cadence(name string) (cadence []time.Duration, ok bool) {
	return l.gw.now.Load().rings.cadence(name, l.country)
}

// check says what is wrong with a cadence.
func (r rings) check() error {
	for _, name := range slices.Sorted(maps.Keys(r)) {
		cadence := r[name]
		if name == "" {
			return fmt.Errorf("the ring %v has no name", cadence)
		}
		if n := len(cadence); n == 0 || n%2 != 0 || n > maxCadence {
			return fmt.Errorf("ring %q has %d times: it needs a pause after each ring, and 1 to %d of both", name, n, maxCadence/2)
		}
		for _, d := range cadence {
			if d < ringShortest || d > ringLongest {
				return fmt.Errorf("ring %q: a ring or a pause of %v can't be told: from %v to %v", name, d, ringShortest, ringLongest)
			}
		}
		if _, pause := longestPause(cadence); pause < ringCallerID {
			return fmt.Errorf("ring %q: its longest pause is %v: caller ID needs one of %v or more", name, pause, ringCallerID)
		}
	}
	return nil
}
