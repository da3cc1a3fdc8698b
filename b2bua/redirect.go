package b2bua

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/dialplan"
)

// redirect is what a search for somebody who answers keeps about places that
// have sent their callers elsewhere (RFC 3261 §8.1.3.4): phones with a
// forwarding of their own that the plan does not know of.
type redirect struct {
	way        []string        // who has sent the call on, in order
	diversions []leg.Diversion // what that is to the next callee, latest first
	detours    []detour        // the routes that were left, the outermost first
}

// A detour is a route that was left for where one of its places sent the call.
// When nobody answers there, the route goes on as after that place's failure.
type detour struct {
	by    *party
	who   leg.Source // as whom the call goes on: who sent it
	rest  []string   // further places that were named, not yet tried
	route dialplan.Route
	stage int
	outer []leg.Diversion // redirect.diversions before
}

// maxRedirects bounds how often one search can be sent on.
const maxRedirects = 5

// redirected lets the call go where a place sends it. It goes there by the plan
// and with the permissions of who sent it: a phone can forward to what it may
// dial, a peer to what it may, a stranger to nothing that costs.
//
//	caller          b2bua           bob            carol
//	 |----INVITE----->|---INVITE---->|               |
//	 |                |<---302-------|               |
//	 |                |----ACK------>|               |
//	 |                |------------INVITE----------->|
//	 |<----180--------|<-----------180---------------|
func (c *Call) redirected(p *party, ev leg.HungUp) State {
	s := &c.setup
	s.seeker.lost(p)
	s.rung--
	s.redirect.way = append(s.redirect.way, p.name())
	d := detour{by: p, rest: ev.Moved, route: s.route, stage: s.stage, outer: s.redirect.diversions}
	said := leg.Diversion{By: leg.Party{Number: p.leg.Party().Number, Host: p.leg.Party().Host}, Reason: ev.MovedFor, Rule: fmt.Sprintf("set at %s itself", p.name())}
	switch {
	case said.Reason != "":
	case p.rang:
		said.Reason = "deflection" // somebody pressed a key
	default:
		said.Reason = "unconditional"
	}
	c.log.Info("sent elsewhere", "by", p.name(), "to", ev.Moved, "reason", said.Reason, "status", ev.Cause.Status)
	inner := slices.Concat([]leg.Diversion{said}, forwardings(s.route.Stages[s.stage]), d.outer)
	if s.rung > 0 { // others of the stage ring on: the new places ring beside them
		s.redirect.diversions = inner
		c.ringBeside(d)
		s.redirect.diversions = d.outer
		return c.state
	}
	s.redirect.diversions = inner
	s.redirect.detours = append(s.redirect.detours, d)
	return c.exhausted(ev.Cause)
}

// ringBeside rings what the first place that can be reached rings at first.
func (c *Call) ringBeside(d detour) {
	s := &c.setup
	for _, to := range d.rest {
		route, why := c.follow(&d, to)
		if why != (leg.Cause{}) {
			s.worst = moreTelling(s.worst, why)
			continue
		}
		before, stage := s.rung, s.stage
		s.route, s.stage = route, 0
		for _, t := range route.Stages[0].Targets {
			c.dial(0, t)
		}
		s.route, s.stage = d.route, stage
		if s.rung > before {
			return
		}
	}
}

// exhausted goes on when no stage of the route is left: with the next place that
// was named beside it, then with the route that was left for it.
func (c *Call) exhausted(why leg.Cause) State {
	r := &c.setup.redirect
	for len(r.detours) > 0 {
		d := &r.detours[len(r.detours)-1]
		for len(d.rest) > 0 {
			to := d.rest[0]
			d.rest = d.rest[1:]
			route, refused := c.follow(d, to)
			if refused != (leg.Cause{}) {
				why = refused
				continue
			}
			c.setup.route = route
			return c.ring(0, why)
		}
		left := *d
		r.detours, r.diversions = r.detours[:len(r.detours)-1], left.outer
		c.setup.route, c.setup.stage = left.route, left.stage
		if next, more := left.route.Next(left.stage, conditionOf(why)); more {
			c.log.Info("goes on", "because", why, "to", left.route.Stages[next].Targets)
			return c.ring(next, why)
		}
	}
	return c.setup.seeker.failed(why)
}

// follow finds the route to a place that somebody has named; the cause, if it is
// not zero, says why the call does not go there.
func (c *Call) follow(d *detour, to string) (dialplan.Route, leg.Cause) {
	route, why := c.wayTo(d, to)
	if why == (leg.Cause{}) {
		c.log.Info("redirected", "by", d.by.name(), "to", to, "as", d.who.Kind, "route", route.Rule, "at", route.Pos)
		return route, why
	}
	why.By = leg.Us
	why.Text = fmt.Sprintf("%s sends its calls to %s: %s", d.by.name(), to, why.Text)
	c.log.Warn("not redirected", "by", d.by.name(), "to", to, "because", why.Text, "rule", why.Hint)
	return route, why
}

