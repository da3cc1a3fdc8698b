package sipleg

import (
	"context"
	"log/slog"

	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// handle finds the owner of what arrived and queues it there, in the goroutine
// that read it. It sends nothing and waits for nothing.
func (a *Agent) handle(in wire.Inbound) {
	a.trace("in", in.Message(), in.Flow)
	known := a.dispatch(in)
	if !known && in.Request != nil && in.Request.Method == sip.ACK {
		a.challenged.acknowledged(in.Request)
	}
}

// dispatch queues a message with its owner, whom it makes if the message begins
// a call. It tells whether there was one before.
func (a *Agent) dispatch(in wire.Inbound) (known bool) {
	t := a.table
	t.mu.Lock()
	defer t.mu.Unlock()
	var o owner
	if in.Response != nil {
		o = t.ownerOf(in.Response)
	} else {
		o = t.ownerFor(in.Request)
	}
	switch {
	case o != nil:
		o.take(in)
		return true
	case in.Response != nil: // to a request that is long over
	case in.Request.Method == sip.INVITE && toTag(in.Request) == "" && t.legs < a.cfg.MaxLegs && !a.stopping.Load():
		l := newIncoming(a, in)
		t.add(l)
		l.take(in)
		a.start(l)
	default:
		a.desk.take(in, nil)
	}
	return false
}

// again hands on what a leg had not yet taken when it ended.
func (a *Agent) again(rest []any) {
	for _, item := range rest {
		switch item := item.(type) {
		case wire.Inbound:
			a.handle(item)
		case func():
			item() // an order to a leg that is over: says so in its log
		}
	}
}

// start lets a leg run; it ends by itself when its call is over.
func (a *Agent) start(l *Leg) {
	a.running.Add(1)
	l.in.Begin()
}

// trace logs a message's first line at debug level.
func (a *Agent) trace(way string, msg sip.Message, flow wire.Flow) {
	if !a.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	line := ""
	switch m := msg.(type) {
	case *sip.Request:
		line = m.StartLine()
	case *sip.Response:
		line = m.StartLine()
	}
	a.log.Debug("sip "+way, "line", line, "callid", callID(msg), "flow", flow)
}
