package b2bua

import (
	"fmt"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
)

// Inactivity says what becomes of a call whose parties are not heard at all:
// neither audio nor RTCP comes. That they are silent is reported in any case
// (leg.Silent). Its zero value ends no call, and no setting ends an emergency
// call.
type Inactivity struct {
	// After is how long nothing may come before the call is ended; zero: for
	// ever. Below 15 s a party that is mute and sends only RTCP, every 5 s
	// (RFC 3550 §6.2), might be taken for gone when two reports are lost.
	After time.Duration
	// Any ends the call when one of the parties is gone, false when all are.
	Any bool
	// Origin is the setting's place, for who wonders why a call ended:
	// "office.toml:12". It may be empty.
	Origin string
}

// pausedFactor is by how much longer nothing may come from a party that has
// announced its silence by comfort noise (RFC 3389), as in media/rtp.
const pausedFactor = 10

// inactivity is a call's watch over parties that are silent, or gone.
type inactivity struct {
	look time.Time // when the parties are looked at next; zero: not at all
	told []string  // whose silence was reported (leg.Silent), each once
}

// expectAll gives everybody the whole time again: the parties have just been
// joined, or a hold is over.
func (c *Call) expectAll() {
	for _, p := range c.parties {
		p.expected = time.Time{}
	}
	_, c.missed.look = c.survey(time.Now())
}

// lookAround ends the call if its parties are gone.
func (c *Call) lookAround(now time.Time) State {
	gone, next := c.survey(now)
	c.missed.look = next
	if len(gone) > 0 {
		return c.end(c.unheard(gone))
	}
	return c.state
}

// survey finds whose absence ends the call, and else when it could. Who is on
// hold need send nothing, and neither need who holds: nobody is missed while
// anybody is on hold.
func (c *Call) survey(now time.Time) (gone []*party, next time.Time) {
	limit := c.x.cfg.Inactivity
	if limit.After <= 0 || c.route.Emergency || c.state != Talking && c.state != Conference {
		return nil, time.Time{}
	}
	talking := c.joinedParties()
	for _, p := range talking {
		if p.holds {
			return nil, now.Add(limit.After)
		}
	}
	for _, p := range talking {
		at := p.goneAt(limit.After, now)
		if !now.Before(at) {
			gone = append(gone, p)
			continue
		}
		if next.IsZero() || at.Before(next) == limit.Any {
			next = at // the first that could be gone, or the last
		}
	}
	if !limit.Any && len(gone) < len(talking) {
		gone = nil
	}
	return gone, next
}

// goneAt is when a party counts as gone if nothing more comes from it.
func (p *party) goneAt(after time.Duration, now time.Time) time.Time {
	if p.expected.IsZero() {
		p.expected = now
	}
	st := p.leg.Stream().Stats()
	if st.Paused {
		after *= pausedFactor
	}
	sign := p.expected
	for _, at := range [...]time.Time{st.LastReceived, st.LastReport} {
		if at.After(sign) {
			sign = at
		}
	}
	return sign.Add(after)
}

// unheard is the cause of a call that ends because parties are gone.
func (c *Call) unheard(gone []*party) leg.Cause {
	limit := c.x.cfg.Inactivity
	var names []string
	for _, p := range gone {
		names = append(names, p.name())
	}
	why := leg.Recovery.GivenBy(leg.Us).Because("nothing was heard from %s for %s, neither audio nor RTCP", strings.Join(names, " and "), limit.After)
	if limit.Origin != "" {
		why.Hint = fmt.Sprintf("has the phone lost its power or its network? %s ends such calls", limit.Origin)
	}
	return why
}
