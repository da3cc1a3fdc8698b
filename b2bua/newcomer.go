package b2bua

import (
	"time"

	"crosspoint/b2bua/leg"
)

// newcomer is the seeker that a call begins with: a caller who is not answered
// yet, and follows the call's progress by 180, 183 and 200.
type newcomer struct {
	*Call
	told   bool   // it was told that it rings
	opened bool   // its audio was opened before the answer
	hears  *party // whose early media it hears; nil: nobody's
}

func (n *newcomer) ringing(p *party) {
	switch {
	case n.hears == p: // the caller already hears that place's own ringback
	case n.opened: // a phone with its audio open makes no ringback of its own
		n.playRingback(n.caller)
	case !n.told:
		n.told = true
		n.caller.leg.Ringing()
	}
}

func (n *newcomer) early(p *party) {
	if n.hears == p {
		return
	}
	n.hears, n.opened = p, true
	n.join(n.caller, p)
	n.caller.leg.Progress()
}

func (n *newcomer) lost(p *party) {
	if n.hears == p {
		n.hears = nil
	}
}

func (n *newcomer) answered(p *party) State {
	n.callee, n.caller.role = p, joined
	n.join(n.caller, p)
	n.caller.leg.Answer()
	n.log.Info("answered", "by", p.name(), "after", time.Since(n.began).Round(time.Millisecond))
	return Talking
}

func (n *newcomer) failed(why leg.Cause) State {
	n.remember(why)
	return n.end(why)
}

// other: the caller's keys travel in its audio; hold before the answer has
// nothing to hold.
func (n *newcomer) other(_ *party, ev leg.Event) State {
	switch ev.(type) {
	case leg.Silent, leg.Heard, leg.Digit, leg.Flash, leg.Held, leg.Resumed:
		return n.state
	}
	return n.unexpected(ev)
}

// join lets two parties hear one another; a law is agreed on that needs no
// conversion if either is still free to choose.
func (c *Call) join(a, b *party) {
	a.leg.Prefer(b.leg.Stream().Law())
	c.bridge.Stop(a.leg.Stream())
	c.bridge.Join(a.leg.Stream())
	c.bridge.Join(b.leg.Stream())
	c.expectAll()
}

// playRingback lets a party whose audio is open hear that another one rings.
func (c *Call) playRingback(p *party) {
	if c.x.cfg.Ringback != nil {
		c.bridge.Play(p.leg.Stream(), c.x.cfg.Ringback())
	}
}
