package b2bua

import "crosspoint/b2bua/leg"

// A State is how far a call has come. Each has a method of Call from an event
// to the next state.
type State uint8

const (
	Calling State = iota // a stage of the route is being rung
	Talking              // caller and callee are joined
	Ending               // all legs are told to hang up; the call waits for the last
	Ended                // no leg is left
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
	}
	l := ev.From()
	if l == nil {
		return c.state, false
	}
	role, known := c.legs[l]
	_, over := ev.(leg.HungUp)
	if over {
		c.leave(l)
	}
	switch {
	case !known:
		return c.unexpected(ev), true
	case role == letGo && over && len(c.legs) == 0 && c.state == Ending:
		return Ended, true
	case role == letGo:
		return c.state, true // an answer that crossed our hang-up, or the end of it
	case role == caller && over && c.state != Ending:
		return c.end(ev.(leg.HungUp).Cause), true
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
