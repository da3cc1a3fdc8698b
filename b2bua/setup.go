package b2bua

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// setup is what a call keeps while it looks for somebody who answers.
type setup struct {
	stage   int       // index of the route's stage being rung
	rung    int       // how many places of the stage are still being rung
	worst   leg.Cause // the most telling failure of the stage
	ringing bool      // the caller was told that it rings
	early   *party    // whose early media the caller hears; nil: nobody's
	opened  bool      // the caller's audio was opened before the answer
}

// begin asks the plan what to do with the call.
func (c *Call) begin() State {
	c.log.Info("call", "from", c.in.Caller, "by", c.in.Source.Kind, "source", c.in.Source.Name, "dialed", c.in.Dialed)
	if c.in.Source.Kind == leg.Phone {
		c.occupy(c.caller, c.in.Source.Name)
	}
	if c.in.Hops == 1 {
		return c.end(leg.TooManyHops.GivenBy(leg.Us).WithHint("Max-Forwards of the request is used up: some exchange sends the call in a circle"))
	}
	c.route, c.trail = c.x.cfg.Plan().Match(c.query())
	c.log.Debug("route", "trail", c.trail)
	if r := c.route.Refusal; r != nil {
		return c.end(leg.Cause{Q850: r.Q850, Status: r.Status, Text: r.Reason, By: leg.Us, Hint: r.Pos.String()})
	}
	return c.ring(0, leg.Unallocated.GivenBy(leg.Us))
}

// query is the call in the plan's words.
func (c *Call) query() dialplan.Query {
	return dialplan.Query{
		From: dialplan.Caller{
			Kind:     callerKinds[c.in.Source.Kind],
			Name:     c.in.Source.Name,
			Number:   c.in.Caller.Number,
			Withheld: c.in.Caller.Withheld,
		},
		Dialed:   c.in.Dialed,
		At:       c.began,
		Busy:     c.x.busy,
		Settings: c.x.cfg.Settings,
		Usage:    c.x.cfg.Usage,
		Turn:     c.turn,
	}
}

var callerKinds = [...]dialplan.CallerKind{
	leg.Stranger: dialplan.FromStranger, leg.Phone: dialplan.FromPhone,
	leg.Line: dialplan.FromLine, leg.Peer: dialplan.FromPeer,
}

// ring starts the stage with the given index; if nobody can be rung it goes on
// to the one that the failure leads to. Why is what the caller is told if there
// is none.
func (c *Call) ring(stage int, why leg.Cause) State {
	for more := stage < len(c.route.Stages); more; {
		s := c.route.Stages[stage]
		c.setup.stage, c.setup.worst, c.setup.rung = stage, leg.Cause{}, 0
		for _, t := range s.Targets {
			c.dial(stage, t)
		}
		if c.setup.rung > 0 {
			c.giveUp = time.Now().Add(c.ringTime(s))
			return Calling
		}
		if c.setup.worst != (leg.Cause{}) {
			why = c.setup.worst
		}
		stage, more = c.route.Next(stage, conditionOf(why))
	}
	return c.end(why)
}

// dial starts a leg to each place where the target can be reached.
func (c *Call) dial(stage int, t dialplan.Target) {
	s := newSeat(c)
	legs, err := c.x.cfg.Dial(t, c.outgoing(stage, t, s))
	if err != nil {
		c.setup.worst = moreTelling(c.setup.worst, asCause(err, t))
	}
	for _, l := range legs {
		c.add(l, s, rung, t)
		c.setup.rung++
	}
}

func (c *Call) ringTime(s dialplan.Stage) time.Duration {
	if s.RingFor > 0 {
		return s.RingFor
	}
	return c.x.cfg.RingFor
}

// outgoing is what the legs to a target are told about the call.
func (c *Call) outgoing(stage int, t dialplan.Target, to leg.Sink) leg.Outgoing {
	hops := c.in.Hops
	if hops == 0 {
		hops = maxHops
	}
	o := leg.Outgoing{
		Call: c.id, From: c.shown(t), To: c.in.To, Law: c.caller.leg.Stream().Law(),
		Sink: to, Ladder: c.ladder, Log: c.log, Hops: hops - 1,
		ReferredBy: c.in.ReferredBy,
	}
	for _, d := range c.route.Stages[stage].Diversions {
		o.Diversions = append(o.Diversions, leg.Diversion{By: leg.Party{Number: d.By}, Reason: d.Reason, Rule: d.Pos.String()})
	}
	o.Diversions = append(o.Diversions, c.in.Diversions...)
	return o
}

