package linesim_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/linesim"
	"crosspoint/media/tone"
)

const ms = time.Millisecond

func times(all ...time.Duration) linesim.Cadence {
	for i := range all {
		all[i] *= time.Millisecond
	}
	return all
}

// told is what happened somewhere, as far as it begins so, and when.
func (h *host) told(where, what string) (texts []string, at []time.Time) {
	for _, e := range h.sim.Events() {
		if e.Where == where && strings.HasPrefix(e.What, what) {
			texts, at = append(texts, e.What), append(at, e.At)
		}
	}
	return texts, at
}

// sum is how long a cadence lasts.
func sum(c linesim.Cadence) (all time.Duration) {
	for _, d := range c {
		all += d
	}
	return all
}

// TestTelephonesTellCadences: each cadence of some countries, and some that an
// office may have thought of; one pattern is one ring, and after two the
// telephone is lifted.
func TestTelephonesTellCadences(t *testing.T) {
	for _, code := range []string{"us", "uk", "jp"} {
		country, _ := tone.Lookup(code)
		rings := []linesim.Cadence{
			times(400, 200, 400, 4000), times(1000, 4000), times(300, 200, 300, 200, 300, 200, 300, 200, 300, 2000),
			times(250, 150, 250, 150, 250, 150, 250, 150, 250, 150, 250, 150, 250, 150, 250, 5000),
		}
		for _, name := range []string{"outside", "inside", "recall", "urgent", "dr1", "dr2", "dr3", "dr4"} {
			ring, _ := country.Ring(name)
			rings = append(rings, ring)
		}
		fake(t, func(t *testing.T) {
			h := start(t, linesim.Config{Country: code, Cards: []linesim.CardConfig{{FXS: len(rings)}},
				Phones: slices.Repeat([]linesim.PhoneConfig{{Answer: 2}}, len(rings))})
			wait(100 * ms)
			for i, ring := range rings {
				h.card.Port(i+1).SetRing(true, ring)
			}
			wait(14 * time.Second)
			for i, phone := range h.sim.Phones() {
				want := rings[i][:len(rings[i])-1]
				if st := phone.Status(); st.Rings != 2 || !st.OffHook || !slices.Equal(st.Cadence, want) {
					t.Errorf("%s: rung with %v: %+v", code, rings[i], st)
				}
				if texts, _ := h.told(phone.Name(), "rings "); !slices.Equal(texts, []string{"rings " + want.String()}) {
					t.Errorf("%s: rung with %v, the telephone tells %q", code, rings[i], texts)
				}
				_, begun := h.told(phone.Name(), "ringing")
				_, lifted := h.told(phone.Name(), "off-hook")
				if len(begun) != 1 || len(lifted) != 1 {
					t.Errorf("%s: rung with %v: %d calls, lifted %d times", code, rings[i], len(begun), len(lifted))
					continue
				}
				if took, want := lifted[0].Sub(begun[0]), sum(rings[i])+sum(want)+500*ms; (took - want).Abs() > 20*ms {
					t.Errorf("%s: rung with %v, lifted after %v, want %v", code, rings[i], took, want)
				}
			}
		})
	}
}

// TestCadenceChanges: another one holds at once, from its first ring on. One
// that is cut off is no other one, unless it goes on so.
func TestCadenceChanges(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Phones: make([]linesim.PhoneConfig, 2)})
		u, phone := h.line[3], h.sim.Phone("fxs1")
		wait(100 * ms)
		u.port.SetRing(true, times(800, 400, 800, 4000))
		wait(4 * time.Second) // in the first pause
		u.port.SetRing(true, times(400, 200, 400, 2000))
		wait(2500 * ms)
		if st := phone.Status(); st.Rings != 2 || st.Cadence.String() != "0.4/0.2/0.4" {
			t.Errorf("after the change: %+v", st)
		}
		wait(1100 * ms) // 0.6 s into the second pattern
		u.port.SetRing(false, nil)
		wait(9 * time.Second)
		if st := phone.Status(); st.Ringing || st.Rings != 3 || st.Cadence.String() != "0.4/0.2/0.4" {
			t.Errorf("cut off: %+v", st)
		}
		if texts, _ := h.told("fxs1", "rings "); !slices.Equal(texts, []string{"rings 0.8/0.4/0.8", "rings 0.4/0.2/0.4"}) {
			t.Errorf("the telephone tells %q", texts)
		}
		status, _ := h.sim.Command("status")
		if !strings.Contains(status, "fxs1   on-hook, rang last (0.4/0.2/0.4 s)\nfxs2   on-hook") {
			t.Errorf("status:\n%s", status)
		}
		// The next call: a double ring, and then its first half alone.
		u.port.SetRing(true, times(400, 200, 400, 2000))
		wait(2500 * ms)
		u.port.SetRing(true, times(400, 2000))
		wait(2 * time.Second)
		if status, _ := h.sim.Command("status"); !strings.Contains(status, "fxs1   ringing, ring 2 (0.4/0.2/0.4 s)") {
			t.Errorf("status:\n%s", status)
		}
		wait(time.Second)
		if st := phone.Status(); st.Rings != 3 || st.Cadence.String() != "0.4" {
			t.Errorf("half of it: %+v", st)
		}
	})
}

