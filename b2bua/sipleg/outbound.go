package sipleg

import (
	"cmp"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/alarm"
	"crosspoint/internal/inbox"
	"github.com/emiago/sipgo/sip"
)

// An outbound is our registration at a peer (RFC 3261 §10.2): it is kept up
// until the agent is stopped, and taken back then. Its fields belong to run,
// except those marked otherwise.
//
//	b2bua          peer
//	  |--REGISTER--->|
//	  |<----401------|
//	  |--REGISTER--->|   with credentials
//	  |<----200------|   and again after three quarters of the time granted
type outbound struct {
	identity                              // does not change
	agent    *Agent                       // does not change
	terms    terms                        // does not change
	client   *registrar.Client            // does not change; nil: no secret
	log      *slog.Logger                 // does not change
	in       *inbox.Inbox[any]            // wire.Inbound or func()
	shown    atomic.Pointer[Registration] // read by anyone
	done     chan struct{}                // closed as run returns

	peer     *Peer         // as the file has it now
	flow     wire.Flow     // to the peer; not valid: to be looked up
	old      bool          // the flow worked before: if it does not now, another may
	places   []Destination // not yet tried
	tx       *request      // on its way; nil: none
	cseq     uint32        // of the latest
	tries    int           // of it with credentials
	ask      time.Duration // for which time
	next     time.Time     // when to register again; zero: something is on its way
	ping     time.Time     // when to hold the NAT's binding open; zero: there is no NAT
	failures int           // in a row
	leaving  bool
}

// Times of a registration.
const (
	registerFor   = time.Hour        // what we ask for
	retryLost     = 30 * time.Second // base of the wait after no answer (RFC 5626 §4.5)
	retryRefused  = 2 * time.Minute  // after a refusal, which won't mend itself so soon
	retryAtMost   = 30 * time.Minute
	retryStanding = 5 * time.Second  // while what was granted before still stands, at the least
	reconnectWait = 2 * time.Second  // after the connection was lost
	pingEvery     = 25 * time.Second // NATs forget UDP after 30 s (RFC 4787 §4.3 asks for 120)
)

func newOutbound(a *Agent, p *Peer) *outbound {
	r := &outbound{
		identity: identity{callID: newTag(), tag: newTag()}, agent: a, peer: p, terms: termsOf(p), client: a.known().clients[p.Name],
		log: a.log.With("peer", p.Name), in: inbox.New[any](), done: make(chan struct{}),
		ask: cmp.Or(p.RegisterFor, registerFor), next: time.Now(),
	}
	r.shown.Store(&Registration{Peer: p.Name, State: Registering})
	return r
}

// id, take and talks make an outbound an owner of responses.
func (r *outbound) id() *identity { return &r.identity }
func (r *outbound) talks() bool   { return false }

func (r *outbound) take(in wire.Inbound) {
	if in.Response != nil {
		r.in.Put(in)
	} else {
		r.agent.desk.take(in, nil) // nobody has anything to ask of a registration
	}
}

// run owns the registration until it is taken back or the agent is closed.
func (r *outbound) run() {
	defer close(r.done)
	defer r.leave()
	due := alarm.New()
	due.Set(time.Now())
	defer due.Stop()
	for {
		select {
		case <-r.in.Ready():
			for item, ok := r.in.Take(); ok; item, ok = r.in.Take() {
				r.guard(func() { r.handle(item) })
			}
		case <-due.C():
		case <-r.agent.ctx.Done():
			return
		}
		r.guard(func() { r.expire(time.Now()) })
		if r.leaving && r.tx == nil {
			return
		}
		due.Set(r.deadline())
	}
}

// leave takes the registration out of the table.
func (r *outbound) leave() {
	t := r.agent.table
	t.mu.Lock()
	t.remove(r)
	t.mu.Unlock()
	r.show(func(s *Registration) { s.State, s.Until, s.Next = Unregistered, time.Time{}, time.Time{} })
}

func (r *outbound) guard(do func()) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("sip: a registration failed by an error of ours; this is a bug", "panic", p, "stack", string(debug.Stack()))
			r.tx, r.next = nil, time.Now().Add(retryRefused)
		}
	}()
	do()
}

func (r *outbound) handle(item any) {
	switch item := item.(type) {
	case wire.Inbound:
		res := item.Response
		if r.tx == nil || !r.tx.Matches(res) || !r.tx.Receive(res, time.Now()) || res.StatusCode < 200 {
			return
		}
		r.answered(res)
	case func():
		item()
	}
}

