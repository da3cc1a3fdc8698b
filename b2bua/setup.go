package b2bua

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
	"crosspoint/media/g711"
)

// setup is what a call keeps while it looks for somebody who answers.
type setup struct {
	seeker   seeker         // on whose behalf
	route    dialplan.Route // by which route
	shown    leg.Party      // who the places are told is calling
	by       string         // address of who transferred (RFC 3892); empty: nobody did
	also     bool           // by BYE with Also, or Requested-By
	replaces string         // the dialog at another exchange whose place the new one takes (RFC 3891)
	to       leg.Party      // what was dialled
	law      g711.Law       // what the seeker speaks
	stage    int            // index of the route's stage being rung
	rung     int            // how many places of the stage are still being rung
	worst    leg.Cause      // the most telling failure of the stage

	as       leg.Source      // with whose permissions; zero: a stranger's
	tried    map[string]bool // places rung so far
	redirect redirect        // redirect.go: where places have sent the call
	alerting alerting        // alerting.go: how places ring
}

// A seeker is on whose behalf places are rung: a caller who is not answered
// yet, or a party that is sent elsewhere (transfer.go).
type seeker interface {
	ringing(p *party)           // a place is alerted
	early(p *party)             // a place is heard before it answers
	answered(p *party) State    // a place has answered; the others are let go
	failed(why leg.Cause) State // no stage is left
	lost(p *party)              // a place rings no more
	// other takes an event of somebody who is not being rung.
	other(p *party, ev leg.Event) State
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
	query := c.query(c.in.Source, c.in.Caller, c.in.Dialed)
	query.AlertInfo = c.in.AlertInfo
	c.route, c.trail = c.x.cfg.Plan().Match(query)
	c.log.Debug("route", "trail", c.trail)
	c.remember(leg.Cause{})
	c.announce()
	c.setup = setup{
		seeker: &newcomer{Call: c}, route: c.route, shown: c.in.Caller, by: c.in.ReferredBy, also: c.in.Also,
		to: c.in.To, law: c.caller.leg.Stream().Law(), as: c.in.Source, alerting: alerting{info: c.in.AlertInfo},
	}
	return c.seek()
}

// seek rings the first stage of the route, unless the plan has refused.
func (c *Call) seek() State {
	if t, ok := serviceOf(c.setup.route); ok {
		return c.serve(t)
	}
	if r := c.setup.route.Refusal; r != nil {
		return c.setup.seeker.failed(leg.Cause{Q850: r.Q850, Status: r.Status, Text: r.Reason, Phrase: r.Phrase, By: leg.Us, Hint: r.Pos.String()})
	}
	return c.ring(0, leg.Unallocated.GivenBy(leg.Us))
}

