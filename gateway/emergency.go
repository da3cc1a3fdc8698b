package gateway

import (
	"slices"

	"crosspoint/b2bua/leg"
)

// A call for help takes a line from another call if none is free:
//
//	b2bua            fxo1
//	  |----on-hook---->|   the other call ends, cause 8
//	  |                |   the guard time, so that the exchange notices
//	  |----off-hook--->|
//	  |<---dial tone---|
//	  |----DTMF 911--->|

// preempted is why a call ended whose line was needed (ITU-T Q.850, cause 8).
var preempted = leg.Cause{Q850: 8, Status: 503, By: leg.Us, Text: "its line was needed for an emergency call"}

// preempt is the line that an emergency call takes from another call, the first
// in hunting order whose call is no emergency itself; nil: there is none.
func (t *trunk) preempt(tried []*line) *line {
	for _, i := range t.order() {
		l := t.lines[i]
		if l.m.side().lendable.Load() && !slices.Contains(tried, l) {
			return l
		}
	}
	return nil
}

// lends tells whether the line has a call that may be ended for the sake of an
// emergency call. One that still rings is none: the exchange would ring on.
func (f *fxo) lends() bool {
	if f.state == fxoTesting {
		return true
	}
	if f.call == nil || f.call.emergency || f.state == fxoReading {
		return false
	}
	return f.state == fxoWaiting || f.offHook
}

// yields tells whether the line gives its call up for another one.
func (f *fxo) yields(c *call) bool { return c.emergency && f.lends() }

// preempt ends the line's call, and gives the line to one that calls for help.
func (f *fxo) preempt(c *call) {
	f.log.Warn("a call is ended: its line is needed for an emergency call", "was", f.words(), "for", c.dialed)
	if f.test != nil {
		f.test.found("interrupted", false, "test it again", "an emergency call needed the line")
	} else {
		f.stats.Preempted++
		f.hungUp(preempted)
	}
	f.become(fxoIdle)
	f.become(f.seize(c))
}