func (r *outbound) deadline() time.Time {
	d := alarm.Sooner(r.next, r.ping)
	if r.tx != nil {
		d = alarm.Sooner(d, r.tx.Deadline())
	}
	return d
}

func (r *outbound) expire(now time.Time) {
	if r.tx != nil && r.tx.Expire(now) {
		r.answered(made(r.tx.Request, 408))
	}
	if alarm.Due(r.ping, now) {
		r.ping = now.Add(pingEvery)
		r.agent.wire.KeepAlive(r.flow) //nolint:errcheck // the next refresh will show what is wrong
	}
	if alarm.Due(r.next, now) {
		r.next, r.tries = time.Time{}, 0
		r.begin()
	}
}

// begin registers: where it worked last, else at the first of the peer's
// addresses.
func (r *outbound) begin() {
	if r.flow.Valid() {
		r.send("", "")
		return
	}
	uri, a := r.registrar(), r.agent
	a.running.Go(func() { // ends with the look-up
		list, err := a.destinations(a.ctx, uri)
		r.in.Put(func() {
			if err != nil {
				r.failed(0, fmt.Sprintf("%s has no address: %v: check proxy%s", uri.Host, err, r.at()), retryLost)
				return
			}
			if r.places = list; !r.tryNext() {
				r.failed(0, fmt.Sprintf("%s can't be reached: check proxy%s", r.peer.Host, r.at()), retryLost)
			}
		})
	})
}

// tryNext turns to the next of the peer's addresses; false: there is none.
func (r *outbound) tryNext() bool {
	for len(r.places) > 0 {
		to := r.places[0]
		r.places = r.places[1:]
		flow, err := r.agent.wire.FlowTo(to.Transport, to.Address)
		if err != nil {
			r.log.Info("no way to the peer", "address", to.Address, "err", err)
			continue
		}
		r.flow, r.old = flow, false
		r.send("", "")
		return true
	}
	return false
}

// registrar is the Request-URI: the peer, without a user (RFC 3261 §10.2).
func (r *outbound) registrar() sip.Uri {
	u, _ := r.peer.uri("") // no host has no address, which is told
	return u
}

// send sends a REGISTER, with credentials if they are given.
func (r *outbound) send(header, credentials string) {
	a := r.agent
	r.cseq++
	uri := r.registrar()
	uri.UriParams = nil
	req := sip.NewRequest(sip.REGISTER, uri)
	req.AppendHeader(a.via(r.flow, r.tag))
	req.AppendHeader(maxForwards(0))
	own := sip.Uri{Scheme: "sip", User: userPart(r.peer.User), Host: cmp.Or(r.peer.FromDomain, uri.Host)}
	from := &sip.FromHeader{Address: own}
	from.Params.Add("tag", r.tag)
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: own})
	id := sip.CallIDHeader(r.callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: r.cseq, MethodName: sip.REGISTER})
	seconds := "0"
	if !r.leaving {
		seconds = whole(r.ask)
	}
	contact := &sip.ContactHeader{Address: contactOn(r.flow, contactUser(own.User))}
	contact.Params.Add("expires", seconds)
	req.AppendHeader(contact)
	with(req, "Expires", seconds, "Allow", a.allow(), "User-Agent", a.cfg.Product, header, credentials)
	req.SetBody(nil)
	flow := r.flow
	r.tx = &request{
		Client: txn.NewClient(req, flow.Reliable(), a.cfg.Timing, func(m sip.Message) error { return a.send(m, flow) }), flow: flow,
	}
	now := time.Now()
	if err := r.tx.Start(now); err != nil {
		r.answered(made(req, 503))
		return
	}
	if len(r.places) > 0 || r.old {
		r.tx.GiveUpAt(now.Add(a.failoverAfter()))
	}
}

// lost registers again soon after the connection that we registered on has
// ended: nothing reaches us until then (RFC 5626 §4.2.2).
func (r *outbound) lost(f wire.Flow) {
	if f != r.flow {
		return
	}
	if r.tx != nil {
		r.answered(made(r.tx.Request, 503))
		return
	}
	if r.failures == 0 {
		r.log.Info("the connection to the peer has ended; registering again")
		r.flow, r.old, r.next = wire.Flow{}, false, time.Now().Add(reconnectWait)
		r.show(func(s *Registration) { s.State, s.Next = Registering, r.next })
	}
}

// unregister takes the registration back, if there is one.
func (r *outbound) unregister() {
	asked := r.tx != nil // and may be granted
	r.leaving, r.next, r.tx, r.ping, r.tries = true, time.Time{}, nil, time.Time{}, 0
	if s := r.now(); r.flow.Valid() && (asked || s.State == Registered) {
		r.send("", "")
	}
}
