package b2bua

import "crosspoint/b2bua/leg"

// conferWith begins a conference of three: p joins the two who talk (RFC 5359
// §2.10), at the wish of host. A fourth may follow in the same way.
func (c *Call) conferWith(host, p *party) State {
	c.host = host
	for _, q := range c.parties {
		if q.role == joined && q != host && host.holds {
			q.leg.Resume()
			c.bridge.Resume(q.leg.Stream())
		}
	}
	c.bridge.Join(p.leg.Stream())
	c.log.Info("three-way call", "by", host.name(), "joins", p.name())
	return Conference
}

// conference lets three or more hear one another.
func (c *Call) conference(p *party, ev leg.Event) State {
	switch ev := ev.(type) {
	case leg.HungUp:
		return c.leftConference(p, ev.Cause)
	case leg.Held:
		p.holds = true // its own leg falls silent; the others talk on
		return Conference
	case leg.Resumed:
		p.holds = false
		c.expectAll()
		return Conference
	case leg.Digit:
		c.passDigit(p, ev)
		return Conference
	case leg.Flash:
		return c.flashInConference(p)
	case leg.Referred:
		p.leg.Notify(leg.Cause{Status: 491, Text: "a party of a conference can't be transferred", By: leg.Us})
		return Conference
	case leg.Silent:
		c.silent(p, ev)
		return Conference
	case leg.Heard:
		c.heard(p)
		return Conference
	}
	return c.unexpected(ev)
}

// leftConference ends the conference if its host has left and the office wants
// it so, as the draft says; else it goes on, with two as a plain call.
func (c *Call) leftConference(p *party, why leg.Cause) State {
	if p == c.host && c.x.cfg.HostEndsConference {
		return c.end(why)
	}
	left := c.joinedParties()
	switch len(left) {
	case 0, 1:
		return c.end(why)
	case 2:
		c.pair(left[0], left[1])
		return Talking
	}
	return Conference
}

// pair makes a call of two of what was one of more.
func (c *Call) pair(a, b *party) {
	c.host, c.caller, c.callee = nil, a, b
	c.join(a, b)
	a.leg.Identify(b.leg.Party())
	b.leg.Identify(a.leg.Party())
	c.heldAgain(a, b)
}

// joinedParties are those who talk or are held: the original caller first, then
// who answered it, then the others.
func (c *Call) joinedParties() []*party {
	var list []*party
	for _, p := range [...]*party{c.caller, c.callee} {
		if p != nil && c.parties[p.leg] == p && p.role == joined {
			list = append(list, p)
		}
	}
	for _, p := range c.parties {
		if p.role == joined && p != c.caller && p != c.callee {
			list = append(list, p)
		}
	}
	return list
}

// passDigit lets the others have a digit that the audio does not carry.
func (c *Call) passDigit(from *party, ev leg.Digit) {
	if ev.Relayed {
		return
	}
	for _, p := range c.parties {
		if p != from && p.role == joined {
			p.leg.Digit(ev.Digit, ev.For)
		}
	}
}

// surrender asks a call to hand the one whom a leg talks to over to another
// call, beside the same extension's leg there.
type surrender struct {
	of   leg.Leg // the host's leg in this call
	to   *Call
	host leg.Leg // its leg in the other one
}

func (surrender) From() leg.Leg { return nil }

// surrender hands over; the host's leg here has served its purpose then.
func (c *Call) surrender(ev surrender) State {
	host := c.parties[ev.of]
	if host == nil || c.state != Talking {
		c.log.Info("can't be joined into a three-way call", "state", c.state)
		return c.state
	}
	p := c.other(host)
	if host.holds {
		p.leg.Resume()
		c.bridge.Resume(p.leg.Stream())
	}
	return c.handOver(p, ev.to, replace{old: ev.host, beside: true},
		func() State {
			return c.end(leg.NormalClearing.GivenBy(leg.Us).Because("%s joined it with call %s", host.name(), ev.to.id))
		},
		func(why leg.Cause) State {
			if c.parties[host.leg] == nil {
				return c.end(why)
			}
			c.join(host, p)
			if host.holds {
				host.holds = false
				c.held(host)
			}
			return Talking
		})
}

// threeWay joins the two calls that the caller of the feature code has.
func (c *Call) threeWay() State {
	mine := c.x.legsOf(c.in.Source.Name, c)
	if len(mine) != 2 {
		return c.setup.seeker.failed(leg.Rejected.GivenBy(leg.Us).
			Because("a three-way call joins two calls of the phone; %s has %d", c.in.Source.Name, len(mine)))
	}
	first, second := c.x.callOf(mine[0]), c.x.callOf(mine[1])
	if first == nil || second == nil || !second.inbox.Put(surrender{of: mine[1], to: first, host: mine[0]}) {
		return c.setup.seeker.failed(errNoSuchDialog)
	}
	return c.confirm()
}
