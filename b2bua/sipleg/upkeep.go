package sipleg

import (
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

// An upkeep is something of ours at a peer that is kept up until the agent is
// stopped or the peer is changed, and given back then: a registration
// (outbound.go) or a subscription (mwi_mailbox.go). It finds the way, answers
// challenges, renews in time, and tries again what has failed. Its fields belong
// to run, except those marked otherwise.
type upkeep struct {
	identity                              // changes only under the table's lock
	agent    *Agent                       // does not change
	terms    terms                        // does not change
	kind     kept                         // does not change
	client   *registrar.Client            // does not change; nil: no secret
	log      *slog.Logger                 // does not change
	in       *inbox.Inbox[any]            // wire.Inbound or func()
	shown    atomic.Pointer[Registration] // read by anyone; of a subscription too
	done     chan struct{}                // closed as run returns

	peer     *Peer         // as the file has it now
	flow     wire.Flow     // to the peer; not valid: to be looked up
	old      bool          // the flow worked before: if it does not now, another may
	places   []Destination // not yet tried
	tx       *request      // on its way; nil: none
	tries    int           // of it with credentials
	ask      time.Duration // for which time
	next     time.Time     // when to renew it; zero: something is on its way
	ping     time.Time     // when to hold the NAT's binding open; zero: there is no NAT
	failures int           // in a row
	leaving  bool
}

// kept is what makes one kind of upkeep another.
type kept interface {
	owner
	// name is what messages call it: "registration".
	name() string
	// place is where its requests go if no way is known, as a URI.
	place() sip.Uri
	// compose makes the next request, on the upkeep's flow.
	compose() *sip.Request
	// granted takes a 2xx.
	granted(res *sip.Response)
	// handles takes a final response that is neither a success nor a challenge nor a
	// failure on the way; false: it is a refusal like any other.
	handles(res *sip.Response) bool
	// unheard is told that the peer does not answer any more where it did before.
	unheard()
	// received takes a request of the peer.
	received(in wire.Inbound)
	// alarm is when there is more to do than for all kinds, by work; zero: there is not.
	alarm() time.Time
	work(now time.Time)
	// held tells whether there is something to give back; asked: the answer to a
	// request for it had not come.
	held(asked bool) bool
	// left tells that nothing more is to be waited for after that.
	left() bool
}

// Times of what is kept up.
const (
	retryLost     = 30 * time.Second // base of the wait after no answer (RFC 5626 §4.5)
	retryRefused  = 2 * time.Minute  // after a refusal, which won't mend itself so soon
	retryAtMost   = 30 * time.Minute
	retryStanding = 5 * time.Second  // while what was granted before still stands, at the least
	reconnectWait = 2 * time.Second  // after the connection was lost
	pingEvery     = 25 * time.Second // NATs forget UDP after 30 s (RFC 4787 §4.3 asks for 120)
)

func newUpkeep(a *Agent, p *Peer, t terms) *upkeep {
	u := &upkeep{
		identity: identity{callID: newTag(), tag: newTag()}, agent: a, peer: p, terms: t, client: a.known().clients[p.Name],
		log: a.log.With("peer", p.Name), in: inbox.New[any](), done: make(chan struct{}), next: time.Now(),
	}
	u.shown.Store(&Registration{Peer: p.Name, State: Registering})
	return u
}

// id and talks make an upkeep an owner of responses.
func (u *upkeep) id() *identity { return &u.identity }
func (u *upkeep) talks() bool   { return false }

// run owns the upkeep until it is given back or the agent is closed.
func (u *upkeep) run() {
	defer close(u.done)
	defer u.leave()
	due := alarm.New()
	due.Set(time.Now())
	defer due.Stop()
	for {
		select {
		case <-u.in.Ready():
			for item, ok := u.in.Take(); ok; item, ok = u.in.Take() {
				u.guard(func() { u.handle(item) })
			}
		case <-due.C():
		case <-u.agent.ctx.Done():
			return
		}
		u.guard(func() { u.expire(time.Now()) })
		if u.leaving && u.tx == nil && u.kind.left() {
			return
		}
		due.Set(u.deadline())
	}
}

// leave takes the upkeep out of the table.
func (u *upkeep) leave() {
	t := u.agent.table
	t.mu.Lock()
	t.remove(u.kind)
	t.mu.Unlock()
	u.show(func(s *Registration) { s.State, s.Until, s.Next = Unregistered, time.Time{}, time.Time{} })
}

func (u *upkeep) guard(do func()) {
	defer func() {
		if p := recover(); p != nil {
			u.log.Error("sip: a "+u.kind.name()+" failed by an error of ours; this is a bug", "panic", p, "stack", string(debug.Stack()))
			u.tx, u.next = nil, time.Now().Add(retryRefused)
		}
	}()
	do()
}

func (u *upkeep) handle(item any) {
	switch item := item.(type) {
	case wire.Inbound:
		if item.Request != nil {
			u.kind.received(item)
			return
		}
		res := item.Response
		if u.tx == nil || !u.tx.Matches(res) || !u.tx.Receive(res, time.Now()) || res.StatusCode < 200 {
			return
		}
		u.answered(res)
	case func():
		item()
	}
}

func (u *upkeep) deadline() time.Time {
	d := alarm.Sooner(u.next, u.ping, u.kind.alarm())
	if u.tx != nil {
		d = alarm.Sooner(d, u.tx.Deadline())
	}
	return d
}

func (u *upkeep) expire(now time.Time) {
	if u.tx != nil && u.tx.Expire(now) {
		u.answered(made(u.tx.Request, 408))
	}
	if alarm.Due(u.ping, now) {
		u.ping = now.Add(pingEvery)
		u.agent.wire.KeepAlive(u.flow) //nolint:errcheck // the next refresh will show what is wrong
	}
	u.kind.work(now)
	if alarm.Due(u.next, now) {
		u.next, u.tries = time.Time{}, 0
		u.begin()
	}
}

// begin sends a request: where it worked last, else to the first of the peer's
// addresses.
func (u *upkeep) begin() {
	if u.flow.Valid() {
		u.send("", "")
		return
	}
	uri, a := u.kind.place(), u.agent
	a.running.Go(func() { // ends with the look-up
		list, err := a.destinations(a.ctx, uri)
		u.in.Put(func() {
			if err != nil {
				u.failed(0, fmt.Sprintf("%s has no address: %v: check proxy%s", uri.Host, err, u.at()), retryLost)
				return
			}
			if u.places = list; !u.tryNext() {
				u.failed(0, fmt.Sprintf("%s can't be reached: check proxy%s", u.peer.Host, u.at()), retryLost)
			}
		})
	})
}

// tryNext turns to the next of the peer's addresses; false: there is none.
func (u *upkeep) tryNext() bool {
	for len(u.places) > 0 {
		to := u.places[0]
		u.places = u.places[1:]
		flow, err := u.agent.wire.FlowTo(to.Transport, to.Address)
		if err != nil {
			u.log.Info("no way to the peer", "address", to.Address, "err", err)
			continue
		}
		u.flow, u.old = flow, false
		u.send("", "")
		return true
	}
	return false
}

// send sends the next request, with credentials if they are given.
func (u *upkeep) send(header, credentials string) {
	req := u.kind.compose()
	with(req, header, credentials)
	a, flow := u.agent, u.flow
	u.tx = &request{
		Client: txn.NewClient(req, flow.Reliable(), a.cfg.Timing, func(m sip.Message) error { return a.send(m, flow) }), flow: flow,
	}
	now := time.Now()
	if err := u.tx.Start(now); err != nil {
		u.answered(made(req, 503))
		return
	}
	if len(u.places) > 0 || u.old {
		u.tx.GiveUpAt(now.Add(a.failoverAfter()))
	}
}

// lost renews soon after the connection to the peer has ended: nothing reaches us
// until then (RFC 5626 §4.2.2).
func (u *upkeep) lost(f wire.Flow) {
	if f != u.flow {
		return
	}
	if u.tx != nil {
		u.answered(made(u.tx.Request, 503))
		return
	}
	if u.failures == 0 && !u.leaving {
		u.log.Info("the connection to the peer has ended; the " + u.kind.name() + " is renewed")
		u.flow, u.old, u.next = wire.Flow{}, false, time.Now().Add(reconnectWait)
		u.show(func(s *Registration) { s.State, s.Next = Registering, u.next })
	}
}

// giveBack ends what stands at the peer, if anything does.
func (u *upkeep) giveBack() {
	asked := u.tx != nil // and may be granted
	u.leaving, u.next, u.tx, u.ping, u.tries = true, time.Time{}, nil, time.Time{}, 0
	if u.flow.Valid() && u.kind.held(asked) {
		u.log.Info("the " + u.kind.name() + " is given back")
		u.send("", "")
	}
}