// TestCardRings: what a card makes of a SET while it rings, and of times that
// are none (docs/linecard-protocol.md §7.1).
func TestCardRings(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Phones: make([]linesim.PhoneConfig, 2)})
		u, phone := h.line[3], h.sim.Phone("fxs1")
		wait(100 * ms)
		u.port.SetRing(true, times(2000, 4000))
		wait(time.Second)
		u.port.SetReversed(true) // the same cadence: it goes on
		wait(200 * ms)
		u.port.SetReversed(false)
		wait(2 * time.Second)
		if st := phone.Status(); st.Cadence.String() != "2" {
			t.Errorf("after another SET: %+v", st)
		}
		u.port.SetRing(false, nil)
		wait(10 * time.Second)
		u.port.SetRing(true, times(2000, 4000))
		wait(500 * ms)
		u.port.SetRing(true, times(400, 200, 400, 4000)) // the burst under way goes on into the first
		wait(3 * time.Second)
		if st := phone.Status(); st.Cadence.String() != "0.9/0.2/0.4" {
			t.Errorf("changed within a burst: %+v", st)
		}
		u.port.SetRing(false, nil)
		wait(10 * time.Second)
		u.port.SetRing(true, times(400, 0, 300, 4000)) // a time of 0 joins its neighbours
		wait(2 * time.Second)
		if st := phone.Status(); st.Cadence.String() != "0.7" {
			t.Errorf("with a pause of 0: %+v", st)
		}
		before := h.card.Counters().Naks
		h.line[4].port.SetRing(true, nil)
		wait(100 * ms)
		h.line[4].port.SetRing(true, times(0, 4000))
		wait(100 * ms)
		h.line[1].port.SetRing(true, bell)
		wait(time.Second)
		if n := h.card.Counters().Naks - before; n != 3 || h.sim.Phone("fxs2").Status().Ringing {
			t.Errorf("%d orders refused, want 3", n)
		}
	})
}

// TestCallerIDBetweenShortRings: five rings, a pause of 2 s, and the number in it.
func TestCallerIDBetweenShortRings(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Phones: make([]linesim.PhoneConfig, 2)})
		u, phone := h.line[3], h.sim.Phone("fxs1")
		wait(100 * ms)
		u.port.SetAudio(true)
		u.port.SetRing(true, times(300, 200, 300, 200, 300, 200, 300, 200, 300, 2000))
		wait(2800 * ms) // 0.5 s into the pause
		u.say(idsent(callerid.CallerID{Number: "101", Name: "ALICE"}))
		wait(1800 * ms)
		if st := phone.Status(); st.Rings != 2 || !st.HasID || st.CallerID.Name != "ALICE" || st.Cadence.String() != "0.3/0.2/0.3/0.2/0.3/0.2/0.3/0.2/0.3" {
			t.Errorf("%+v", st)
		}
	})
}

