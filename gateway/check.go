package gateway

import (
	"fmt"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
)

// Check says what is wrong with a line's configuration, whatever it is wired to:
// what New and Reload refuse. Country and rings are those of Config.
func (c LineConfig) Check(country string, own map[string][]time.Duration) error {
	if c.Country != "" {
		country = c.Country
	}
	k, err := countryOf(country)
	if err != nil {
		return fmt.Errorf("line %s: %w", c.Name, err)
	}
	if c.CallerID != "" {
		if _, err = callerid.Lookup(c.CallerID); err != nil {
			return fmt.Errorf("line %s: %w", c.Name, err)
		}
	}
	if c.ReceiveGain < -maxGain || c.ReceiveGain > maxGain || c.SendGain < -maxGain || c.SendGain > maxGain {
		return fmt.Errorf("line %s: a gain is from -%d to %d dB", c.Name, maxGain, maxGain)
	}
	if shortest, longest := or(c.FXS.FlashMin, k.flashMin), or(c.FXS.FlashMax, k.flashMax); shortest >= longest {
		return fmt.Errorf("line %s: its telephone's shortest hook-flash, %v, is not shorter than its longest, %v: set both", c.Name, shortest, longest)
	}
	if c.Kind == jack.FXO || c.Kind == 0 {
		return c.checkNumbers(k, own)
	}
	return nil
}

// checkNumbers says what is wrong with the numbers of an FXO line.
func (c LineConfig) checkNumbers(k country, own rings) error {
	var known []numberRing
	for _, n := range c.FXO.Numbers {
		switch {
		case n == RingNumber{}:
			continue
		case n.Number == "":
			return fmt.Errorf("line %s: ring %q is of no number: say which", c.Name, n.Ring)
		case n.Ring == "":
			return fmt.Errorf(`line %s: number %s has no ring: say "outside" if it rings as any line does`, c.Name, n.Number)
		}
		cadence, ok := own.cadence(n.Ring, k)
		if !ok {
			return fmt.Errorf(`line %s: number %s: there is no ring %q: it is "outside", "dr1" to "dr4", or one of the office's own with a cadence`, c.Name, n.Number, n.Ring)
		}
		if err := endsPlainly(cadence); err != nil {
			return fmt.Errorf("line %s: number %s: ring %q: %w", c.Name, n.Number, n.Ring, err)
		}
		mine := numberRing{n, cadence[:len(cadence)-1]}
		for _, other := range known {
			if alike(mine.times, other.times) {
				return fmt.Errorf("line %s: rings %q and %q sound alike: number %s can't be told from %s",
					c.Name, other.Ring, n.Ring, n.Number, other.Number)
			}
		}
		known = append(known, mine)
	}
	return nil
}
