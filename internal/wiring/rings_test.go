package wiring

import (
	"testing"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
	"crosspoint/internal/tomlfile"
	"crosspoint/media/tone"
)

// The plan, call control and the lines mean the same by a ring's name, and every
// country has a cadence for each.
func TestRingsHaveOneName(t *testing.T) {
	for plan, call := range map[string]string{
		dialplan.RingInside: leg.RingInside, dialplan.RingOutside: leg.RingOutside,
		dialplan.RingRecall: leg.RingRecall, dialplan.RingUrgent: leg.RingUrgent,
	} {
		if plan != call {
			t.Errorf("the plan says %q, call control %q", plan, call)
		}
	}
	plan, problems := dialplan.Compile(dialplan.Config{})
	if tomlfile.Fatal(problems) {
		t.Fatal(tomlfile.Text(problems))
	}
	us, _ := tone.Lookup("us")
	for _, name := range []string{"inside", "outside", "recall", "urgent", "dr1", "dr2", "dr3", "dr4"} {
		if _, ok := us.Ring(name); !ok || plan.Ring(name).Name != name {
			t.Errorf("ring %q: the plan has %v, the lines a cadence: %v", name, plan.Ring(name), ok)
		}
	}
}

// What the file says of a line's rings is what the gateway gets.
func TestRingsOfLines(t *testing.T) {
	for line, want := range map[string]bool{
		"": false, "distinctive_rings = true": false, "distinctive_rings = false": true,
	} {
		l, problems := read(t, "kind = \"fxs\"\n"+line)
		if tomlfile.Fatal(problems) || l.FXS.PlainRing != want {
			t.Errorf("%q: PlainRing %v, want %v %s", line, l.FXS.PlainRing, want, tomlfile.Text(problems))
		}
	}
	l, problems := read(t, "kind = \"fxo\"\nnumbers = [{ ring = \"dr2\", number = \"2015550102\" }]")
	if tomlfile.Fatal(problems) || l.FXO.Numbers[0].Ring != "dr2" || l.FXO.Numbers[0].Number != "2015550102" || l.FXO.Numbers[1].Ring != "" {
		t.Errorf("numbers are %v %s", l.FXO.Numbers, tomlfile.Text(problems))
	}
	if len(l.FXO.Numbers) != dialplan.MaxNumbers {
		t.Errorf("a line has %d numbers by the gateway, %d by the plan", len(l.FXO.Numbers), dialplan.MaxNumbers)
	}
}
