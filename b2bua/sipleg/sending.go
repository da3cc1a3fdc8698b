package sipleg

import (
	"errors"
	"slices"
	"time"

	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// send sends one of our requests. Its outcome goes to on, which may be nil.
func (l *Leg) send(d *dialog, req *sip.Request, text string, on func(*sip.Response)) *request {
	r := l.agent.client(d, req)
	r.on = on
	l.watch(r.flow)
	l.clients = append(l.clients, r)
	l.ladder.Out(l.name, text)
	err := r.Start(time.Now())
	if errors.Is(err, wire.ErrGone) && l.reconnect(d) {
		req.ReplaceHeader(l.agent.via(d.flow, d.localTag))
		again := l.agent.client(d, req)
		r.Client, r.flow = again.Client, again.flow
		l.watch(r.flow)
		err = r.Start(time.Now())
	}
	if err != nil {
		l.log.Info("sip: request not sent", "method", req.Method, "err", err)
		l.in.Put(func() { // later: the caller has not yet noted the request
			if r.on != nil {
				r.on(made(req, 503))
			}
		})
	}
	return r
}

// reconnect finds another way to a party whose connection has ended: the one
// by which its phone has registered since, or a new connection to where it
// says that it listens.
func (l *Leg) reconnect(d *dialog) bool {
	if r := l.agent.cfg.Registrar; r != nil && l.ofPhone {
		for _, b := range r.Lookup(l.name) {
			f, err := l.agent.flowOf(b)
			if err == nil && b.URI == d.target.String() && f != d.flow {
				d.flow = f
				return true
			}
		}
	}
	to, ok := literal(d.nextHop())
	if !ok {
		return false
	}
	f, err := l.agent.wire.FlowTo(transportOf(d.nextHop(), d.flow, to), to)
	if err != nil || f == d.flow {
		return false
	}
	d.flow = f
	return true
}

// watch asks to be told when a connection fails.
func (l *Leg) watch(f wire.Flow) {
	if !f.Reliable() {
		return
	}
	t := l.agent.table
	t.mu.Lock()
	known := slices.Contains(l.flows, f)
	if !known {
		l.flows = append(l.flows, f)
	}
	t.mu.Unlock()
	if !known {
		t.watch(f, l)
	}
}

// connectionFailed gives up what waits for an answer on a connection (RFC 3261
// §17.1.4).
func (l *Leg) connectionFailed(f wire.Flow, err error) {
	for _, r := range l.clients {
		if r.flow == f && !r.Answered() && r.State() != txn.Terminated {
			l.log.Info("sip: connection failed", "method", r.Request.Method, "flow", f, "err", err)
			r.Abandon()
			if r.on != nil {
				r.on(made(r.Request, 503))
			}
		}
	}
}

// response takes a response to one of our requests.
func (l *Leg) response(res *sip.Response, now time.Time) {
	for _, r := range l.clients {
		if !r.Matches(res) {
			continue
		}
		if !r.Receive(res, now) {
			return
		}
		r.draw(l.ladder, l.name, res)
		if r.on != nil {
			r.on(res)
		}
		return
	}
	if l.settled.accepted(res) != nil {
		l.answeredLate(res)
		return
	}
	l.settled.repeated(l.agent, res, now)
}

// reply sends a response to a request of the peer and draws it.
func (l *Leg) reply(s *server, res *sip.Response) {
	l.ladder.Out(l.name, drawStatus(res))
	s.Respond(res, time.Now()) //nolint:errcheck // logged where it is sent; the peer will ask again
}

// respond answers a request without body.
func (l *Leg) respond(s *server, status int, headers ...string) {
	res := response(s.Request, status, "", l.tag)
	with(res, headers...)
	res.SetBody(nil)
	l.reply(s, res)
}

// made is a response that nobody sent: 408 for a request without response, 503
// for one that could not be sent (RFC 3261 §8.1.3.1).
func made(req *sip.Request, status int) *sip.Response {
	res := response(req, status, "", "")
	res.SipVersion = ""
	return res
}

// isMade tells a response of made from one that came.
func isMade(res *sip.Response) bool { return res.SipVersion == "" }