// TestJapaneseTelephoneTellsCadences: rings as long as those of the activation
// signal are the bell's, once it has the number.
func TestJapaneseTelephoneTellsCadences(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, tokyo)
		u, phone := h.line[3], h.sim.Phone("fxs1")
		wait(200 * ms)
		u.port.SetAudio(true)
		u.port.SetReversed(true)
		u.port.SetRing(true, callerid.Activation())
		wait(900 * ms)
		s := callerid.NewSender(callerid.CallerID{Number: "0312345678"}, callerid.Config{Standard: callerid.NTT})
		pcm := make([]int16, 8000)
		s.Read(pcm)
		u.say(pcm)
		wait(3 * time.Second)
		if st := phone.Status(); !st.HasID || st.Rings != 0 || st.Cadence != nil {
			t.Fatalf("after the message: %+v", st)
		}
		u.forget()
		u.port.SetRing(true, times(500, 200, 500, 2000))
		wait(3500 * ms)
		if st := phone.Status(); st.Rings != 2 || st.Cadence.String() != "0.5/0.2/0.5" || len(u.whats()) > 0 {
			t.Errorf("%+v, reported %v", st, u.whats())
		}
		u.port.SetRing(false, nil)
		wait(9 * time.Second) // that call is over, and polarity still reversed
		u.port.SetRing(true, times(1000, 2000))
		wait(2200 * ms)
		if st := phone.Status(); st.Rings != 1 || st.Cadence.String() != "1" {
			t.Errorf("the network's own: %+v", st)
		}
	})
}

// TestBankRings: a channel bank has nothing but bits, and its telephones ring
// as those on jacks do.
func TestBankRings(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := spanHost(t, linesim.TimeslotConfig{Signalling: linesim.FXSLoopStart}, linesim.TimeslotConfig{Signalling: linesim.FXSGroundStart},
			linesim.TimeslotConfig{Signalling: linesim.FXOLoopStart, Number: "700"},
			linesim.TimeslotConfig{Signalling: linesim.FXOGroundStart, Number: "701"})
		country, _ := tone.Lookup("us")
		ring, _ := country.Ring("dr3")
		h.slot(1).SetRing(true, ring)
		h.slot(2).SetRing(true, ring)
		for _, number := range []string{"700", "701"} {
			if err := h.sim.Town().Ring(number, linesim.Subscriber{Number: "5551234", Cadence: ring}); err != nil {
				t.Fatal(err)
			}
		}
		wait(9 * time.Second)
		for _, phone := range h.sim.Phones() {
			if st := phone.Status(); st.Rings != 2 || st.Cadence.String() != "0.4/0.2/0.4/0.2/0.8" {
				t.Errorf("%s: %+v", phone.Name(), st)
			}
		}
		for n := 3; n <= 4; n++ {
			if got := h.line[n].bursts(); len(got) < 5 || !slices.Equal(got[:5], ring[:5]) {
				t.Errorf("port %d is rung as %v, want %v", n, got, ring)
			}
		}
	})
}

// TestRingTimes: what a card reports of a ring is as long as the ring was, over a
// cable that loses a frame in five; what is too short is not reported.
func TestRingTimes(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Cards: []linesim.CardConfig{{Impairment: linesim.Impairment{BitErrors: 1e-3}}}})
		u, line := h.line[1], h.sim.Town().Line("fxo1")
		wait(time.Second)
		ring := times(300, 100, 700, 150, 2000, 2500)
		if err := h.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "5551234", Cadence: ring}); err != nil {
			t.Fatal(err)
		}
		wait(1350 * ms) // 100 ms into the long burst
		for _, away := range []time.Duration{50 * ms, 100 * ms} {
			line.Cut(true)
			wait(away)
			line.Cut(false)
			wait(500 * ms)
		}
		wait(10 * time.Second)
		want := times(300, 100, 700, 150, 650, 100, 1250, 2500, 300, 100, 700, 150, 2000)
		if got := u.bursts(); len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Errorf("reported %v, want %v", got, want)
		}
		if bad := h.sim.Card(1).Status().BadFCS + h.card.Counters().BadFCS; bad == 0 {
			t.Error("the cable was not bad")
		}
	})
}

// bursts are the on and off times that a line reported, from its first ring on.
func (u *user) bursts() (all linesim.Cadence) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var last uint64
	for _, ch := range u.changes {
		if ch.What != jack.RingOn && ch.What != jack.RingOff {
			continue
		}
		if last > 0 {
			all = append(all, linecard.Duration(int(ch.Clock-last)))
		}
		last = ch.Clock
	}
	return all
}

