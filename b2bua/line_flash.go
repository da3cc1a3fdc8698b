package b2bua

import (
	"strings"
	"time"

	"crosspoint/b2bua/leg"
)

// A phone gives a hook-flash to the exchange of the telephone line that it talks on,
// for that exchange's own call waiting and three-way calls. Its own hook-flash, if
// it has one, is this exchange's; so there is a code, pressed during the call or
// dialled after a flash:
//
//	alice           b2bua           fxo1
//	 |--DTMF *0------>|-----flash---->|

// keyGap is the longest pause between two keys of a code: people press keys that
// belong together faster.
const keyGap = 2 * time.Second

// maxKeys bounds what is remembered of the keys.
const maxKeys = 16

// key notes a key of a party that talks, and does what a code asks for.
func (c *Call) key(p *party, digit byte) {
	code := ""
	if p.source.Kind == leg.Phone {
		code = c.x.cfg.Plan().LineFlash(p.source.Name)
	}
	if code == "" {
		return
	}
	now := time.Now()
	if now.Sub(p.keyed) > keyGap || len(p.keys) >= maxKeys {
		p.keys = ""
	}
	p.keys, p.keyed = p.keys+string(digit), now
	if strings.HasSuffix(p.keys, code) {
		p.keys = ""
		c.flashTo(c.other(p), p)
	}
}

// flashTo gives a hook-flash to a party behind an exchange, if it is one.
func (c *Call) flashTo(to, by *party) {
	if to.trunk == "" && to.source.Kind != leg.Line && to.source.Kind != leg.Peer {
		c.log.Info("no hook-flash: the other party is on no telephone line", "asked by", by.name())
		return
	}
	c.log.Info("hook-flash to the exchange", "by", by.name(), "on", to.name())
	to.leg.Flash()
}

// flashLine gives a hook-flash to the party that an analog telephone has put on hold
// by its own flash, and talks to it again.
func (d *desk) flashLine() State {
	next := d.back()
	if d.x.cfg.Plan().LineFlash(d.host.source.Name) == "" {
		d.log.Info("no hook-flash to the exchange: the phone has no line_flash = true", "asked by", d.host.name())
		return next
	}
	d.flashTo(d.held, d.host)
	return next
}
