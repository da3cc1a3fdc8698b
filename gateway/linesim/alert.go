package linesim

import (
	"time"

	"crosspoint/gateway/callerid"
)

// Pauses around a caller ID.
const (
	afterRing     = 500 * time.Millisecond // GR-30 §2.3
	afterReversal = 150 * time.Millisecond // SIN 227 §5.2: 100 ms or more
	beforeRing    = 300 * time.Millisecond
)

// alert rings a line: caller ID before the first ring or after it, and the
// bell's cadence.
type alert struct {
	standard callerid.Standard
	sender   *callerid.Sender // nil: nothing (more) to send
	sendAt   time.Duration
	ringFrom time.Duration // meaningless while a caller ID comes first
	first    bool          // caller ID comes before the ring
	cadence  Cadence
	at       time.Duration // since it began

	activation activation // in Japan
}

// begin starts to alert the line of a call, in a cadence.
func (a *alert) begin(standard callerid.Standard, cadence Cadence, c *Call) {
	*a = alert{standard: standard, cadence: cadence}
	if c.sub.NoCallerID {
		return
	}
	a.sender = sender(standard, c)
	if standard.PrimaryAnswer() {
		a.activation.begin(announced)
		return
	}
	if a.first = standard.BeforeRing(); a.first {
		a.sendAt = afterReversal
		return
	}
	// After the first ring is after the whole of a double ring: in its longest pause.
	var at, longest time.Duration
	for i, d := range a.cadence {
		if at += d; i%2 == 0 {
			continue
		}
		if d > longest {
			longest, a.sendAt = d, at-d+afterRing
		}
	}
}

// sender tells who calls.
func sender(standard callerid.Standard, c *Call) *callerid.Sender {
	id := callerid.CallerID{Number: c.sub.Number, Name: c.sub.Name, Time: callerid.TimeOf(time.Now())}
	why := c.sub.Absent
	if c.sub.Withheld {
		why = callerid.Private
	}
	if why != 0 {
		id = callerid.CallerID{NumberAbsent: why, NameAbsent: why, Time: id.Time}
	}
	cfg := callerid.Config{Standard: standard}
	if c.sub.BadCallerID {
		message := callerid.Message(id, cfg)
		message[len(message)-1]++ // the checksum
		return callerid.NewMessageSender(message, cfg)
	}
	return callerid.NewSender(id, cfg)
}

// step is 10 ms of alerting. It writes what is heard on the line, and tells
// whether ring voltage is on it.
func (a *alert) step(l *Line, out []int16) bool {
	if a.activation.phase != notActivated {
		return a.activate(l, out)
	}
	at := a.at
	a.at += stepTime
	if a.sender != nil && at >= a.sendAt {
		a.sender.Read(out)
		if !a.sender.Busy() {
			a.sender = nil
			a.ringFrom = a.at + beforeRing
		}
	}
	if !a.first {
		return cadenceOn(a.cadence, at)
	}
	if a.standard.Reverses() {
		l.reversed = true
	}
	return a.sender == nil && at >= a.ringFrom && cadenceOn(a.cadence, at-a.ringFrom)
}
