package b2bua

import "crosspoint/b2bua/leg"

// pickup takes a call that rings at another phone (RFC 5359 §2.11): at the
// given extension, or the one that has rung longest.
func (c *Call) pickup(extension string) State {
	l := c.x.ringingAt(extension)
	if l == nil {
		what := "nothing rings"
		if extension != "" {
			what += " at " + extension
		}
		return c.setup.seeker.failed(leg.Unallocated.GivenBy(leg.Us).Because("%s: there is no call to pick up", what))
	}
	return c.takeOver(c.x.callOf(l), replace{old: l, early: true})
}

// takeOver hands the caller of a feature code over to another call, where it is
// answered.
func (c *Call) takeOver(to *Call, r replace) State {
	if _, ok := c.setup.seeker.(*newcomer); !ok {
		return c.setup.seeker.failed(leg.Rejected.GivenBy(leg.Us).Because("nobody can be transferred to this code"))
	}
	name := c.caller.name()
	return c.handOver(c.caller, to, r,
		func() State {
			return c.end(leg.NormalClearing.GivenBy(leg.Us).Because("%s took over call %s", name, to.id))
		},
		func(why leg.Cause) State { return c.end(why) })
}

// ringingAt is the leg that rings at an extension; empty: that has rung longest
// anywhere; nil: none.
func (x *Exchange) ringingAt(extension string) leg.Leg {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.ringing {
		if extension == "" || r.extension == extension {
			return r.leg
		}
	}
	return nil
}

// ring is a leg that rings at an extension.
type ring struct {
	leg       leg.Leg
	extension string
}
