package gateway_test

import (
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway"
	"crosspoint/gateway/linesim"
)

// Messages light the lamps of the telephones of a country, through the card: the
// loop, polarity and audio come in the order in which a telephone expects them. A
// call in the midst rings and is answered; the lamp is lit after it.
func TestTownTelephonesHaveLamps(t *testing.T) {
	for country, lit := range map[string]bool{"us": true, "de": true, "uk": true, "jp": false} {
		phones := []linesim.PhoneConfig{{Answer: 2, HangUp: 3 * time.Second}, {Plain: true}}
		live(t, linesim.Config{Country: country, Phones: phones}, func(g *gateway.Config) { g.Country = country }, func(tn *town) {
			lamp := func(when string, want bool) {
				t.Helper()
				if tn.sim.Phone("fxs1").Status().Lamp != want || tn.sim.Phone("fxs2").Status().Lamp {
					t.Errorf("%s: %s: the lamp is not %v\n%v", country, when, want, tn.sim.Events())
				}
			}
			messages := func(wait bool) {
				for _, line := range []string{"fxs1", "fxs2"} {
					if err := tn.g.MessageWaiting(line, wait); err != nil {
						t.Fatal(err)
					}
				}
			}
			messages(true)
			time.Sleep(5 * time.Second)
			lamp("messages wait", lit)
			messages(false)
			time.Sleep(2400 * time.Millisecond) // into the signal
			e := tn.phone("fxs1", leg.Party{Number: "5551234"})
			e.until(t, "HungUp")
			if !e.has("Answered") || tn.sim.Phone("fxs1").Status().CallerID.Number != "5551234" {
				t.Errorf("%s: %v\n%+v", country, e.ladder, tn.sim.Phone("fxs1").Status())
			}
			lamp("a call was in the way", lit)
			time.Sleep(5 * time.Second)
			lamp("no message waits", false)
		})
	}
}

// Polarity cannot be reversed at a channel bank: a British telephone there is
// called, told its caller, and has its lamp lit, by the alerting tone alone.
func TestChannelBankWithoutPolarity(t *testing.T) {
	slots := []linesim.TimeslotConfig{{Signalling: linesim.FXSLoopStart}}
	span(t, slots, func(c *gateway.Config) { c.Country = "uk" }, func(tn *town) {
		if err := tn.g.MessageWaiting("slot1", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		tn.phone("slot1", leg.Party{Number: "5550000"})
		time.Sleep(3 * time.Second)
		if st := tn.sim.Phone("fxs1").Status(); !st.Lamp || !st.Ringing || st.CallerID.Number != "5550000" {
			t.Errorf("the telephone is %+v\n%v", st, tn.sim.Events())
		}
	})
}

// A telephone at a channel bank has a lamp as any other; at a ground-start timeslot
// there is no telephone.
func TestLampAtAChannelBank(t *testing.T) {
	slots := []linesim.TimeslotConfig{{Signalling: linesim.FXSLoopStart}, {Signalling: linesim.FXSGroundStart}}
	span(t, slots, nil, func(tn *town) {
		for _, line := range []string{"slot1", "slot2"} {
			if err := tn.g.MessageWaiting(line, true); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Second)
		if !tn.sim.Phone("fxs1").Status().Lamp || tn.sim.Phone("fxs2").Status().Lamp {
			t.Errorf("not the right lamp is on\n%v", tn.sim.Events())
		}
	})
}
