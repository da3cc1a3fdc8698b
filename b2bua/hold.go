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
func (c *Call) held(holder leg.Leg) {
	if c.hold[holder] {
		return
	}
	c.hold[holder] = true
	other := c.other(holder)
	other.Hold()
	var music media.Source
	if c.x.cfg.Music != nil && !c.hold[other] {
		music = c.x.cfg.Music()
	}
	c.bridge.Hold(other.Stream(), music)
	c.log.Info("on hold", "by", holder.Name(), "held", other.Name())
}

// resumed takes the other party back.
func (c *Call) resumed(holder leg.Leg) {
	if !c.hold[holder] {
		return
	}
	delete(c.hold, holder)
	other := c.other(holder)
	other.Resume()
	c.bridge.Resume(other.Stream())
	c.log.Info("taken back", "by", holder.Name(), "held", other.Name())
}
