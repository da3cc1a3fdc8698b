package sipleg

import (
	"strings"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// A tombstone is what remains of a leg for at most 32 s: answers to what may be
// repeated. It belongs to the desk. There are as many as calls ended in that
// time, so it is small: messages are kept as bytes, and only those that may be
// sent again.
type tombstone struct {
	identity
	agent   *Agent
	name    string
	ladder  *leg.Ladder // nil once nothing new can come
	settled settled
	clients []*request // ours that still wait for a response
	acks    []ackOf    // of 2xx to our INVITEs

	deadline time.Time
	index    int // in the desk's heap; -1: not there
}

// ackOf is how the 2xx of one far end is acknowledged.
type ackOf struct {
	tag  string // of the far end
	seq  uint32
	ack  []byte
	flow wire.Flow
}

func (t *tombstone) id() *identity        { return &t.identity }
func (t *tombstone) take(in wire.Inbound) { t.agent.desk.take(in, t) }
func (t *tombstone) talks() bool          { return false }

// tombstone is what must outlive the leg; nil: nothing.
func (l *Leg) tombstone() *tombstone {
	if l.inv.forgotten {
		return nil
	}
	t := &tombstone{identity: l.identity, agent: l.agent, name: l.name, ladder: l.ladder, settled: l.settled, index: -1}
	giveUp := time.Now().Add(l.agent.cfg.Timing.Timeout())
	for _, r := range l.clients {
		r.on = nil
		if left, ok := r.Remains(encoded); ok {
			t.settled = append(t.settled, remains{left, r.flow})
		} else if !r.Answered() && r.State() != txn.Terminated {
			r.GiveUpAt(giveUp)
			t.clients = append(t.clients, r)
		}
	}
	for _, s := range l.servers {
		if left, ok := s.Remains(encoded); ok {
			t.settled = append(t.settled, remains{left, s.flow})
		}
	}
	if len(t.settled) == 0 && len(t.clients) == 0 {
		return nil
	}
	if d := l.dialog; d != nil && d.ack != nil {
		t.acks = []ackOf{d.acked()}
	}
	for _, d := range l.out.losers {
		t.acks = append(t.acks, d.acked())
	}
	return t
}

// acked is how the dialog's 2xx is acknowledged. The tag is a copy: it is part of
// the text of a whole message.
func (d *dialog) acked() ackOf { return ackOf{strings.Clone(d.remoteTag), d.ackSeq, d.ack, d.flow} }

// encoded is a message as it goes over the wire.
func encoded(msg sip.Message) []byte {
	b, err := wire.Bytes(msg)
	if err != nil { // it was sent before, so it can be
		return nil
	}
	return b
}

// settle drops what has run out and finds the next deadline. It tells whether
// nothing is left.
func (t *tombstone) settle() (empty bool) {
	t.clients = keep(t.clients, func(r *request) bool { return r.State() != txn.Terminated })
	next := t.settled.deadline()
	for _, r := range t.clients {
		next = alarm.Sooner(next, r.Deadline())
	}
	if len(t.clients) == 0 && !t.waiting() {
		t.ladder = nil
	}
	t.deadline = next
	return next.IsZero()
}

// waiting tells that a refusal has not been acknowledged yet.
func (t *tombstone) waiting() bool {
	for i := range t.settled {
		if t.settled[i].Waiting() {
			return true
		}
	}
	return false
}

func (t *tombstone) expire(now time.Time) (empty bool) {
	for _, r := range t.clients {
		r.Expire(now)
	}
	t.settled.expire(t.agent, now)
	return t.settle()
}

func (t *tombstone) receive(in wire.Inbound, now time.Time) {
	if in.Response != nil {
		t.response(in.Response, now)
		return
	}
	req := in.Request
	waited := t.waiting()
	if t.settled.repeated(t.agent, req, now) {
		if waited && !t.waiting() {
			t.ladder.In(t.name, "ACK")
		}
		return
	}
	if req.Method != sip.ACK {
		t.refuse(in, now)
	}
}

// refuse answers a request that is no repetition: there is no call any more.
func (t *tombstone) refuse(in wire.Inbound, now time.Time) {
	req := in.Request
	status := 481
	if t.settled.cancelled(req) {
		status = 200 // it came too late to change anything (RFC 3261 §9.2)
	} else if req.Method == sip.INVITE && toTag(req) == "" && t.settled.invited() {
		status = 482 // merged (RFC 3261 §8.2.2.2)
	}
	s := t.agent.serve(in)
	s.Respond(response(req, status, "", t.tag), now) //nolint:errcheck // logged where it is sent
	if left, ok := s.Remains(encoded); ok && req.Method != sip.INVITE && len(t.settled) < maxRemains {
		t.settled = append(t.settled, remains{left, s.flow})
	}
}

// maxRemains bounds what a party can make a tombstone remember.
const maxRemains = 30

func (t *tombstone) response(res *sip.Response, now time.Time) {
	for _, r := range t.clients {
		if !r.Matches(res) {
			continue
		}
		if r.Receive(res, now) {
			r.draw(t.ladder, t.name, res)
		}
		if r.Request.Method == sip.INVITE && res.StatusCode >= 200 && res.StatusCode < 300 {
			t.accepted(res, r.flow, now)
		}
		return
	}
	if r := t.settled.accepted(res); r != nil {
		t.accepted(res, r.flow, now)
		return
	}
	t.settled.repeated(t.agent, res, now)
}

// accepted acknowledges a 2xx: again, if it is a repetition; and with a BYE
// behind if it is another fork's, whom nobody wants any more (RFC 3261
// §13.2.2.4).
func (t *tombstone) accepted(res *sip.Response, flow wire.Flow, now time.Time) {
	known := false
	for _, a := range t.acks {
		if a.tag != toTag(res) {
			continue
		}
		if known = true; a.seq == seqOf(res) {
			t.agent.sendAgain(a.ack, a.flow)
			return
		}
	}
	if known && len(t.clients) == 0 || len(t.acks) >= maxForks {
		return
	}
	// Its early dialog may have seen PRACKs of ours: the BYE's number is beyond them.
	half := &dialog{agent: t.agent, callID: t.callID, localTag: t.tag, localSeq: seqOf(res) + 1000, flow: flow}
	if from := res.From(); from != nil {
		half.local = address{from.DisplayName, from.Address}
	}
	if to := res.To(); to != nil {
		half.remote = address{to.DisplayName, to.Address}
		half.target = to.Address
	}
	d := half.fork(res)
	d.acknowledge(seqOf(res), nil, nil)
	t.acks = append(t.acks, d.acked())
	if known { // the answer to a re-INVITE of a call that is over
		return
	}
	t.ladder.In(t.name, drawStatus(res))
	t.ladder.Out(t.name, "ACK")
	t.ladder.Out(t.name, "BYE")
	if r := t.agent.client(d, d.newRequest(sip.BYE)); r.Start(now) == nil {
		t.clients = append(t.clients, r)
	}
}

// keep removes what the test denies, in place.
func keep[T any](list []T, test func(T) bool) []T {
	n := 0
	for _, e := range list {
		if test(e) {
			list[n] = e
			n++
		}
	}
	clear(list[n:])
	if n == 0 {
		return nil
	}
	return list[:n]
}

// tombHeap orders tombstones by deadline (container/heap).
type tombHeap []*tombstone

func (h tombHeap) Len() int           { return len(h) }
func (h tombHeap) Less(i, j int) bool { return h[i].deadline.Before(h[j].deadline) }
func (h tombHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *tombHeap) Push(x any) {
	t := x.(*tombstone)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *tombHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
