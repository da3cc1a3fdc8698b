package b2bua

import (
	"sync/atomic"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// A party is one leg's part in a call. It belongs to the call's goroutine,
// except seat.
type party struct {
	leg       leg.Leg
	seat      *seat
	role      role
	trunk     string          // that the leg is a call on; empty: none
	extension string          // of ours that the leg keeps busy; empty: none
	target    dialplan.Target // what the plan reached it by; zero: it called us
	source    leg.Source      // as whom it may dial
	holds     bool            // it has put the others on hold (hold.go)
	rang      bool            // it was alerted before it answered, or did not
	keys      string          // pressed one soon after the other (line_flash.go)
	keyed     time.Time       // when the last of them was
	silent    bool            // nothing is heard from it, and that was reported
	expected  time.Time       // since when it should be heard (inactivity.go); zero: not looked for yet
}

// A role is what a party is to its call.
type role uint8

const (
	seeking role = iota // called us, and is not answered
	rung                // is being called by a stage
	joined              // talks, or is held
	letGo               // was told to hang up; only its HungUp still matters
)

// A seat is the sink of one leg. It passes the leg's events to the call that
// the leg is in at the moment.
type seat struct {
	call        atomic.Pointer[Call]
	undisturbed atomic.Bool // its party is offered no other call now (waiting.go)
}

func newSeat(c *Call) *seat {
	s := new(seat)
	s.call.Store(c)
	return s
}

// Deliver queues an event at the call.
func (s *seat) Deliver(ev leg.Event) { s.call.Load().inbox.Put(ev) }

// name is the party's column in the ladder.
func (p *party) name() string { return p.leg.Name() }

// add makes a leg a party of the call.
func (c *Call) add(l leg.Leg, s *seat, r role, t dialplan.Target) *party {
	p := &party{leg: l, seat: s, role: r, target: t}
	if t.Kind == dialplan.ToPhone && r == rung {
		c.x.rings(l, t.Name)
		p.source = leg.Source{Kind: leg.Phone, Name: t.Name}
	}
	if t.Kind == dialplan.ToTrunk {
		p.trunk = t.Name
	}
	c.x.usage.begins(p.trunk)
	c.parties[l] = p
	c.x.seats.Store(l, s)
	return p
}

// occupy notes that an extension is in this call by that party.
func (c *Call) occupy(p *party, extension string) {
	p.extension = extension
	c.x.occupied(extension, p.leg)
	c.x.usage.begins(extension)
}

// vacate takes that back.
func (c *Call) vacate(p *party) {
	if p.extension != "" {
		c.x.vacated(p.extension, p.leg)
		c.x.usage.ends(p.extension)
		p.extension = ""
	}
}

// leave forgets a party that has hung up.
func (c *Call) leave(p *party) {
	delete(c.parties, p.leg)
	c.x.usage.ends(p.trunk)
	c.x.seats.Delete(p.leg)
	c.vacate(p)
	if p.role == rung {
		c.x.ringsNot(p.leg)
	}
	c.bridge.Leave(p.leg.Stream())
}

// release tells a party to hang up and waits for nothing.
func (c *Call) release(p *party, why leg.Cause) {
	if p.role == letGo {
		return
	}
	if p.role == rung {
		c.x.ringsNot(p.leg)
	}
	p.role = letGo
	c.bridge.Leave(p.leg.Stream())
	p.leg.Hangup(why)
}
