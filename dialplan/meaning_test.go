package dialplan

import (
	"strconv"
	"sync"
	"testing"
)

// What is remembered of a number is what was found, whoever asks, and not more
// numbers are remembered than maxMet.
func TestMeaningsAreRemembered(t *testing.T) {
	c := country{region: "US", area: "201", met: new(meanings)}
	fresh := country{region: "US", area: "201"}
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for i := range 300 {
				digits := strconv.Itoa(12015550000 + i)
				if got, want := c.mean(digits), fresh.mean(digits); got.class != want.class || got.e164 != want.e164 || got.national != want.national || got.why != want.why {
					t.Errorf("%s: remembered as %+v, is %+v", digits, got, want)
				}
			}
		})
	}
	callers.Wait()
	if first := c.mean("12015550000"); c.mean("12015550000") != first || len(c.met.of) != 300 {
		t.Errorf("of 300 numbers %d are remembered", len(c.met.of))
	}
	if n := testing.AllocsPerRun(100, func() { c.mean("12015550000") }); n != 0 {
		t.Errorf("%v allocations for a number met before", n)
	}
	for i := range maxMet {
		c.mean("+4420" + strconv.Itoa(70000000+i))
	}
	if len(c.met.of) > maxMet {
		t.Errorf("%d numbers are remembered, want at most %d", len(c.met.of), maxMet)
	}
}
