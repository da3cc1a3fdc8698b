package modem_test

import (
	"testing"
	"time"

	"crosspoint/gateway/jack"
	"crosspoint/gateway/linesim"
)

const ms = time.Millisecond

// rung is what the port told of rings: each pause and each ring, in tenths of a second.
func (u *user) rung() (tenths []int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range u.changes {
		if c.What == jack.RingOn || c.What == jack.RingOff {
			tenths = append(tenths, int(c.For/(100*ms)))
		}
	}
	return tenths
}

// rings has somebody call for d, and waits as long.
func (b *bench) rings(d time.Duration) {
	b.t.Helper()
	b.calls(d)
	time.Sleep(d)
}

// calls has somebody call for d, by a cadence of 0.4, 0.4 and 0.8 s.
func (b *bench) calls(d time.Duration) {
	b.t.Helper()
	sub := linesim.Subscriber{Number: "5551234", GiveUp: d, Cadence: []time.Duration{400 * ms, 200 * ms, 400 * ms, 200 * ms, 800 * ms, 4 * time.Second}}
	if err := b.sim.Town().Ring(b.line.Name(), sub); err != nil {
		b.t.Fatal(err)
	}
}

// TestRingLengths: a modem that is asked to tells how long each ring and each pause
// was; its RING says nothing more. Who attaches later learns that it can.
func TestRingLengths(t *testing.T) {
	for _, family := range []string{"v253", "usr"} { // RING as an event, and as a line
		on(t, linesim.Config{Modems: []linesim.ModemConfig{{Family: family, Quirks: []linesim.ModemQuirk{linesim.Forgetful}}}}, func(b *bench) {
			if up := b.u.until(t, jack.Up, 1); !up.State.Untimed {
				t.Errorf("%s: timed, though nobody has asked for it", family)
			}
			b.d.TimeRings(true)
			later := &user{}
			b.u = later
			b.d.Attach(later)
			if up := later.until(t, jack.Up, 1); up.State.Untimed {
				t.Errorf("%s: untimed", family)
			}
			b.rings(9 * time.Second) // two rings
			got := later.rung()
			want := []int{0, 4, 2, 4, 2, 8, 40, 4, 2, 4, 2, 8}
			if len(got) != len(want) {
				t.Fatalf("%s: rings %v, want %v", family, got, want)
			}
			for i, w := range want[1:] {
				if g := got[i+1]; g < w-1 || g > w+1 {
					t.Errorf("%s: part %d: %d, want %d; rings %v", family, i+1, g, w, got)
				}
			}
			if family == "usr" {
				return
			}
			time.Sleep(time.Second)
			b.calls(10 * time.Second)
			time.Sleep(900 * ms) // into its second ring, of which the end will not be told
			b.lift()
			if up, _ := later.saw(jack.OffHook); up.State.Ringing {
				t.Error("it rings on, though it is off-hook")
			}
			b.d.SetHook(false) // a modem that forgets it, as it goes on-hook, is told again
			b.state("idle")
			time.Sleep(time.Second)
			before := len(later.rung())
			b.rings(3 * time.Second)
			if all := later.rung(); len(all) != before+6 {
				t.Errorf("after a call: rings %v", all[before:])
			}
			b.m.Hang(15 * time.Second)
			if up := later.until(t, jack.Up, 2); up.State.Untimed {
				t.Error("a modem that has begun anew is not asked again")
			}
			b.d.TimeRings(false)
			time.Sleep(5 * time.Second)
			b.rings(3 * time.Second)
			last, _ := later.saw(jack.RingOff)
			if last.For != 0 || !last.State.Untimed {
				t.Errorf("nobody asks any more: %+v", last)
			}
		})
	}
}

// TestNoRingLengths: a modem that refuses the command, or takes it and does nothing,
// rings all the same, and says that it can't tell for how long.
func TestNoRingLengths(t *testing.T) {
	for _, quirk := range []linesim.ModemQuirk{linesim.NoCadence, linesim.MuteCadence} {
		on(t, linesim.Config{Modems: []linesim.ModemConfig{{Quirks: []linesim.ModemQuirk{quirk}}}}, func(b *bench) {
			b.u.until(t, jack.Up, 1)
			b.d.TimeRings(true)
			later := &user{}
			b.d.Attach(later)
			refuses := quirk == linesim.NoCadence
			if up := later.until(t, jack.Up, 1); up.State.Untimed != refuses {
				t.Errorf("%s: untimed %v", quirk, up.State.Untimed)
			}
			b.u = later
			b.rings(8 * time.Second)
			told, _ := later.saw(jack.RingOn)
			if !told.State.Untimed || told.For != 0 {
				t.Errorf("%s: %+v", quirk, told)
			}
			if n := len(later.rung()); n < 2 { // the bell was on, and off
				t.Errorf("%s: rang %d times", quirk, n)
			}
		})
	}
}
