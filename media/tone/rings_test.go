package tone

import (
	"slices"
	"testing"
	"time"
)

var ringNames = []string{"outside", "inside", "recall", "urgent", "dr1", "dr2", "dr3", "dr4"}

// Each ring of each country is a cadence that a card can be told, that leaves
// room for caller ID, and that a caller on a line behind it is not taken to have
// given up by: the pause is 5 s or less.
func TestRingsCanBeRung(t *testing.T) {
	for _, code := range Codes() {
		c, err := Lookup(code)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range ringNames {
			ring, ok := c.Ring(name)
			if !ok || len(ring) == 0 || len(ring)%2 != 0 || len(ring) > 16 {
				t.Errorf("%s: %s = %v, %v: want 1 to 8 rings, each with its pause", code, name, ring, ok)
				continue
			}
			longest := time.Duration(0)
			for i, d := range ring {
				if d < 200*time.Millisecond {
					t.Errorf("%s: %s = %v: %v is too short for a bell", code, name, ring, d)
				}
				if i%2 == 1 {
					longest = max(longest, d)
				}
			}
			if longest < 2*time.Second || longest > 5*time.Second {
				t.Errorf("%s: %s = %v: longest pause %v, want from 2s to 5s", code, name, ring, longest)
			}
		}
	}
}

// What the exchange itself tells apart sounds different in each country.
func TestRingsAreToldApart(t *testing.T) {
	for _, code := range Codes() {
		c, _ := Lookup(code)
		heard := map[string]string{}
		for _, name := range []string{"outside", "inside", "recall", "urgent"} {
			ring, _ := c.Ring(name)
			key := ""
			for _, d := range ring[:len(ring)-1] {
				key += d.String() + " "
			}
			if other := heard[key]; other != "" {
				t.Errorf("%s: %s and %s sound alike: %v", code, name, other, ring)
			}
			heard[key] = name
		}
	}
}

func TestUnknownRing(t *testing.T) {
	c, _ := Lookup("uk")
	for _, name := range []string{"", "door", "dr9"} {
		if ring, ok := c.Ring(name); ok || !slices.Equal(ring, c.Bell) {
			t.Errorf("Ring(%q) = %v, %v; want the country's %v, and false", name, ring, ok, c.Bell)
		}
	}
}
