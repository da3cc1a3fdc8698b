package gateway

import (
	"sync"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/gateway/callerid"
)

// gotCallerID is who calls, as the exchange said it, or why it does not.
type gotCallerID struct {
	caller leg.Party
	absent callerid.Absence
}

// A receiver looks for caller ID in what a line says while it rings. The ticks
// feed it, and the owner asks it what went wrong, hence the lock.
type receiver struct {
	mu     sync.Mutex
	r      *callerid.Receiver
	failed bool // and the line was told
}

func newReceiver() *receiver { return &receiver{r: callerid.NewReceiver()} }

// listen feeds the receiver, and tells the line of the caller that it found.
func (r *receiver) listen(pcm []int16, l *line) {
	r.mu.Lock()
	id, ok := r.r.Receive(pcm)
	if ok && !id.OfCall() { // the message lamp of a telephone: who calls may follow
		r.r.Reset()
		ok = false
	}
	err := r.r.Failed()
	r.mu.Unlock()
	switch {
	case ok:
		l.inbox.Put(gotCallerID{partyOf(id), id.NumberAbsent})
	case err != nil && !r.failed:
		r.failed = true
		l.inbox.Put(noCallerID{err})
	}
}

// err is why there is no caller ID so far; nil if there is, or nobody listened.
func (r *receiver) err() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.r.Err()
}

// partyOf is the caller that a caller ID names.
func partyOf(id callerid.CallerID) leg.Party {
	return leg.Party{
		Number:   id.Number,
		Name:     id.Name,
		Withheld: id.NumberAbsent == callerid.Private,
	}
}

// newCallerID is the signal that tells a telephone who calls.
func newCallerID(s callerid.Standard, p leg.Party, at time.Time) *sound {
	return &sound{Source: callerid.NewSender(callerIDOf(p, at), callerid.Config{Standard: s})}
}

// callerIDOf is what a telephone is told of a caller.
func callerIDOf(p leg.Party, at time.Time) callerid.CallerID {
	id := callerid.CallerID{Number: p.Number, Name: p.Name, Time: callerid.TimeOf(at)}
	switch {
	case p.Withheld:
		id.Number, id.Name = "", ""
		id.NumberAbsent, id.NameAbsent = callerid.Private, callerid.Private
	case p.Number == "":
		id.NumberAbsent = callerid.Unavailable
	}
	return id
}

// callerText is a caller as a ladder shows it.
func callerText(p leg.Party) string {
	if p.Number != "" && p.Name == "" && !p.Withheld {
		return p.Number
	}
	return p.String()
}
