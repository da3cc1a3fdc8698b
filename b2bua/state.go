package b2bua

import "crosspoint/b2bua/leg"

// A State is how far a call has come. Each has a method of Call from an event
// to the next state.
type State uint8

const (
	Calling State = iota // a stage of the route is being rung
	Talking              // caller and callee are joined
	Ending               // everyone is told to hang up; the call waits for the last
	Ended                // nobody is left
)

func (s State) String() string {
	return [...]string{"calling", "talking", "ending", "ended"}[s]
}

// next gives the event to the state's method.
func (c *Call) next(ev leg.Event) State {
	if s, done := c.always(ev); done {
		return s
	}
	switch c.state {
	case Calling:
		return c.calling(ev)
	case Talking:
		return c.talking(ev)
	case Ending:
		return c.ending(ev)
	}
	return c.unexpected(ev)
}

// always answers what means the same in every state; false: the state decides.
func (c *Call) always(ev leg.Event) (State, bool) {
	switch ev := ev.(type) {
	case question:
		ev.answer <- c.record()
		return c.state, true
	case stop:
		if c.state == Ending {
			return Ending, true
		}
		return c.end(leg.ShuttingDown.GivenBy(leg.Us)), true
	case timedOut:
		return c.state, false
	}
	p := c.parties[ev.From()]
	if p == nil {
		return c.unexpected(ev), true
	}
	hungUp, gone := ev.(leg.HungUp)
	if gone {
		c.leave(p)
	}
	switch {
	case c.state == Ending:
		return Ending, false
	case p.role == letGo:
		return c.state, true // an answer that crossed our hang-up, or the end of it
	case p.role == seeking && gone:
		return c.end(hungUp.Cause), true
	}
	return c.state, false
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
