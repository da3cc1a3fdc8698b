package sipleg

import (
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// A tombstone is what remains of a leg: transactions that must still serve
// repetitions, for at most 32 s. It belongs to the desk.
type tombstone struct {
	identity
	agent   *Agent
	name    string
	ladder  *leg.Ladder // nil once nothing new can come
	clients []*request
	servers []*server
	forks   []*dialog // of our INVITE: whose 2xx was acknowledged, with how
	invite  *request  // ours, for the forks that answer late; nil: none

	deadline time.Time
	index    int // in the desk's heap; -1: not there
}

func (t *tombstone) id() *identity        { return &t.identity }
func (t *tombstone) take(in wire.Inbound) { t.agent.desk.take(in, t) }
func (t *tombstone) talks() bool          { return false }

// settle drops what has run out and finds the next deadline. It tells whether
// nothing is left.
func (t *tombstone) settle(time.Time) (empty bool) {
	t.clients = keep(t.clients, func(r *request) bool { return r.State() != txn.Terminated })
	t.servers = keep(t.servers, func(s *server) bool { return s.State() != txn.Terminated })
	var next time.Time
	waiting := false
	for _, r := range t.clients {
		next = sooner(next, r.Deadline())
		waiting = waiting || !r.Answered()
	}
	for _, s := range t.servers {
		next = sooner(next, s.Deadline())
		waiting = waiting || s.State() == txn.Completed && s.Request.Method == sip.INVITE
	}
	if !waiting {
		t.ladder = nil
	}
	t.deadline = next
	return next.IsZero()
}

func (t *tombstone) expire(now time.Time) (empty bool) {
	for _, r := range t.clients {
		r.Expire(now)
	}
	for _, s := range t.servers {
		s.Expire(now)
	}
	return t.settle(now)
}

func (t *tombstone) receive(in wire.Inbound, now time.Time) {
	if in.Response != nil {
		t.response(in.Response, now)
		return
	}
	req := in.Request
	for _, s := range t.servers {
		if s.Matches(req) {
			if req.Method == sip.ACK && s.State() == txn.Completed {
				t.ladder.In(t.name, "ACK")
			}
			s.Receive(req, now)
			return
		}
	}
	if req.Method == sip.ACK {
		return
	}
	status := 481
	for _, s := range t.servers {
		if s.Cancels(req) {
			status = 200 // it came too late to change anything (RFC 3261 §9.2)
		} else if req.Method == sip.INVITE && toTag(req) == "" && s.Request.Method == sip.INVITE {
			status = 482 // merged (RFC 3261 §8.2.2.2)
		}
	}
	s := t.agent.serve(in)
	if req.Method != sip.INVITE {
		t.servers = append(t.servers, s)
	}
	s.Respond(response(req, status, "", t.tag), now) //nolint:errcheck // logged where it is sent
}

func (t *tombstone) response(res *sip.Response, now time.Time) {
	for _, r := range t.clients {
		if !r.Matches(res) {
			continue
		}
		fresh := !r.Answered()
		if up := r.Receive(res, now); !up {
			return
		}
		if fresh {
			t.ladder.In(t.name, drawStatus(res))
		}
		if r.Request.Method == sip.INVITE && res.StatusCode >= 200 && res.StatusCode < 300 {
			t.lateAnswer(res, now)
		}
		return
	}
}

// lateAnswer acknowledges a 2xx: again, if it is a repetition; and with a BYE
// behind if it is another fork's, whom nobody wants any more (RFC 3261 §13.2.2.4).
func (t *tombstone) lateAnswer(res *sip.Response, now time.Time) {
	for _, d := range t.forks {
		if d.remoteTag == toTag(res) {
			d.acknowledgeAgain()
			return
		}
	}
	d := t.invite.dialog.fork(res)
	t.forks = append(t.forks, d)
	ladder := t.ladder
	ladder.In(t.name, drawStatus(res))
	d.acknowledge(t.invite.Request, nil)
	ladder.Out(t.name, "ACK")
	bye := d.newRequest(sip.BYE)
	ladder.Out(t.name, "BYE")
	r := t.agent.client(d, bye)
	if r.Start(now) == nil {
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

// sooner is the earlier of two deadlines; zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
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