// shown is the caller as the callee sees it: the plan may present another
// number, or none, for the whole route or for one target.
func (c *Call) shown(t dialplan.Target) leg.Party {
	p := c.in.Caller
	for _, s := range [...]dialplan.Presentation{c.route.From, t.From} {
		if s.Number != "" {
			p.Number, p.Host = s.Number, ""
		}
		if s.Name != "" {
			p.Name = s.Name
		}
		p.Withheld = p.Withheld || s.Withheld
	}
	return p
}

// calling rings one stage of the route until somebody answers (RFC 5359 §2.5 to §2.10).
//
//	caller          b2bua          callee
//	 |----INVITE---->|---INVITE--->|
//	 |<----180-------|<---180------|
//	 |<----200-------|<---200------|
//	 |-----ACK------>|----ACK----->|
func (c *Call) calling(ev leg.Event) State {
	switch ev := ev.(type) {
	case leg.Trying:
		return Calling
	case leg.Ringing:
		c.tellRinging(c.parties[ev.Leg])
		return Calling
	case leg.EarlyMedia:
		c.openEarly(c.parties[ev.Leg])
		return Calling
	case leg.Answered:
		return c.answered(c.parties[ev.Leg])
	case leg.HungUp:
		return c.placeFailed(ev.Leg, ev.Cause)
	case leg.Silent, leg.Heard, leg.Digit, leg.Flash, leg.Held, leg.Resumed:
		return Calling // keys pressed towards a menu heard as early media travel in the audio
	case timedOut:
		return c.stageOver()
	}
	return c.unexpected(ev)
}

// tellRinging lets the caller hear that it rings.
func (c *Call) tellRinging(p *party) {
	switch {
	case c.setup.early == p: // the caller already hears that place's own ringback
	case c.setup.opened: // a phone with its audio open makes no ringback of its own
		if c.x.cfg.Ringback != nil {
			c.bridge.Play(c.caller.leg.Stream(), c.x.cfg.Ringback())
		}
	case !c.setup.ringing:
		c.setup.ringing = true
		c.caller.leg.Ringing()
	}
}

// openEarly lets the caller hear the callee's side before the answer. While
// several places are rung nobody is heard: their ringbacks would be mixed.
func (c *Call) openEarly(p *party) {
	if c.setup.rung > 1 || c.setup.early == p {
		c.tellRinging(p)
		return
	}
	c.setup.early, c.setup.opened = p, true
	c.join(p)
	c.caller.leg.Progress()
}

// join lets the caller and a party hear one another.
func (c *Call) join(p *party) {
	c.caller.leg.Prefer(p.leg.Stream().Law())
	c.bridge.Stop(c.caller.leg.Stream())
	c.bridge.Join(c.caller.leg.Stream())
	c.bridge.Join(p.leg.Stream())
}

// answered joins the caller to the first who answers; the others are told that
// the call was answered elsewhere.
func (c *Call) answered(p *party) State {
	if p.target.Kind == dialplan.ToPhone {
		c.occupy(p, p.target.Name)
	}
	c.callee, p.role, c.caller.role = p, joined, joined
	for _, other := range c.parties {
		if other.role == rung {
			c.release(other, leg.ElsewhereAnswer.GivenBy(p.name()))
		}
	}
	c.join(p)
	c.caller.leg.Answer()
	c.log.Info("answered", "by", p.name(), "after", time.Since(c.began).Round(time.Millisecond))
	return Talking
}

// placeFailed takes a place off the stage; the last one ends the stage.
func (c *Call) placeFailed(l leg.Leg, why leg.Cause) State {
	if why.By == "" {
		why.By = l.Name()
	}
	c.setup.worst = moreTelling(c.setup.worst, why)
	if c.setup.early != nil && c.setup.early.leg == l {
		c.setup.early = nil
	}
	if c.setup.rung--; c.setup.rung > 0 {
		return Calling
	}
	return c.nextStage()
}

// stageOver ends a stage that has rung long enough.
func (c *Call) stageOver() State {
	s := c.route.Stages[c.setup.stage]
	why := leg.NoAnswer.GivenBy(leg.Us).Because("no answer after %s", c.ringTime(s))
	for _, p := range c.parties {
		if p.role == rung {
			c.release(p, why)
		}
	}
	c.setup.early = nil
	c.setup.worst = moreTelling(c.setup.worst, why)
	return c.nextStage()
}

// nextStage goes on as the failure of this one leads.
func (c *Call) nextStage() State {
	why := c.setup.worst
	next, more := c.route.Next(c.setup.stage, conditionOf(why))
	if !more {
		return c.end(why)
	}
	c.log.Info("goes on", "because", why, "to", c.route.Stages[next].Targets)
	return c.ring(next, why)
}
