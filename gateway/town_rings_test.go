package gateway_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway"
	"crosspoint/gateway/linesim"
	"crosspoint/media/tone"
)

// ringOf is a cadence of a country by its name.
func ringOf(country, name string) linesim.Cadence {
	c, err := tone.Lookup(country)
	if err != nil {
		panic(err)
	}
	ring, ok := c.Ring(name)
	if !ok {
		panic(name)
	}
	return ring
}

// TestTownRingsNumbers: a line of the town with three numbers, whose exchange tells
// the caller after the first ring or before it.
func TestTownRingsNumbers(t *testing.T) {
	for _, country := range []string{"us", "uk"} {
		sim := linesim.Config{Country: country, Lines: []linesim.LineConfig{{Number: "5550201", Further: []linesim.FurtherNumber{
			{Number: "5550202", Cadence: ringOf(country, "dr2")}, {Number: "5550203", Cadence: ringOf(country, "dr4")},
		}}, {}}}
		live(t, sim, func(g *gateway.Config) {
			g.Country = country
			g.Lines[0].FXO.Numbers = [4]gateway.RingNumber{{Ring: "outside", Number: "+15550201"}, {Ring: "dr2", Number: "+15550202"}, {Ring: "dr4", Number: "+15550203"}}
		}, func(tn *town) {
			for i, called := range []string{"5550201", "5550202", "5550203"} {
				if err := tn.sim.Town().Ring(called, linesim.Subscriber{Number: "5551234", GiveUp: 4 * time.Second}); err != nil {
					t.Fatal(err)
				}
				e := tn.comes(i + 1)
				if e.dialed != "+1"+called || e.caller.Number != "5551234" {
					t.Errorf("%s: called %s: offered as %q, from %v\n%v", country, called, e.dialed, e.caller, e.ladder)
				}
				e.until(t, "HungUp")
				time.Sleep(time.Second)
			}
		})
	}
}

// TestTownTelephonesRing: a telephone hears the cadence of the call's ring on its own
// wires, with the caller ID in the pause of it.
func TestTownTelephonesRing(t *testing.T) {
	own := []time.Duration{300 * time.Millisecond, 200 * time.Millisecond, time.Second, 4 * time.Second}
	live(t, linesim.Config{Phones: make([]linesim.PhoneConfig, 2)}, func(g *gateway.Config) {
		g.Rings = map[string][]time.Duration{"door": own}
	}, func(tn *town) {
		for ring, want := range map[string]linesim.Cadence{"inside": ringOf("us", "inside"), "door": own} {
			l, err := tn.g.DialLine("fxs1", leg.Outgoing{From: leg.Party{Number: "104"}, Ring: leg.Ring{Name: ring}})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(6500 * time.Millisecond) // until the second ring, at the latest
			s := tn.sim.Phone("fxs1").Status()
			if heard := s.Cadence; !slices.Equal(heard, want[:len(want)-1]) || s.CallerID.Number != "104" {
				t.Errorf("ring %q: heard %v, want %v; caller ID %+v", ring, heard, want, s.CallerID)
			}
			l.Hangup(leg.Cancelled)
			time.Sleep(time.Second)
		}
	})
}

// TestModemTellsNumbers: a voice modem tells how long it rings; one that can't says
// so in the line's status, and its calls come without a number.
func TestModemTellsNumbers(t *testing.T) {
	for _, c := range []struct {
		sim  linesim.Config
		want string
	}{
		{modemOf("conexant"), "+15550202"},
		{modemOf("usr", linesim.NoCadence), ""},
	} {
		line := gateway.LineConfig{FXO: gateway.FXO{Numbers: [4]gateway.RingNumber{{Ring: "outside", Number: "+15550201"}, {Ring: "dr2", Number: "+15550202"}}}}
		online(t, c.sim, line, nil, func(tn *town) {
			s := tn.status("modem1")
			if said := strings.Contains(s.Fault, "can't tell how long a ring is"); said != (c.want == "") || !s.Ready {
				t.Errorf("ready %v, fault %q", s.Ready, s.Fault)
			}
			sub := linesim.Subscriber{Number: "5551234", Cadence: ringOf("us", "dr2"), GiveUp: 4 * time.Second}
			if err := tn.sim.Town().Ring(tn.modemLine().Name(), sub); err != nil {
				t.Fatal(err)
			}
			e := tn.comes(1)
			if e.dialed != c.want || e.caller.Number != "5551234" {
				t.Errorf("offered as %q, from %v\n%v", e.dialed, e.caller, e.ladder)
			}
			e.until(t, "HungUp")
		})
	}
}
