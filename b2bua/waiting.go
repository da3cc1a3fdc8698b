package b2bua

import (
	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// A phone that is in a call may be offered a second one (call waiting): the plan
// says whether, and the phone itself how. Here stands when it is not, though the
// plan would: during a call for help, during one for which its user has dialled
// no_call_waiting, and while a telephone's hook-flash has a service at work
// (desk.go), for which another flash has a meaning.

// noteUndisturbed lets the exchange know which of the parties are offered no
// other call now.
func (c *Call) noteUndisturbed() {
	for _, p := range c.parties {
		p.seat.undisturbed.Store(c.isUndisturbed(p))
	}
}

func (c *Call) isUndisturbed(p *party) bool {
	switch {
	case c.route.Emergency, c.desk != nil && c.desk.host == p:
		return true
	}
	return c.route.Undisturbed && p == c.caller
}

// undisturbed tells whether an extension is in a call during which it is offered
// no other.
func (x *Exchange) undisturbed(extension string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, l := range x.inUse[extension] {
		if s, ok := x.seats.Load(l); ok && s.(*seat).undisturbed.Load() {
			return true
		}
	}
	return false
}

// spares tells whether a target is left alone; the stage takes it for busy.
func (c *Call) spares(t dialplan.Target) bool {
	if t.Kind != dialplan.ToPhone || !c.x.undisturbed(t.Name) {
		return false
	}
	why := leg.Busy.GivenBy(leg.Us).Because("phone %s is in a call during which it is offered no other", t.Name)
	c.setup.worst = moreTelling(c.setup.worst, why)
	return true
}
