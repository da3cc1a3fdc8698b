package b2bua

import (
	"slices"

	"crosspoint/b2bua/leg"
)

// talking joins caller and callee until one of them hangs up.
func (c *Call) talking(p *party, ev leg.Event) State {
	switch ev := ev.(type) {
	case leg.HungUp:
		if ev.Cause.By == "" {
			ev.Cause.By = ev.Leg.Name()
		}
		return c.end(ev.Cause)
	case leg.Held:
		c.held(p)
		return Talking
	case leg.Resumed:
		c.resumed(p)
		return Talking
	case leg.Digit:
		c.passDigit(p, ev)
		c.key(p, ev.Digit)
		return Talking
	case leg.Silent:
		c.silent(p, ev)
		return Talking
	case leg.Heard:
		c.heard(p)
		return Talking
	case leg.Referred:
		return c.refer(p, ev)
	case leg.Flash:
		return c.flash(p)
	case leg.Trying, leg.Ringing, leg.EarlyMedia:
		return Talking
	case timedOut:
		return c.end(leg.NormalClearing.GivenBy(leg.Us).Because("the time allowed for this call is over: %s", c.route.MaxTalk))
	}
	return c.unexpected(ev)
}

// other is the party that p talks to.
func (c *Call) other(p *party) *party {
	if p == c.caller {
		return c.callee
	}
	return c.caller
}

// silent reports audio that flows one way only, or not at all.
func (c *Call) silent(p *party, ev leg.Silent) {
	p.silent = true
	if name := p.name(); !slices.Contains(c.missed.told, name) {
		c.missed.told = append(c.missed.told, name)
	}
	what := "one-way audio: nothing is heard from " + p.name()
	if c.state == Talking && c.other(p).silent {
		what = "no audio: nothing is heard from either party"
	}
	c.log.Warn(what, "silent", p.name(), "party", p.leg.Party(), "leg", p.leg.ID(), "for", ev.For,
		"check", "the phone's microphone and mute, and that UDP from it reaches the [rtp] ports of this machine")
	c.ladder.Add(p.name(), p.name(), "silent")
}

// heard takes a report of silence back.
func (c *Call) heard(p *party) {
	if p.silent {
		p.silent = false
		c.log.Info("audio is heard again", "from", p.name(), "leg", p.leg.ID())
	}
}
