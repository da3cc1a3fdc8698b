package wiring

import (
	"testing"
	"time"

	"crosspoint/dialplan"
	"crosspoint/gateway"
	"crosspoint/internal/tomlfile"
)

// What the plan takes for a cadence the gateway takes too, and no more.
func TestCadencesAreTheGateways(t *testing.T) {
	const ms = time.Millisecond
	long := make([]time.Duration, 18)
	for i := range long {
		long[i] = 300 * ms
	}
	long[17] = 2000 * ms
	for _, c := range []struct {
		cadence []time.Duration
		good    bool
	}{
		{[]time.Duration{300 * ms, 200 * ms, 300 * ms, 4000 * ms}, true},
		{[]time.Duration{200 * ms, 2000 * ms}, true},
		{[]time.Duration{5000 * ms, 5000 * ms}, true},
		{long[2:], true},
		{long, false},
		{[]time.Duration{300 * ms}, false},
		{[]time.Duration{199 * ms, 2000 * ms}, false},
		{[]time.Duration{300 * ms, 1999 * ms}, false},
		{[]time.Duration{300 * ms, 5001 * ms}, false},
	} {
		plan, problems := dialplan.Compile(dialplan.Config{Rings: []dialplan.DistinctiveRing{{Name: "door", Cadence: c.cadence}}})
		if (plan != nil) != c.good {
			t.Errorf("%v: the plan says %q", c.cadence, tomlfile.Text(problems))
		}
		_, err := gateway.New(gateway.Config{Rings: map[string][]time.Duration{"door": c.cadence}})
		if (err == nil) != c.good {
			t.Errorf("%v: the gateway says %v", c.cadence, err)
		}
	}
}
