package gateway_test

import (
	"slices"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway"
	"crosspoint/gateway/linesim"
)

// What a telephone's loop breaks mean is the country's, and the card is told: the
// recall key of European telephones is 100 ms, and one without hook-flash is heard
// to hang up at once.
func TestHookTiming(t *testing.T) {
	for name, c := range map[string]struct {
		country string
		noFlash bool
		open    time.Duration
		flash   bool
	}{
		"European recall":           {"uk", false, 100 * time.Millisecond, true},
		"American hook-flash":       {"us", false, 600 * time.Millisecond, true},
		"too short for America":     {"us", false, 100 * time.Millisecond, false},
		"no service for hook-flash": {"us", true, 600 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			lines := func(cfg *gateway.Config) {
				cfg.Country = c.country
				for i := range cfg.Lines {
					cfg.Lines[i].FXS.NoFlash = c.noFlash
				}
			}
			live(t, linesim.Config{Country: c.country, Phones: make([]linesim.PhoneConfig, 2)}, lines, func(tn *town) {
				p := tn.sim.Phone("fxs1")
				e := tn.phone("fxs1", leg.Party{Number: "102"})
				p.OffHook()
				e.until(t, "Answered")
				time.Sleep(time.Second)
				if err := p.DialPulse("3"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
				e.mu.Lock()
				pulses := slices.ContainsFunc(e.events, func(ev leg.Event) bool { d, ok := ev.(leg.Digit); return ok && d.Digit == '3' })
				e.mu.Unlock()
				if !pulses {
					t.Errorf("a dial's 3 is not heard: %v", e.events)
				}
				p.Flash(c.open)
				time.Sleep(2 * time.Second)
				if e.has("Flash") != c.flash || e.has("HungUp") != c.noFlash {
					t.Errorf("open for %v: %v", c.open, e.events)
				}
				if c.noFlash {
					return // it was hung up for 600 ms
				}
				p.OnHook()
				time.Sleep(1300 * time.Millisecond)
				if !e.has("HungUp") {
					t.Errorf("hung up: %v", e.events)
				}
			})
		})
	}
	live(t, linesim.Config{Phones: make([]linesim.PhoneConfig, 2)}, func(cfg *gateway.Config) { cfg.Lines[2].FXS.NoFlash = true }, func(tn *town) {
		p := tn.sim.Phone("fxs1")
		e := tn.phone("fxs1", leg.Party{Number: "102"})
		p.OffHook()
		e.until(t, "Answered")
		time.Sleep(time.Second)
		p.OnHook()
		time.Sleep(300 * time.Millisecond)
		if !e.has("HungUp") {
			t.Error("a telephone without hook-flash is not known to be hung up after 300 ms")
		}
	})
}
