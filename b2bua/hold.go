package b2bua

import "crosspoint/media"

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
	var music media.Source
	if c.x.cfg.Music != nil && !other.holds {
		music = c.x.cfg.Music()
	}
	c.bridge.Hold(other.leg.Stream(), music)
	c.log.Info("on hold", "by", holder.name(), "held", other.name())
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
	c.log.Info("taken back", "by", holder.name(), "held", other.name())
}
