package b2bua

import (
	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// announce tells those whom the plan names that somebody calls for help, and
// from where: by a line in the log, and by ringing their phones with the
// caller and the place on the display.
func (c *Call) announce() {
	n := c.route.Notice
	if !c.route.Emergency || n == nil {
		return
	}
	c.log.Warn("EMERGENCY CALL", "from", c.in.Caller, "source", c.in.Source.Name, "dialed", c.in.Dialed, "place", n.Place, "told", n.Extensions)
	who := leg.Party{Number: c.in.Caller.Number, Name: "EMERGENCY " + c.in.Dialed + ": " + n.Place}
	for _, extension := range n.Extensions {
		if extension != c.in.Source.Name {
			c.x.notify(extension, who)
		}
	}
}

// notify rings an extension to show it something. Answering confirms it.
func (x *Exchange) notify(extension string, who leg.Party) {
	c, ok := x.newCall(leg.Incoming{Caller: who, Dialed: extension, To: leg.Party{Number: extension}})
	if !ok {
		return
	}
	// The phone is rung as it is, whatever its forwarding says.
	c.route = dialplan.Route{Stages: []dialplan.Stage{{Targets: []dialplan.Target{{Kind: dialplan.ToPhone, Name: extension}}}}}
	c.start = func() State {
		c.setup = setup{seeker: &notice{originator{c}}, route: c.route, shown: who, to: leg.Party{Number: extension}, alerting: alerting{ring: dialplan.RingUrgent}}
		return c.seek()
	}
	x.launch(c)
}

// notice is the seeker of a call that only shows something.
type notice struct{ originator }

func (n *notice) answered(p *party) State {
	n.caller = p
	n.bridge.Join(p.leg.Stream())
	n.enter(Serving)
	if n.x.cfg.Confirm == nil {
		return n.end(leg.NormalClearing.GivenBy(leg.Us).Because("the notice was read"))
	}
	n.bridge.PlayThen(p.leg.Stream(), n.x.cfg.Confirm(), func() { n.inbox.Put(played{}) })
	return Serving
}
