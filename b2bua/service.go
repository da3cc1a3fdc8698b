package b2bua

import (
	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// serviceOf is the service that a route asks for; false: it rings somebody.
func serviceOf(r dialplan.Route) (dialplan.Target, bool) {
	if len(r.Stages) == 0 || len(r.Stages[0].Targets) == 0 || r.Stages[0].Targets[0].Kind != dialplan.ToFeature {
		return dialplan.Target{}, false
	}
	return r.Stages[0].Targets[0], true
}

// serve does what a feature code asks for.
func (c *Call) serve(t dialplan.Target) State {
	c.log.Info("service", "name", t.Name, "argument", t.Number)
	if t.Name == dialplan.FeatureEcho {
		return c.echo()
	}
	return c.setup.seeker.failed(leg.Cause{
		Q850: 79, Status: 501, By: leg.Us, Hint: t.Pos.String(),
		Text: "the service " + t.Name + " can't be dialled in this way",
	})
}

// echo lets the caller hear itself, as a test of its phone and of the way to it.
func (c *Call) echo() State {
	if c.caller.role != seeking {
		return c.setup.seeker.failed(leg.Rejected.GivenBy(leg.Us).Because("nobody can be transferred to the echo"))
	}
	c.caller.role = joined
	c.caller.leg.Answer()
	s := c.caller.leg.Stream()
	s.Feed(s)
	return Serving
}

// serving waits until the caller has had enough of a service.
func (c *Call) serving(ev leg.Event) State {
	switch ev := ev.(type) {
	case leg.HungUp:
		if ev.Cause.By == "" {
			ev.Cause.By = ev.Leg.Name()
		}
		return c.end(ev.Cause)
	case leg.Digit, leg.Flash, leg.Held, leg.Resumed, leg.Silent, leg.Heard:
		return Serving
	}
	return c.unexpected(ev)
}
