package b2bua

import (
	"crosspoint/b2bua/leg"
	"crosspoint/media"
)

// held lets the other party wait (RFC 5359 §2.1): it is told in the form that
// its phone understands, and hears music; the holder hears and gets nothing.
//
//	bob             b2bua          alice
//	 |-INVITE (hold)->|               |
//	 |<-----200-------|-INVITE (hold)>|
//	 |                |<-----200------|
func (c *Call) held(holder *party) {
	if holder.holds {
		return
	}
	holder.holds = true
	other := c.other(holder)
	other.leg.Hold()
	if other.holds {
		c.bridge.Hold(other.leg.Stream(), nil) // who holds hears nothing itself
	} else {
		c.bridge.Hold(other.leg.Stream(), c.music())
	}
	c.log.Info("on hold", "by", holder.name(), "held", other.name())
}

// music is what a held party hears; nil is silence.
func (c *Call) music() media.Source {
	if c.x.cfg.Music == nil {
		return nil
	}
	return c.x.cfg.Music()
}

// resumed takes the other party back.
func (c *Call) resumed(holder *party) {
	if !holder.holds {
		return
	}
	holder.holds = false
	other := c.other(holder)
	other.leg.Resume()
	c.bridge.Resume(other.leg.Stream())
	c.expectAll()
	c.log.Info("taken back", "by", holder.name(), "held", other.name())
}

// noteHold keeps a hold, or its end, that comes while the call is about something
// else; heldAgain lets it count.
func (p *party) noteHold(ev leg.Event) { _, p.holds = ev.(leg.Held) }

// heldAgain lets those who hold still do so towards whom they are joined to now.
func (c *Call) heldAgain(holders ...*party) {
	for _, p := range holders {
		if p.holds {
			p.holds = false
			c.held(p)
		}
	}
}
