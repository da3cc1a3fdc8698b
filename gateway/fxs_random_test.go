package gateway

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
	"crosspoint/gateway/jack"
)

// TestTwoCallsAtRandom lets the telephone, its callers, its messages and the card do
// what they like. Whatever that is, each leg ends once, holds and resumes in turn,
// and the line is ready again when all have hung up; the lamp shows what it should.
func TestTwoCallsAtRandom(t *testing.T) {
	for seed := range uint64(20) {
		open(t, Config{Complete: plan}, "fxs1", func(o *office) {
			r := rand.New(rand.NewPCG(seed, 1))
			phone := o.jack("fxs1")
			var legs []*party
			waiting := true // messages
			o.messages("fxs1", waiting)
			call := func(place func(string, leg.Outgoing) (leg.Leg, error)) {
				p := &party{t: t, ladder: new(leg.Ladder)}
				if l, err := place("fxs1", leg.Outgoing{Sink: p, Ladder: p.ladder, From: leg.Party{Number: "5551234"}}); err == nil {
					p.Leg = l
					legs = append(legs, p)
				}
			}
			for range 40 {
				switch r.IntN(10) {
				case 0, 1:
					call(o.g.DialLine)
				case 2, 3:
					call(o.g.CallWaiting)
				case 4, 5:
					if phone.now().OffHook {
						phone.changed(jack.Change{What: jack.Flash, For: 500 * time.Millisecond})
					} else {
						phone.change(jack.OffHook)
					}
				case 6:
					if !phone.now().OffHook {
						phone.change(jack.OffHook)
					} else if r.IntN(3) == 0 {
						phone.change(jack.OnHook)
					}
				case 7:
					if n := len(legs); n > 0 {
						legs[n-1-r.IntN(min(n, 3))].Hangup(leg.NormalClearing)
					}
				case 8:
					if r.IntN(8) == 0 {
						phone.change(jack.Down)
						phone.change(jack.Up)
					}
				case 9:
					waiting = !waiting
					o.messages("fxs1", waiting)
				}
				if d := r.IntN(5); d > 0 { // else two things at the same moment
					time.Sleep(time.Duration(d*d*60) * time.Millisecond)
				}
				if r.IntN(12) == 0 {
					time.Sleep(lampRest) // into a signal for the lamp
				}
			}
			if phone.now().OffHook {
				phone.change(jack.OnHook)
			}
			for _, p := range legs {
				p.Hangup(leg.NormalClearing)
			}
			synctest.Wait()
			o.is("fxs1", "idle")
			time.Sleep(lampTime)
			o.messages("fxs1", !waiting)
			time.Sleep(lampTime)
			o.lamp(map[bool]callerid.Waiting{true: callerid.MessagesWait, false: callerid.NoMessagesWait}[!waiting])
			for i, p := range legs {
				p.inTurn(seed, i)
			}
			if p := o.ring("fxs1", leg.Party{}); p.Leg == nil {
				t.Errorf("seed %d: the line takes no call", seed)
			}
		})
	}
}

// inTurn fails unless the leg's events make sense one after the other.
func (p *party) inTurn(seed uint64, n int) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	follows := map[string][]string{
		"":         {"Ringing", "HungUp"},
		"Ringing":  {"Answered", "HungUp"},
		"Answered": {"Held", "HungUp"},
		"Held":     {"Resumed", "HungUp"},
		"Resumed":  {"Held", "HungUp"},
	}
	last, all := "", []string(nil)
	for _, ev := range p.events {
		is := name(ev)
		all = append(all, is)
		if is == "Flash" {
			continue
		}
		if len(is) > 6 && is[:6] == "HungUp" {
			is = "HungUp"
		}
		if !slices.Contains(follows[last], is) {
			p.t.Errorf("seed %d, leg %d: %q", seed, n, all)
			return
		}
		last = is
	}
	if last != "HungUp" {
		p.t.Errorf("seed %d, leg %d is not over: %q", seed, n, all)
	}
}