func (c *Call) wayTo(d *detour, to string) (dialplan.Route, leg.Cause) {
	way := c.setup.redirect.way
	if len(way) > maxRedirects {
		return dialplan.Route{}, leg.TooManyHops.Because("the call is sent on without an end: %s", strings.Join(way, " to "))
	}
	d.who = c.redirector(d)
	route, trail := c.x.cfg.Plan().Match(c.sentOn(c.query(d.who, c.setup.shown, to)))
	if route.Refusal != nil && d.who.Kind != leg.Phone {
		// A server that says where its user is costs nobody anything: whoever may
		// call the one address may call the other.
		as := c.setup.as
		if by := d.route.Stages[d.stage].By; by != "" {
			as = leg.Source{Kind: leg.Phone, Name: by}
		}
		if other, t := c.x.cfg.Plan().Match(c.sentOn(c.query(as, c.setup.shown, to))); elsewhere(other) {
			route, trail, d.who = other, t, as
		}
	}
	c.log.Debug("route", "trail", trail)
	_, service := serviceOf(route)
	switch r := route.Refusal; {
	case r != nil:
		return route, leg.Cause{Q850: r.Q850, Status: r.Status, Text: r.Reason, Phrase: r.Phrase, Hint: r.Pos.String()}
	case service || route.Emergency:
		return route, leg.Rejected.Because("that has to be dialled by a person").WithHint("%s", route.Pos)
	case !slices.ContainsFunc(route.Stages[0].Targets, func(t dialplan.Target) bool { return !c.setup.tried[placeName(t)] }):
		return route, leg.LoopDetected.Because("the call is sent in a circle: %s", strings.Join(append(slices.Clone(way), route.Stages[0].Targets[0].String()), " to ")).WithHint("%s", route.Pos)
	}
	return route, leg.Cause{}
}

// redirector is who a place is to the plan.
func (c *Call) redirector(d *detour) leg.Source {
	t := d.by.target
	switch t.Kind {
	case dialplan.ToPhone:
		return leg.Source{Kind: leg.Phone, Name: t.Name}
	case dialplan.ToTrunk:
		if peer := c.x.peerOf(t); peer != "" {
			return leg.Source{Kind: leg.Peer, Name: peer}
		}
	}
	return leg.Source{}
}

// peerOf is the peer that a trunk leads to; empty: the target is none, or is
// lines.
func (x *Exchange) peerOf(t dialplan.Target) string {
	if t.Kind != dialplan.ToTrunk {
		return ""
	}
	for _, trunk := range x.cfg.Plan().Config().Trunks {
		if trunk.Name == t.Name {
			return trunk.Peer
		}
	}
	return ""
}

// elsewhere tells a route that leads to SIP addresses outside and nowhere else.
func elsewhere(r dialplan.Route) bool {
	for _, s := range r.Stages {
		for _, t := range s.Targets {
			if t.Kind != dialplan.ToSIPAddress {
				return false
			}
		}
	}
	return len(r.Stages) > 0
}

// tries notes that a place is rung. A call that was sent on is not sent to a
// place where it was already: false.
func (c *Call) tries(t dialplan.Target) bool {
	s, name := &c.setup, placeName(t)
	if s.tried == nil {
		s.tried = make(map[string]bool)
	}
	if s.tried[name] && len(s.redirect.diversions) > 0 {
		s.worst = moreTelling(s.worst, leg.LoopDetected.GivenBy(leg.Us).Because("the call was at %s before: %s", t, strings.Join(s.redirect.way, " to ")))
		return false
	}
	s.tried[name] = true
	return true
}

func placeName(t dialplan.Target) string { return t.Kind.String() + " " + t.String() }

// redirectTime is how long a stage rings that does not say it: as long as the
// place would have that sent the call there. Somebody who was sent elsewhere and
// can be taken back does not wait as long as a caller may.
func (c *Call) redirectTime() time.Duration {
	for _, d := range slices.Backward(c.setup.redirect.detours) {
		if ring := d.route.Stages[d.stage].RingFor; ring > 0 {
			return ring
		}
	}
	if _, calls := c.setup.seeker.(*newcomer); !calls {
		return min(c.x.cfg.RingFor, sentRingFor)
	}
	return c.x.cfg.RingFor
}

// chargeRedirect lets the phone that has sent the call on pay for where it went.
func (c *Call) chargeRedirect() {
	detours := c.setup.redirect.detours
	if len(detours) == 0 {
		return
	}
	d, route := detours[len(detours)-1], c.setup.route
	if d.who.Kind == leg.Phone && route.Class&tollClasses != 0 {
		c.payer = d.who.Name
	}
	if most := route.MaxTalk; most > 0 && (c.route.MaxTalk == 0 || most < c.route.MaxTalk) {
		c.route.MaxTalk = most
	}
}
