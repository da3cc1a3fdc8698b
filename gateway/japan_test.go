package gateway_test

import (
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/linesim"
)

// happened tells whether the town noted it of the line.
func (t *town) happened(where, what string) bool {
	for _, e := range t.sim.Events() {
		if e.Where == where && strings.HasPrefix(e.What, what) {
			return true
		}
	}
	return false
}

// TestJapaneseTownCalls: the whole way, over a card and a serial line: number,
// each reason for none, none at all, and a damaged one. The town has the call
// answered when we answer it, not before.
func TestJapaneseTownCalls(t *testing.T) {
	for name, c := range map[string]struct {
		sub  linesim.Subscriber
		want leg.Party
		told string
	}{
		"number":          {linesim.Subscriber{}, leg.Party{Number: "0312345678"}, "caller ID 0312345678"},
		"private":         {linesim.Subscriber{Withheld: true}, leg.Party{Withheld: true}, "caller ID withheld"},
		"out of area":     {linesim.Subscriber{Absent: callerid.Unavailable}, leg.Party{}, "caller ID unavailable"},
		"payphone":        {linesim.Subscriber{Absent: callerid.Payphone}, leg.Party{}, "caller ID public telephone"},
		"service":         {linesim.Subscriber{Absent: callerid.ServiceConflict}, leg.Party{}, "caller ID service conflict"},
		"wrong CRC":       {linesim.Subscriber{BadCallerID: true}, leg.Party{}, "no caller ID"},
		"without display": {linesim.Subscriber{NoCallerID: true}, leg.Party{}, "ring"},
	} {
		t.Run(name, func(t *testing.T) {
			live(t, linesim.Config{Country: "jp"}, func(g *gateway.Config) { g.Country = "jp" }, func(tn *town) {
				c.sub.Number = "0312345678"
				if err := tn.sim.Town().Ring("fxo1", c.sub); err != nil {
					t.Fatal(err)
				}
				e := tn.comes(1)
				if e.caller != c.want {
					t.Errorf("caller %+v", e.caller)
				}
				if !strings.Contains(e.ladder.String(), c.told) {
					t.Errorf("no %q in\n%v", c.told, e.ladder)
				}
				if took := tn.happened("fxo1", "reception complete"); took == c.sub.NoCallerID {
					t.Errorf("taken off-hook: %v", took)
				}
				rec, _ := tn.sim.Town().LastCall("0312345678")
				if !rec.Answered.IsZero() || !rec.Ended.IsZero() {
					t.Errorf("before the answer: %+v", rec)
				}
				e.Answer()
				time.Sleep(2 * time.Second)
				rec, _ = tn.sim.Town().LastCall("0312345678")
				if rec.Answered.IsZero() || e.has("HungUp") {
					t.Errorf("after the answer: %+v\n%v", rec, e.ladder)
				}
				tn.hangsUp(e, "0312345678")
			})
		})
	}
}

// TestJapaneseTownGivesUp at each moment before the answer: nothing is left
// off-hook, and nobody talks.
func TestJapaneseTownGivesUp(t *testing.T) {
	live(t, linesim.Config{Country: "jp"}, func(g *gateway.Config) { g.Country = "jp" }, func(tn *town) {
		for after := 300 * time.Millisecond; after < 3*time.Second; after += 300 * time.Millisecond {
			if err := tn.sim.Town().Ring("fxo1", linesim.Subscriber{Number: "0312345678", GiveUp: after}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second)
			if s := tn.status("fxo1"); s.State != "idle" || s.OffHook || s.Counts.Answered != 0 {
				t.Errorf("given up after %v: %+v", after, s)
			}
			if s := tn.sim.Town().Line("fxo1").Status(); s.State != "idle" {
				t.Errorf("given up after %v: the town's line is %+v", after, s)
			}
		}
	})
}

// TestJapaneseModem reads the caller by itself; the line on it is not lifted by
// us before the answer.
func TestJapaneseModem(t *testing.T) {
	sc := modemOf("lucent")
	sc.Country = "jp"
	online(t, sc, gateway.LineConfig{}, nil, func(tn *town) {
		if err := tn.sim.Town().Ring(tn.modemLine().Name(), linesim.Subscriber{Number: "0312345678"}); err != nil {
			t.Fatal(err)
		}
		e := tn.comes(1)
		if e.caller.Number != "0312345678" || !tn.happened("fxo1", "reception complete") {
			t.Errorf("caller %+v\n%v", e.caller, e.ladder)
		}
		if strings.Contains(e.ladder.String(), "off-hook") {
			t.Errorf("lifted before the answer\n%v", e.ladder)
		}
		e.Answer()
		time.Sleep(3 * time.Second)
		if s := tn.modemLine().Status(); s.State != "talking" {
			t.Errorf("the line is %s", s.State)
		}
		e.Hangup(leg.NormalClearing)
		tn.idles()
	})
}

// TestJapaneseTelephones: one with a display takes the caller off-hook and then
// rings; one without rings all the same; and whoever lifts it talks.
func TestJapaneseTelephones(t *testing.T) {
	live(t, linesim.Config{Country: "jp", Phones: []linesim.PhoneConfig{{}, {Plain: true}}}, func(g *gateway.Config) { g.Country = "jp" }, func(tn *town) {
		shows, plain := tn.phone("fxs1", leg.Party{Number: "0312345678"}), tn.phone("fxs2", leg.Party{Number: "0312345678"})
		time.Sleep(5 * time.Second)
		if s := tn.sim.Phone("fxs1").Status(); !s.Ringing || s.CallerID.Number != "0312345678" {
			t.Errorf("with display: %+v\n%v", s, shows.ladder)
		}
		time.Sleep(4 * time.Second)
		if s := tn.sim.Phone("fxs2").Status(); !s.Ringing || s.HasID {
			t.Errorf("without: %+v\n%v", s, plain.ladder)
		}
		if shows.has("Answered") || plain.has("Answered") {
			t.Errorf("answered by nobody\n%v\n%v", shows.ladder, plain.ladder)
		}
		for n, e := range []*end{shows, plain} {
			tn.sim.Phone([]string{"fxs1", "fxs2"}[n]).OffHook()
			time.Sleep(time.Second)
			if !e.has("Answered") {
				t.Errorf("lifted\n%v", e.ladder)
			}
			e.Hangup(leg.NormalClearing)
		}
	})
}
