package sipleg

import (
	"errors"
	"time"

	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// A telling is the NOTIFYs to one phone: one on its way at a time, the next not
// sooner than a second later, and what is told is what is known then.
type telling struct {
	n         *notifier
	extension string // whose messages
	task      task
	dialog    *dialog
	// fill completes a NOTIFY as it is about to be sent.
	fill func(req *sip.Request)
	// heard is told the answer, or one that was made for want of it.
	heard func(res *sip.Response, now time.Time)

	tx    *request  // on its way; nil: none
	due   time.Time // when the next goes, zero: there is nothing to tell
	rest  time.Time // the next does not go before
	until time.Time // when over is called; zero: never
	over  func(now time.Time)
}

// notifyEvery is the least time between two NOTIFYs to a phone (RFC 3842 §3.11).
const notifyEvery = time.Second

// tell has the phone told what has changed, as soon as it may be.
func (t *telling) tell(now time.Time) {
	if t.due.IsZero() {
		t.due = now
		if now.Before(t.rest) {
			t.due = t.rest
		}
	}
	t.settle()
}

// settle sets when there is something to do next.
func (t *telling) settle() {
	next := t.until
	if t.tx != nil {
		next = alarm.Sooner(next, t.tx.Deadline())
	} else {
		next = alarm.Sooner(next, t.due)
	}
	t.n.tasks.set(&t.task, next)
}

// expire does what is due.
func (t *telling) expire(now time.Time) {
	if t.tx != nil && t.tx.Expire(now) {
		t.outcome(made(t.tx.Request, 408), now)
		return
	}
	if alarm.Due(t.until, now) {
		t.until = time.Time{}
		t.over(now)
	}
	if t.tx == nil && alarm.Due(t.due, now) {
		t.send(now)
		return
	}
	t.settle()
}

// send sends the NOTIFY that is due.
func (t *telling) send(now time.Time) {
	t.due, t.rest = time.Time{}, now.Add(notifyEvery)
	req := t.dialog.newRequest(sip.NOTIFY)
	with(req, "Event", messageSummary, "Allow-Events", t.n.agent.events())
	t.fill(req)
	t.tx = t.n.agent.client(t.dialog, req)
	err := t.tx.Start(now)
	if errors.Is(err, wire.ErrGone) && t.reconnect() {
		req.ReplaceHeader(t.n.agent.via(t.dialog.flow, t.dialog.localTag))
		t.tx = t.n.agent.client(t.dialog, req)
		err = t.tx.Start(now)
	}
	if err != nil {
		t.outcome(made(req, 503), now)
		return
	}
	t.settle()
}

// reconnect finds another way to a phone whose connection has ended: the one by
// which it has registered since, or a new connection to where it says that it
// listens.
func (t *telling) reconnect() bool {
	d := t.dialog
	for _, way := range t.n.agent.places(t.extension) {
		if way.uri.String() == d.target.String() && way.flow != d.flow {
			d.flow = way.flow
			return true
		}
	}
	to, ok := literal(d.nextHop())
	if !ok {
		return false
	}
	f, err := d.agent.wire.FlowTo(transportOf(d.nextHop(), d.flow, to), to)
	if err != nil || f == d.flow {
		return false
	}
	d.flow = f
	return true
}

// response takes what has come for the NOTIFY on its way.
func (t *telling) response(res *sip.Response, now time.Time) {
	if t.tx == nil || !t.tx.Matches(res) || !t.tx.Receive(res, now) || res.StatusCode < 200 {
		return
	}
	t.outcome(res, now)
}

// lost gives up what waits for an answer on a connection that has ended.
func (t *telling) lost(f wire.Flow, now time.Time) {
	if t.tx != nil && t.tx.flow == f {
		t.outcome(made(t.tx.Request, 503), now)
	}
}

func (t *telling) outcome(res *sip.Response, now time.Time) {
	t.tx = nil
	t.heard(res, now)
}

// stop ends the telling.
func (t *telling) stop() {
	t.tx, t.due, t.until = nil, time.Time{}, time.Time{}
	t.settle()
}
