package gateway

import (
	"fmt"
	"math"
	"time"

	"crosspoint/b2bua/leg"
)

// maxRecords is how many past calls a line remembers.
const maxRecords = 10

// A report is a line's Status as it last changed, for anyone to read, with what
// a trunk wants to know beside it. It is never changed once published.
type report struct {
	Status
	guardEnd time.Time
	suspect  time.Time
	waits    bool // a second call would be offered to the telephone, which talks
}

// rank is how willingly a trunk takes the line: less is better.
func (r *report) rank(now time.Time) int {
	switch {
	case now.Before(r.suspect):
		return 2
	case now.Before(r.guardEnd):
		return 1
	}
	return 0
}

// publish lets others see what the line does now.
func (l *line) publish() {
	r := &report{Status: Status{
		Line:      l.cfg.Name,
		Port:      l.cfg.Port.Name(),
		Kind:      l.kind,
		State:     l.words(),
		Since:     l.since,
		Ready:     l.m.ready(),
		BusiedOut: l.busied,
		Failed:    l.m.failed(),
		Fault:     l.fault,
		FaultAt:   l.faultAt,
		Battery:   l.jack.Battery,
		OffHook:   l.jack.OffHook,
		Reversed:  l.jack.Reversed,
		Counts:    l.stats,
		Last:      l.last,
	}}
	if o := l.m.side(); o != nil {
		r.guardEnd, r.suspect = o.guardEnd, o.suspect
		// A card reports its own changes; that it obeyed our order is no event.
		r.OffHook = o.offHook && l.jack.Present
	}
	if f, ok := l.m.(*fxs); ok {
		r.waits = f.waits()
	}
	l.report.Store(r)
}

// status is the report with what the ticks have measured since.
func (l *line) status() Status {
	s := l.report.Load().Status
	s.Heard, s.Said = l.audio.heard.DBm0(), l.audio.said.DBm0()
	s.ReturnLoss = float64(math.Float32frombits(l.audio.echo.returnLoss.Load()))
	s.Enhancement = float64(math.Float32frombits(l.audio.echo.enhancement.Load()))
	s.Counts.LostTicks = l.audio.lost.Load()
	return s
}

// unavailable is the cause when the line's telephone can't be rung.
func (l *line) unavailable() leg.Cause {
	r := l.report.Load()
	switch {
	case r.Failed != "":
		return leg.Cause{Q850: 27}.GivenBy(leg.Us).Because("%s: %s", l.where(), r.Failed)
	case r.BusiedOut:
		return leg.Cause{Q850: 27}.GivenBy(leg.Us).Because("%s is busied out", l.where())
	}
	return leg.Busy.GivenBy(leg.Us).Because("the telephone on line %s is %s", l.cfg.Name, r.State)
}

// nextID names the line's next call.
func (l *line) nextID() string { return fmt.Sprintf("%s-%x", l.cfg.Name, l.calls.Add(1)) }
