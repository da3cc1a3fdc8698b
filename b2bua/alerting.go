package b2bua

import (
	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// alerting is what the plan needs to know to let telephones ring distinctively.
type alerting struct {
	with *dialplan.Caller // whom the callee will talk to; nil: whoever dials
	info string           // how the caller's side wants them to ring
	ring string           // how they ring whatever the plan says; empty: as it says
}

// sentOn is the query of somebody who is sent on: telephones ring by who that is, not
// by who sends it.
func (c *Call) sentOn(q dialplan.Query) dialplan.Query {
	a := c.setup.alerting
	if q.With = a.with; q.With == nil {
		q.With = &dialplan.Caller{Kind: callerKinds[c.setup.as.Kind], Name: c.setup.as.Name}
	}
	q.AlertInfo = a.info
	return q
}

// callerOf is a party as the caller that telephones ring for.
func (c *Call) callerOf(p *party) *dialplan.Caller {
	if peer := c.x.peerOf(p.target); peer != "" {
		return &dialplan.Caller{Kind: dialplan.FromPeer, Name: peer}
	}
	return &dialplan.Caller{Kind: callerKinds[p.source.Kind], Name: p.source.Name}
}

// ringOf is how the telephones of a stage ring.
func (c *Call) ringOf(s dialplan.Stage) leg.Ring {
	r := s.Ring
	if name := c.setup.alerting.ring; name != "" {
		r = c.x.cfg.Plan().Ring(name)
	}
	return leg.Ring{Name: r.Name, Info: r.AlertInfo}
}
