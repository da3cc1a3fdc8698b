package b2bua

import "crosspoint/b2bua/leg"

// A State is how far a call has come. Each has a method of Call from an event
// to the next state.
type State uint8

const (
	Calling      State = iota // a stage of the route is being rung
	Talking                   // caller and callee are joined
	Transferring              // one of them is sent elsewhere
	HandingOver               // one of them is offered to another call
	Conference                // three or more talk
	Dialing                   // a telephone has flashed and dials
	Consulting                // it talks to a third while the first is held
	Parked                    // one waits in a parking place
	Serving                   // the caller is joined to a service of the exchange
	Ending                    // everyone is told to hang up; the call waits for the last
	Ended                     // nobody is left
)

func (s State) String() string {
	return [...]string{"calling", "talking", "transferring", "handing over", "conference", "dialing",
		"consulting", "parked", "serving", "ending", "ended"}[s]
}

// next gives the event to the state's method.
func (c *Call) next(ev leg.Event) State {
	switch ev := ev.(type) {
	case question:
		ev.answer <- c.record()
		return c.state
	case stop:
		if c.state == Ending {
			return Ending
		}
		return c.end(leg.ShuttingDown.GivenBy(leg.Us))
	case replace:
		return c.replace(ev)
	case replaced:
		return c.wasReplaced(ev)
	case surrender:
		return c.surrender(ev)
	case timedOut, played:
		return c.of(nil, ev)
	}
	return c.ofLeg(ev)
}

// ofLeg answers first what an event of a leg means in every state.
func (c *Call) ofLeg(ev leg.Event) State {
	p := c.parties[ev.From()]
	if p == nil {
		return c.unexpected(ev)
	}
	if h := c.handing; h != nil && h.party == p {
		h.passOn(ev)
		return c.state
	}
	if hungUp, gone := ev.(leg.HungUp); gone {
		c.leave(p)
		if p.role == seeking && c.state != Ending {
			return c.end(hungUp.Cause)
		}
	}
	if p.role == letGo && c.state != Ending {
		return c.state // an answer that crossed our hang-up, or the end of it
	}
	return c.of(p, ev)
}

// of gives an event to the state's method; p is whose it is, nil for a timer's.
func (c *Call) of(p *party, ev leg.Event) State {
	switch c.state {
	case Calling, Transferring:
		return c.calling(p, ev)
	case Talking:
		return c.talking(p, ev)
	case HandingOver:
		return c.handingOver(ev)
	case Conference:
		return c.conference(p, ev)
	case Dialing:
		return c.dialing(p, ev)
	case Consulting:
		return c.consulting(p, ev)
	case Parked:
		return c.parked(ev)
	case Serving:
		return c.serving(ev)
	case Ending:
		return c.ending(ev)
	}
	return c.unexpected(ev)
}

// unexpected logs an event that the state has no use for; the state stays.
func (c *Call) unexpected(ev leg.Event) State {
	name := "none"
	if l := ev.From(); l != nil {
		name = l.Name()
	}
	c.log.Debug("event not expected in this state", "state", c.state, "event", describe(ev), "leg", name)
	return c.state
}
