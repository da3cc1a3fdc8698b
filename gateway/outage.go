package gateway

import (
	"fmt"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/jack"
)

// What a card tells of itself is the same for each kind of line: it is gone, or
// the port, or the span that a timeslot is part of; and it is back.

// presence handles a change that takes the line out of service or back, and
// tells whether it did.
func (l *line) presence(ev jack.Change) bool {
	switch kind := l.cfg.Port.Kind(); {
	case ev.What == jack.Down:
		l.lose("the line card is gone: is it plugged in?")
	case !ev.State.Present:
		l.lose("the port is out of order")
	case kind != l.kind && kind != jack.TDM && kind != jack.Unknown:
		l.lose(fmt.Sprintf("the jack is an %s port: correct kind, card or port of the line, it says %s", kind, l.kind))
	case ev.State.Alarm != jack.NoAlarm:
		l.lose(ev.State.Alarm.String() + ": " + ev.State.Alarm.Hint())
	case ev.What == jack.Up || l.m.down():
		l.up()
	default:
		return false
	}
	return true
}

// lose ends what the line does: it can't be used, for the reason given.
func (l *line) lose(why string) {
	first := !l.m.down() || l.why != why
	l.why = why
	if l.call != nil {
		l.end(l.lost(why, l.m.talks()))
	}
	if first {
		l.trouble("%s: %s", l.where(), why)
	}
	l.m.fall()
}

// up takes the line into service as the card answers, or as what was wrong is
// over.
func (l *line) up() {
	if l.m.goesOn() {
		return
	}
	if l.call != nil {
		l.end(leg.TemporaryFailure.GivenBy(l.cfg.Name).Because("%s: the line card has begun anew", l.where()))
	}
	if l.m.down() {
		l.log.Info("line in service", "battery", l.jack.Battery)
	}
	l.m.arrive()
}
