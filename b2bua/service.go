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
	if tr, ok := c.setup.seeker.(*transfer); ok && t.Name == dialplan.FeaturePark {
		return c.park(tr, t.Number)
	}
	if o, ok := c.setup.seeker.(*onward); ok && t.Name == dialplan.FeaturePark {
		return c.park(&o.transfer, t.Number)
	}
	if d, ok := c.setup.seeker.(*desk); ok && t.Name == dialplan.FeaturePark {
		d.desk = nil
		d.held.leg.Resume()
		d.bridge.Resume(d.held.leg.Stream())
		return c.park(&transfer{Call: c, transferor: d.host, transferee: d.held}, t.Number)
	}
	if d, ok := c.setup.seeker.(*desk); ok && t.Name == dialplan.FeatureLineFlash {
		return d.flashLine()
	}
	if _, ok := c.setup.seeker.(*newcomer); !ok {
		return c.setup.seeker.failed(leg.Rejected.GivenBy(leg.Us).Because("nobody can be transferred to %s", t.Name))
	}
	switch t.Name {
	case dialplan.FeatureEcho:
		return c.echo()
	case dialplan.FeatureForwardAlways:
		return c.forward(t.Number, func(s *dialplan.Settings) *string { return &s.ForwardAlways })
	case dialplan.FeatureForwardBusy:
		return c.forward(t.Number, func(s *dialplan.Settings) *string { return &s.ForwardBusy })
	case dialplan.FeatureForwardNoAnswer:
		return c.forward(t.Number, func(s *dialplan.Settings) *string { return &s.ForwardNoAnswer })
	case dialplan.FeatureForwardOff:
		return c.set(forwardOff)
	case dialplan.FeatureDoNotDisturb:
		return c.set(func(s *dialplan.Settings) { s.DoNotDisturb = true })
	case dialplan.FeatureDisturbAgain:
		return c.set(func(s *dialplan.Settings) { s.DoNotDisturb = false })
	case dialplan.FeatureCallWaiting:
		return c.set(func(s *dialplan.Settings) { s.CallWaiting = dialplan.WaitingOn })
	case dialplan.FeatureCallWaitingOff:
		return c.set(func(s *dialplan.Settings) { s.CallWaiting = dialplan.WaitingOff })
	case dialplan.FeaturePickup, dialplan.FeaturePickupDirected:
		return c.pickup(t.Number)
	case dialplan.FeatureRetrieve:
		return c.retrieve(t.Number)
	case dialplan.FeatureRedial:
		return c.redial()
	case dialplan.FeatureCallBack:
		return c.callBack()
	case dialplan.FeatureThreeWay:
		return c.threeWay()
	}
	return c.setup.seeker.failed(leg.Cause{
		Q850: 79, Status: 501, By: leg.Us, Hint: t.Pos.String(),
		Text: map[bool]string{
			true:  "the service " + t.Name + " is for a call on a telephone line: press its code while you talk",
			false: "the service " + t.Name + " can't be dialled: transfer a call to its code",
		}[t.Name == dialplan.FeatureLineFlash],
	})
}

// echo lets the caller hear itself, as a test of its phone and of the way to it.
func (c *Call) echo() State {
	c.caller.role = joined
	c.caller.leg.Answer()
	s := c.caller.leg.Stream()
	s.Feed(s)
	return Serving
}

// confirm answers the caller, who hears that what it dialled is done.
func (c *Call) confirm() State {
	c.caller.role = joined
	c.caller.leg.Answer()
	if c.x.cfg.Confirm == nil {
		return c.end(leg.NormalClearing.GivenBy(leg.Us).Because("done"))
	}
	c.bridge.Join(c.caller.leg.Stream())
	c.bridge.PlayThen(c.caller.leg.Stream(), c.x.cfg.Confirm(), func() { c.inbox.Put(played{}) })
	return Serving
}

// played: what confirm plays is over.
type played struct{}

func (played) From() leg.Leg { return nil }

// serving waits until the caller has had enough of a service, or has heard all.
func (c *Call) serving(ev leg.Event) State {
	switch ev := ev.(type) {
	case leg.HungUp:
		if ev.Cause.By == "" {
			ev.Cause.By = ev.Leg.Name()
		}
		return c.end(ev.Cause)
	case played:
		return c.end(leg.NormalClearing.GivenBy(leg.Us).Because("done"))
	case leg.Digit, leg.Flash, leg.Held, leg.Resumed, leg.Silent, leg.Heard:
		return Serving
	}
	return c.unexpected(ev)
}