// TestDistinctiveCalls: the further numbers of a line ring it as they are sold,
// with each way to tell the caller.
func TestDistinctiveCalls(t *testing.T) {
	for _, code := range []string{"us", "uk", "dk", "jp"} {
		country, _ := tone.Lookup(code)
		dr2, _ := country.Ring("dr2")
		own := times(300, 200, 300, 200, 600, 3000)
		further := []linesim.FurtherNumber{{Number: "5553001", Cadence: dr2}, {Number: "5553002"}}
		fake(t, func(t *testing.T) {
			h := start(t, linesim.Config{Country: code, Cards: []linesim.CardConfig{{FXO: 3}},
				Lines: []linesim.LineConfig{{Further: further}, {Further: []linesim.FurtherNumber{{Number: "5553003", Cadence: dr2}}}}})
			wait(200 * ms)
			calls := []struct {
				to   string
				as   linesim.Cadence
				want linesim.Cadence
			}{{"5553001", nil, dr2}, {"fxo2", own, own}, {"5552003", nil, country.Bell}}
			for i, c := range calls {
				h.line[i+1].port.SetAudio(true)
				wait(100 * ms)
				if err := h.sim.Town().Ring(c.to, linesim.Subscriber{Number: "0312345678", Cadence: c.as}); err != nil {
					t.Fatal(err)
				}
			}
			if code == "jp" {
				wait(600 * ms)
				h.each(func(p jack.Port) { p.SetHook(true) })
				wait(2 * time.Second)
				h.each(func(p jack.Port) { p.SetHook(false) })
				wait(100 * ms)
				for i := range calls {
					u := h.line[i+1]
					u.mu.Lock()
					u.changes = nil
					u.mu.Unlock()
				}
			}
			wait(7 * time.Second)
			for i, c := range calls {
				u := h.line[i+1]
				want := c.want[:len(c.want)-1]
				if got := u.bursts(); len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
					t.Errorf("%s: %s rings as %v, want %v", code, c.to, got, want)
				}
				r := callerid.NewReceiver()
				if id, ok := r.Receive(u.recording()); !ok || id.Number != "0312345678" {
					t.Errorf("%s: %s: caller ID %+v: %v", code, c.to, id, r.Err())
				}
			}
			if rec, _ := h.sim.Town().LastCall("0312345678"); rec.Called != "5552003" {
				t.Errorf("%s: called %q", code, rec.Called)
			}
		})
	}
}

// each does something to all lines that ring.
func (h *host) each(do func(p jack.Port)) {
	for n := 1; n <= 3; n++ {
		do(h.line[n].port)
	}
}

// TestLinesCallFurtherNumbers: they are dialled as others; a line that calls
// itself is busy.
func TestLinesCallFurtherNumbers(t *testing.T) {
	fake(t, func(t *testing.T) {
		h := start(t, linesim.Config{Subscribers: []linesim.Subscriber{}})
		wait(100 * ms)
		u := h.line[2]
		u.off()
		wait(time.Second)
		u.dial("5554001")
		wait(7 * time.Second)
		if got := h.line[1].bursts(); len(got) < 5 || got[:5].String() != "0.4/0.2/0.4/0.2/0.8" {
			t.Errorf("dialled from the other line it rings as %v", got)
		}
		if rec := h.sim.Town().Calls(); len(rec) != 1 || rec[0].Called != "5554001" {
			t.Errorf("%+v", rec)
		}
		if text, _ := h.sim.Command("calls"); !strings.Contains(text, "fxo1 5554001 <- 5552002") {
			t.Errorf("calls:\n%s", text)
		}
		if texts, _ := h.told("fxo1", "rings"); !slices.Equal(texts, []string{"rings 0.4/0.2/0.4/0.2/0.8: call from 5552002 to 5554001"}) {
			t.Errorf("%q", texts)
		}
		u.port.SetHook(false)
		wait(time.Second)
		h.line[1].off()
		wait(time.Second)
		h.line[1].dial("5553001")
		wait(2 * time.Second)
		if texts, _ := h.told("fxo1", "busy"); len(texts) != 1 {
			t.Errorf("a line that calls itself hears %q", texts)
		}
	})
}