// query asks the plan where somebody gets who dials; shown is who he is to those that screen.
func (c *Call) query(as leg.Source, shown leg.Party, dialed string) dialplan.Query {
	return dialplan.Query{
		From: dialplan.Caller{
			Kind:     callerKinds[as.Kind],
			Name:     as.Name,
			Number:   shown.Number,
			Withheld: shown.Withheld,
		},
		Dialed:   dialed,
		At:       time.Now(),
		Busy:     c.x.busy,
		Settings: c.x.settings(),
		Usage:    c.x.usage.of,
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
	for more := stage < len(c.setup.route.Stages); more; {
		s := c.setup.route.Stages[stage]
		c.setup.stage, c.setup.worst, c.setup.rung = stage, leg.Cause{}, 0
		for _, t := range s.Targets {
			c.dial(stage, t)
		}
		if c.setup.rung > 0 {
			c.giveUp = time.Now().Add(c.ringTime(s))
			return c.seekingState()
		}
		if c.setup.worst != (leg.Cause{}) {
			why = c.setup.worst
		}
		stage, more = c.setup.route.Next(stage, conditionOf(why))
	}
	return c.exhausted(why)
}

// seekingState is the state of a call in which places are rung.
func (c *Call) seekingState() State {
	if c.answer.IsZero() {
		return Calling
	}
	return Transferring
}

// dial starts a leg to each place where the target can be reached.
func (c *Call) dial(stage int, t dialplan.Target) {
	if !c.tries(t) || c.spares(t) {
		return
	}
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
	return c.redirectTime()
}

// outgoing is what the legs to a target are told about the call.
func (c *Call) outgoing(stage int, t dialplan.Target, to leg.Sink) leg.Outgoing {
	hops := c.in.Hops
	if hops == 0 {
		hops = maxHops
	}
	o := leg.Outgoing{
		Call: c.id, From: c.shown(t), To: c.setup.to, Law: c.setup.law,
		Emergency: c.setup.route.Emergency,
		Sink:      to, Ladder: c.ladder, Log: c.log, Hops: hops - 1,
		ReferredBy: c.setup.by, Also: c.setup.also, Replaces: c.setup.replaces,
		Ring: c.ringOf(c.setup.route.Stages[stage]),
	}
	o.Diversions = append(o.Diversions, forwardings(c.setup.route.Stages[stage])...)
	o.Diversions = append(o.Diversions, c.setup.redirect.diversions...)
	o.Diversions = append(o.Diversions, c.in.Diversions...)
	return o
}

// forwardings are those of the plan that lead to a stage, latest first.
func forwardings(s dialplan.Stage) (list []leg.Diversion) {
	for _, d := range s.Diversions {
		list = append(list, leg.Diversion{By: leg.Party{Number: d.By}, Reason: d.Reason, Rule: d.Pos.String()})
	}
	return list
}

// shown is the caller as the callee sees it: the plan may present another
// number, or none, for the whole route or for one target.
func (c *Call) shown(t dialplan.Target) leg.Party {
	p := c.setup.shown
	for _, s := range [...]dialplan.Presentation{c.setup.route.From, t.From} {
		if s.Number != "" {
			p.Number, p.Host, p.Domain = s.Number, "", ""
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
func (c *Call) calling(p *party, ev leg.Event) State {
	if p != nil && p.role != rung {
		return c.setup.seeker.other(p, ev)
	}
	switch ev := ev.(type) {
	case leg.Ringing:
		p.rang = true
		c.setup.seeker.ringing(p)
	case leg.EarlyMedia:
		if c.setup.rung > 1 || c.goesOn() {
			c.setup.seeker.ringing(p)
		} else {
			c.setup.seeker.early(p)
		}
	case leg.Answered:
		return c.placeAnswered(p)
	case leg.HungUp:
		if len(ev.Moved) > 0 {
			return c.redirected(p, ev)
		}
		return c.placeFailed(p, ev.Cause)
	case timedOut:
		return c.stageOver()
	case leg.Trying, leg.Silent, leg.Heard, leg.Digit, leg.Flash, leg.Held, leg.Resumed:
	default:
		return c.unexpected(ev)
	}
	return c.state
}

// goesOn tells that further places are tried if those rung now are busy or do
// not answer. Who waits hears one continuous ringing then, not the tones of
// each place; nor of several at once.
func (c *Call) goesOn() bool {
	on := func(r dialplan.Route, stage int) bool {
		return r.Stages[stage].On&(dialplan.Busy|dialplan.NoAnswer) != 0
	}
	for _, d := range c.setup.redirect.detours {
		if len(d.rest) > 0 || on(d.route, d.stage) {
			return true
		}
	}
	return on(c.setup.route, c.setup.stage)
}

// placeAnswered takes the first who answers; the others are told that the call
// was answered elsewhere.
func (c *Call) placeAnswered(p *party) State {
	if p.target.Kind == dialplan.ToPhone {
		c.occupy(p, p.target.Name)
	}
	if p.role == rung {
		c.x.ringsNot(p.leg)
	}
	p.role = joined
	c.chargeRedirect()
	c.releaseRung(leg.ElsewhereAnswer.GivenBy(p.name()))
	return c.setup.seeker.answered(p)
}

// releaseRung lets everybody go who is being rung.
func (c *Call) releaseRung(why leg.Cause) {
	for _, p := range c.parties {
		if p.role == rung {
			c.setup.seeker.lost(p)
			c.release(p, why)
		}
	}
	c.setup.rung = 0
}

// placeFailed takes a place off the stage; the last one ends the stage.
func (c *Call) placeFailed(p *party, why leg.Cause) State {
	if why.By == "" {
		why.By = p.name()
	}
	c.setup.seeker.lost(p)
	c.setup.worst = moreTelling(c.setup.worst, why)
	if c.setup.rung--; c.setup.rung > 0 {
		return c.state
	}
	return c.nextStage()
}

// stageOver ends a stage that has rung long enough.
func (c *Call) stageOver() State {
	s := c.setup.route.Stages[c.setup.stage]
	why := leg.NoAnswer.GivenBy(leg.Us).Because("no answer after %s", c.ringTime(s))
	c.releaseRung(why)
	c.setup.worst = moreTelling(c.setup.worst, why)
	return c.nextStage()
}

// nextStage goes on as the failure of this one leads.
func (c *Call) nextStage() State {
	why := c.setup.worst
	next, more := c.setup.route.Next(c.setup.stage, conditionOf(why))
	if !more {
		return c.exhausted(why)
	}
	c.log.Info("goes on", "because", why, "to", c.setup.route.Stages[next].Targets)
	return c.ring(next, why)
}
