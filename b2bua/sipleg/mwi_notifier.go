package sipleg

import (
	"slices"
	"sync/atomic"
	"time"

	"crosspoint/b2bua/mwi"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// messageSummary is the event package of message waiting (RFC 3842 §3.1).
const messageSummary = "message-summary"

// A notifier tells phones which messages wait for them (RFC 3842): those that
// subscribe, in their subscription, and the others by unsolicited NOTIFYs. It
// belongs to the desk, except board and count.
type notifier struct {
	agent *Agent
	board *mwi.Board   // nil: there is no message waiting
	count atomic.Int64 // of subscriptions

	subs   map[string][]*subscription // by extension, oldest first
	others map[string][]*unsolicited  // phones that were not heard to subscribe, by extension
	tasks  tasks
	parted chan struct{} // closed once all subscriptions have ended; nil: they may go on
}

// watch begins to hear of the board's changes.
func (n *notifier) watch() {
	a := n.agent
	if n.board = a.cfg.Messages; n.board == nil {
		return
	}
	n.subs, n.others = make(map[string][]*subscription), make(map[string][]*unsolicited)
	var begun atomic.Bool // what is known already, phones are told as they subscribe and register
	n.board.Watch(func(extension string, _ mwi.Summary) {
		if begun.Load() && a.ctx.Err() == nil {
			a.desk.in.Put(deskItem{do: func() { n.changed(extension) }})
		}
	})
	begun.Store(true)
}

// changed tells the phones of an extension.
func (n *notifier) changed(extension string) {
	now := time.Now()
	if subs := n.active(extension); len(subs) > 0 {
		for _, s := range subs {
			s.tell(now)
		}
		return
	}
	n.tellUnsolicited(extension, now)
}

// active are the subscriptions of an extension that have not ended.
func (n *notifier) active(extension string) []*subscription {
	var list []*subscription
	for _, s := range n.subs[extension] {
		if s.reason == "" {
			list = append(list, s)
		}
	}
	return list
}

// part ends all subscriptions, for the exchange is being stopped; done is closed
// when all phones have answered, or don't.
func (n *notifier) part(done chan struct{}) {
	n.parted = done
	now := time.Now()
	for _, list := range n.subs {
		for _, s := range list {
			s.end(restarting, now)
		}
	}
	n.empty()
}

// empty tells whoever waits for it that no subscription is left.
func (n *notifier) empty() {
	if n.parted != nil && len(n.subs) == 0 {
		close(n.parted)
		n.parted = nil
	}
}

// partWithPhones ends the subscriptions of phones. It waits until they have
// answered, but no longer than for an answer that comes over a network of today.
func (a *Agent) partWithPhones() {
	n := &a.desk.notifier
	if n.board == nil {
		return
	}
	done := make(chan struct{})
	a.desk.in.Put(deskItem{do: func() { n.part(done) }})
	late := time.NewTimer(2 * a.cfg.Timing.T1)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
	case <-a.ctx.Done():
	}
}

// of finds whose dialog a request is in; nil: nobody's.
func (n *notifier) of(req *sip.Request) *subscription {
	id, tag := callID(req), toTag(req)
	if tag == "" || n.board == nil {
		return nil
	}
	n.agent.table.mu.Lock()
	s, _ := n.agent.table.tags[tag].(*subscription)
	n.agent.table.mu.Unlock()
	if s == nil || s.callID != id {
		return nil
	}
	return s
}

// deadline is when something is due; zero: nothing is.
func (n *notifier) deadline() time.Time { return n.tasks.deadline() }

func (n *notifier) expire(now time.Time) {
	for t := n.tasks.due(now); t != nil; t = n.tasks.due(now) {
		t.do(now)
	}
}

// enter makes an owner known to the table, leave takes it out again.
func (n *notifier) enter(o owner) {
	t := n.agent.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(o)
}

func (n *notifier) leave(o owner) {
	t := n.agent.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(o)
}

// bodyTo writes what is known of an extension's messages into a NOTIFY that
// takes a flow. The account is the extension's address of record.
func (n *notifier) bodyTo(req *sip.Request, extension string, flow wire.Flow) {
	kind := sip.ContentTypeHeader(mwi.ContentType)
	req.AppendHeader(&kind)
	account := n.agent.record(extension, flow)
	req.SetBody(n.board.Of(extension).Body(account.String()))
}

// record is an extension's address of record.
func (a *Agent) record(extension string, flow wire.Flow) sip.Uri {
	return sip.Uri{Scheme: "sip", User: userPart(extension), Host: a.domain(flow)}
}

// without removes an element from one of the lists of a map, and the list with
// its last one.
func without[E comparable](m map[string][]E, key string, e E) {
	rest := slices.DeleteFunc(m[key], func(o E) bool { return o == e })
	if len(rest) == 0 {
		delete(m, key)
	} else {
		m[key] = rest
	}
}

// lost gives up what waits for an answer on a connection that has ended.
func (n *notifier) lost(f wire.Flow, now time.Time) {
	for _, list := range n.subs {
		for _, s := range slices.Clone(list) {
			s.lost(f, now)
		}
	}
	for _, list := range n.others {
		for _, u := range list {
			u.lost(f, now)
		}
	}
}
