package b2bua_test

import (
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/b2bua/flow"
	"crosspoint/b2bua/leg"
)

// doors is an office with callers of all kinds; dave's phone is the one at the
// door.
const doors = flow.Numbered + `
[[line]]
name = "fxo1"
kind = "fxo"
incoming = "102"
[[distinctive_ring]]
name = "door"
alert_info = "<http://office.example>;info=door"
cadence = ["300ms", "200ms", "300ms", "4s"]
[[rule]]
dial = "7"
from = "104"
to = "102"
calls_ring = "door"
`

// rings tells how a phone rings that is called now.
func rings(t *testing.T, p *flow.Phone, want string) {
	t.Helper()
	if got := p.Ring(); got.Name != want {
		t.Errorf("%s rings as %q, want %q", p.Name, got.Name, want)
	}
}

var (
	fxo1     = leg.Source{Kind: leg.Line, Name: "fxo1"}
	stranger = leg.Source{}
)

// A phone hears who calls: somebody inside, outside, or at a door that has a
// ring of its own; a caller may ask for a ring.
func TestPhonesRingByWhoCalls(t *testing.T) {
	flow.Test(t, doors, func(f *flow.Flow) {
		f.Alice.Calls("102")
		rings(t, f.Bob, leg.RingInside)
		f.Alice.HangsUp()
		f.Alice.CallsAs(fxo1, "")
		rings(t, f.Bob, leg.RingOutside)
		f.Alice.HangsUp()
		f.Dave.Calls("7")
		if got, want := f.Bob.Ring(), (leg.Ring{Name: "door", Info: "<http://office.example>;info=door"}); got != want {
			t.Errorf("bob rings as %v, want %v", got, want)
		}
		f.Dave.HangsUp()
		f.Alice.AlertInfo = "<http://127.0.0.1/Bellcore-dr3>"
		f.Alice.Calls("103")
		rings(t, f.Carol, "dr3")
		f.Carol.Redirects("104") // who calls asks still
		rings(t, f.Dave, "dr3")
		f.Alice.HangsUp()
	})
}

// Where a call goes on to, its caller is still who calls: by forwarding, by 302,
// by transfer.
func TestRingGoesWithTheCaller(t *testing.T) {
	flow.Test(t, doors, func(f *flow.Flow) {
		f.Alice.CallsAs(fxo1, "")
		f.Bob.Redirects("103")
		rings(t, f.Carol, leg.RingOutside)
		f.Carol.Answers()
		f.Carol.Refers("104")
		rings(t, f.Dave, leg.RingOutside)
		f.Dave.Answers()
		f.Alice.HangsUp()
	})
	flow.Test(t, doors, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Bob.Refers("103")
		rings(t, f.Carol, leg.RingInside)
		f.Alice.HangsUp()
	})
}

// A telephone with a hook-flash that calls a third is inside; when it is hung up
// before the third answers and that one sends the call on, the held party is who
// calls.
func TestRingOfAConsultation(t *testing.T) {
	flow.Test(t, doors, func(f *flow.Flow) {
		f.Alice.CallsAs(fxo1, "")
		f.Bob.Answers()
		f.Bob.Flashes()
		f.Bob.Dials("103")
		rings(t, f.Carol, leg.RingInside)
		f.Bob.HangsUp()
		f.Carol.Redirects("104")
		rings(t, f.Dave, leg.RingOutside)
		f.Alice.HangsUp()
	})
}

// The exchange calls back: for a party on hold whose telephone was hung up, for
// one that is parked, for a party that was busy, for a click.
func TestRecallRing(t *testing.T) {
	flow.Test(t, doors, func(f *flow.Flow) {
		f.Alice.CallsAs(fxo1, "")
		f.Bob.Answers()
		f.Bob.Flashes()
		f.Bob.HangsUp()
		rings(t, f.Bob, leg.RingRecall)
		f.Bob.Answers()
		f.Bob.Refers("*70")
		f.Wait(3 * time.Minute)
		rings(t, f.Bob, leg.RingRecall)
		f.Alice.HangsUp()
	})
	flow.Test(t, doors, func(f *flow.Flow) {
		if _, err := f.X.Originate("103", "104"); err != nil {
			t.Fatal(err)
		}
		rings(t, f.Carol, leg.RingRecall)
		f.Carol.Answers()
		rings(t, f.Dave, leg.RingInside)
		f.Carol.HangsUp()
	})
	flow.Test(t, doors, func(f *flow.Flow) {
		f.Alice.Calls("102")
		f.Bob.Answers()
		f.Carol.Calls("102")
		f.Bob.Refuses(486)
		f.Carol.Calls("*66")
		f.Alice.HangsUp()
		f.Wait(3 * time.Second)
		rings(t, f.Carol, leg.RingRecall)
		f.Carol.HangsUp()
	})
}

// Those who are told of an emergency call ring urgently.
func TestUrgentRing(t *testing.T) {
	flow.TestWith(t, doors+`
[[trunk]]
name = "pstn"
lines = "fxo1"
[emergency]
numbers = "112"
to = "pstn"
notify = "103"
`, b2bua.Config{}, func(f *flow.Flow) {
		f.Alice.Calls("112")
		rings(t, f.Carol, leg.RingUrgent)
		f.Carol.HangsUp()
	})
}

// A stranger rings as somebody outside, whatever it asks for is not passed on.
func TestStrangerRingsOutside(t *testing.T) {
	flow.Test(t, doors+`
[[incoming]]
from = "strangers"
dialed = "102"
to = "102"
`, func(f *flow.Flow) {
		f.Alice.CallsAs(stranger, "102")
		rings(t, f.Bob, leg.RingOutside)
		f.Alice.HangsUp()
	})
}
