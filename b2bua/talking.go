package b2bua

import "crosspoint/b2bua/leg"

// talking joins caller and callee until one of them hangs up.
func (c *Call) talking(ev leg.Event) State {
	switch ev := ev.(type) {
	case leg.HungUp:
		if ev.Cause.By == "" {
			ev.Cause.By = ev.Leg.Name()
		}
		return c.end(ev.Cause)
	case leg.Held:
		c.held(ev.Leg)
		return Talking
	case leg.Resumed:
		c.resumed(ev.Leg)
		return Talking
	case leg.Digit:
		if !ev.Relayed {
			c.other(ev.Leg).Digit(ev.Digit, ev.For)
		}
		return Talking
	case leg.Flash:
		return Talking // a telephone without services of its own: nothing to do
	case leg.Silent:
		c.silent(ev)
		return Talking
	case leg.Heard:
		c.heard(ev.Leg)
		return Talking
	case leg.Trying, leg.Ringing, leg.EarlyMedia:
		return Talking
	}
	return c.unexpected(ev)
}

// other is the party that l talks to.
func (c *Call) other(l leg.Leg) leg.Leg {
	if l == c.caller {
		return c.callee
	}
	return c.caller
}

// silent reports audio that flows one way only, or not at all.
func (c *Call) silent(ev leg.Silent) {
	c.audio[ev.Leg] = true
	what := "one-way audio: nothing is heard from " + ev.Leg.Name()
	if c.audio[c.other(ev.Leg)] {
		what = "no audio: nothing is heard from either party"
	}
	c.log.Warn(what, "silent", ev.Leg.Name(), "party", ev.Leg.Party(), "leg", ev.Leg.ID(), "for", ev.For,
		"check", "the phone's microphone and mute, and that UDP from it reaches the [rtp] ports of this machine")
	c.ladder.Add(ev.Leg.Name(), ev.Leg.Name(), "silent")
}

// heard takes a report of silence back.
func (c *Call) heard(l leg.Leg) {
	if c.audio[l] {
		delete(c.audio, l)
		c.log.Info("audio is heard again", "from", l.Name(), "leg", l.ID())
	}
}
