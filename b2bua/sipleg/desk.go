package sipleg

import (
	"container/heap"
	"fmt"
	"runtime/debug"
	"time"

	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/alarm"
	"crosspoint/internal/inbox"
	"github.com/emiago/sipgo/sip"
)

// A desk serves what belongs to no call: REGISTER, OPTIONS, requests of dialogs
// that nobody knows, phones' subscriptions, and the tombstones of calls that are
// over.
type desk struct {
	agent *Agent
	in    *inbox.Inbox[deskItem]

	// These belong to run.
	tombs   tombHeap
	answers map[string]answer // to requests outside of calls, for their repetitions
	order   []expiring        // of answers, oldest first

	notifier notifier // of messages that wait (mwi_notifier.go)
}

// A deskItem is one of: a message, with the tombstone that it is for if any;
// a tombstone to keep; a connection that has ended; something to do.
type deskItem struct {
	in   wire.Inbound
	tomb *tombstone
	bury bool
	lost wire.Flow
	do   func()
}

type answer struct {
	res  *sip.Response
	flow wire.Flow
}

type expiring struct {
	key string
	at  time.Time
}

// maxAnswers bounds what strangers can make the desk remember.
const maxAnswers = 50000

func newDesk(a *Agent) *desk {
	return &desk{agent: a, in: inbox.New[deskItem](), answers: make(map[string]answer), notifier: notifier{agent: a}}
}

func (d *desk) take(in wire.Inbound, tomb *tombstone) { d.in.Put(deskItem{in: in, tomb: tomb}) }

// run owns the desk until the agent is closed.
func (d *desk) run() {
	due := alarm.New()
	defer due.Stop()
	for {
		due.Set(d.deadline())
		select {
		case <-d.in.Ready():
			for item, ok := d.in.Take(); ok; item, ok = d.in.Take() {
				d.guard(item.in, func() { d.serve(item) })
			}
		case <-due.C():
		case <-d.agent.ctx.Done():
			return
		}
		d.guard(wire.Inbound{}, func() { d.expire(time.Now()) })
	}
}

// guard keeps a message that no one foresaw from ending the process.
func (d *desk) guard(in wire.Inbound, do func()) {
	defer func() {
		if r := recover(); r != nil {
			text := ""
			if in.Request != nil || in.Response != nil {
				text = in.Message().String()
			}
			d.agent.log.Error("sip: a request was not handled; this is a bug", "panic", r, "message", text, "stack", string(debug.Stack()))
		}
	}()
	do()
}

// deadline is when something is due; zero: nothing is.
func (d *desk) deadline() (next time.Time) {
	if len(d.tombs) > 0 {
		next = d.tombs[0].deadline
	}
	if len(d.order) > 0 {
		next = alarm.Sooner(next, d.order[0].at)
	}
	return alarm.Sooner(next, d.notifier.deadline())
}

func (d *desk) expire(now time.Time) {
	for len(d.tombs) > 0 && !now.Before(d.tombs[0].deadline) {
		t := d.tombs[0]
		if t.expire(now) {
			d.forget(t)
		} else {
			heap.Fix(&d.tombs, t.index)
		}
	}
	for len(d.order) > 0 && !now.Before(d.order[0].at) {
		delete(d.answers, d.order[0].key)
		d.order = d.order[1:]
	}
	if len(d.order) == 0 {
		d.order = nil
	}
	d.notifier.expire(now)
}

func (d *desk) serve(item deskItem) {
	now := time.Now()
	switch t := item.tomb; {
	case item.lost.Valid():
		if r := d.agent.cfg.Registrar; r != nil {
			r.FlowLost(item.lost)
		}
		d.notifier.lost(item.lost, now)
	case item.do != nil:
		item.do()
	case item.bury:
		if t.settle() {
			d.forget(t)
		} else {
			heap.Push(&d.tombs, t)
		}
	case t != nil && t.index >= 0:
		t.receive(item.in, now)
		if t.settle() {
			d.forget(t)
		} else {
			heap.Fix(&d.tombs, t.index)
		}
	case item.in.Request != nil:
		d.request(item.in, now)
	}
}

// forget removes a tombstone whose last timer has run out.
func (d *desk) forget(t *tombstone) {
	if t.index >= 0 && t.index < len(d.tombs) && d.tombs[t.index] == t {
		heap.Remove(&d.tombs, t.index)
	}
	t.index = -1
	table := d.agent.table
	table.mu.Lock()
	table.remove(t)
	table.mu.Unlock()
}

// request answers a request outside of any call. Its repetitions within 32 s
// (timer J, RFC 3261 §17.2.2) get the same answer.
func (d *desk) request(in wire.Inbound, now time.Time) {
	req := in.Request
	if req.Method == sip.ACK {
		return // of a challenge, or of a call that is long over
	}
	key := answerKey(req)
	if old, ok := d.answers[key]; ok && req.Method != sip.INVITE {
		d.send(old.res, old.flow)
		return
	}
	res := d.respond(in)
	if res == nil {
		return
	}
	flow, err := d.agent.wire.ResponseFlow(req, in.Flow)
	if err != nil {
		d.agent.log.Debug("sip: no way to answer", "err", err)
		return
	}
	if req.Method != sip.INVITE && len(d.order) < maxAnswers {
		d.answers[key] = answer{res, flow}
		d.order = append(d.order, expiring{key, now.Add(d.agent.cfg.Timing.Timeout())})
	}
	d.send(res, flow)
}

// answerKey tells requests outside of calls apart. A branch of another sender
// may be the same by chance or by malice, so the source is part of it.
func answerKey(req *sip.Request) string {
	via := req.Via()
	branch, _ := txn.Branch(via)
	return fmt.Sprintf("%s|%s|%s:%d|%s|%d|%s", req.Method, branch, via.Host, via.Port, callID(req), seqOf(req), fromTag(req)+toTag(req))
}

func (d *desk) send(msg sip.Message, flow wire.Flow) {
	d.agent.send(msg, flow) //nolint:errcheck // logged there; the peer will ask again
}

// respond is what a request outside of any call is answered; nil: nothing.
func (d *desk) respond(in wire.Inbound) *sip.Response {
	req := in.Request
	tag := d.agent.statelessTag(req)
	if s := d.notifier.of(req); s != nil {
		return s.respond(in)
	}
	if toTag(req) != "" && req.Method != sip.REGISTER {
		return response(req, 481, "", tag) // RFC 3261 §12.2.2
	}
	switch req.Method {
	case sip.REGISTER:
		return d.agent.register(in, tag)
	case sip.OPTIONS:
		return d.agent.options(req, tag)
	case sip.INVITE:
		return d.agent.unavailable(req, tag)
	case sip.CANCEL, sip.BYE, sip.PRACK, sip.UPDATE, sip.INFO:
		return response(req, 481, "", tag)
	case sip.NOTIFY:
		return d.notifier.notified(in, tag)
	case sip.REFER:
		return response(req, 403, "REFER Only Within A Call", tag)
	case sip.SUBSCRIBE:
		return d.notifier.subscribe(in, tag)
	}
	res := response(req, 405, "", tag)
	with(res, "Allow", d.agent.allow())
	return res
}
