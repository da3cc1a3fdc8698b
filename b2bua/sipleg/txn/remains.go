package txn

import (
	"fmt"
	"strings"
	"time"

	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// Remains is what is left of a transaction whose outcome is known: enough to
// serve repetitions until the last timer runs out, and nothing more. The
// messages themselves are given up; what must be sent again is kept as it goes
// over the wire.
type Remains struct {
	id       string // of the transaction, as idOf makes it
	method   sip.RequestMethod
	client   bool
	state    State
	again    []byte // what a repetition is answered with; nil: it is absorbed
	interval time.Duration
	repeat   time.Time // timer G; zero: nothing is repeated unasked
	end      time.Time
}

// Remains gives the transaction up for what is left of it. False: nothing is, or
// it is not decided yet. Encode makes a message what it is on the wire.
func (s *Server) Remains(encode func(sip.Message) []byte) (Remains, bool) {
	if !s.Answered() || s.state == Terminated {
		return Remains{}, false
	}
	r := Remains{id: idOf(s.Request), method: methodOf(s.Request), state: s.state, interval: s.interval, repeat: s.repeat, end: s.end}
	if s.state == Completed {
		r.again = encode(s.last)
	}
	return r, true
}

// Remains gives the transaction up for what is left of it: that of an INVITE
// alone, as repeated responses to others need no answer.
func (c *Client) Remains(encode func(sip.Message) []byte) (Remains, bool) {
	if !c.invite || !c.answered || c.state == Terminated {
		return Remains{}, false
	}
	r := Remains{id: idOf(c.Request), method: methodOf(c.Request), client: true, state: c.state, end: c.end}
	if c.state == Completed {
		r.again = encode(c.ack)
	}
	return r, true
}

// methodOf is a request's method by itself: as it was received it is part of the
// text of the whole message, and would keep that.
func methodOf(req *sip.Request) sip.RequestMethod {
	if req.Method == sip.INVITE {
		return sip.INVITE
	}
	return sip.RequestMethod(strings.Clone(string(req.Method)))
}

// idOf is what SameTransaction compares.
func idOf(req *sip.Request) string {
	via := req.Via()
	if via == nil {
		return ""
	}
	if branch, ok := Branch(via); ok {
		return fmt.Sprintf("%s|%s|%d", branch, via.Host, via.Port)
	}
	cseq := req.CSeq()
	if cseq == nil {
		return ""
	}
	return fmt.Sprintf("|%d|%s", cseq.SeqNo, fromTag(req))
}

// Waiting tells that the ACK of a refusal has not come yet.
func (r *Remains) Waiting() bool { return !r.client && r.method == sip.INVITE && r.state == Completed }

// Ended tells that nothing is left.
func (r *Remains) Ended() bool { return r.state == Terminated }

// Accepts tells that these are of a request of ours to which a 2xx came.
func (r *Remains) Accepts(res *sip.Response) bool {
	return r.client && r.state == Accepted && r.matches(res)
}

func (r *Remains) matches(res *sip.Response) bool {
	via, cseq := res.Via(), res.CSeq()
	return via != nil && cseq != nil && cseq.MethodName == r.method && r.id == fmt.Sprintf("%s|%s|%d", via.Params.GetOr("branch", ""), via.Host, via.Port)
}

// Repeated takes a request or response if it is a repetition of this
// transaction's, or its ACK. The bytes, if not nil, are to be sent.
func (r *Remains) Repeated(msg sip.Message, timing Timing, now time.Time) (again []byte, ours bool) {
	switch m := msg.(type) {
	case *sip.Response:
		if !r.client || !r.matches(m) {
			return nil, false
		}
		if r.state == Completed && m.StatusCode >= 300 {
			r.repeats(timing)
			return r.again, true
		}
		return nil, true
	case *sip.Request:
		if r.client || r.id != idOf(m) {
			return nil, false
		}
		if m.Method == sip.ACK && r.method == sip.INVITE {
			if r.state == Completed {
				r.state = Confirmed
				r.again, r.repeat, r.end = nil, time.Time{}, now.Add(timing.Filled().T4) // timer I
			}
			return nil, true
		}
		if m.Method != r.method {
			return nil, false
		}
		r.repeats(timing)
		return r.again, true
	}
	return nil, false
}

// repeats counts that again is about to be sent, if there is anything.
func (r *Remains) repeats(timing Timing) {
	if r.again != nil {
		timing.again()
	}
}

// Cancelled tells whether a CANCEL is for this INVITE, which is answered already.
func (r *Remains) Cancelled(cancel *sip.Request) bool {
	return !r.client && r.method == sip.INVITE && cancel.Method == sip.CANCEL && r.id == idOf(cancel)
}

// Invited tells that these are of an INVITE of the far end.
func (r *Remains) Invited() bool { return !r.client && r.method == sip.INVITE }

// Deadline is when Expire has something to do.
func (r *Remains) Deadline() time.Time { return alarm.Sooner(r.repeat, r.end) }

// Expire does what is due: the bytes, if not nil, are to be sent.
func (r *Remains) Expire(timing Timing, now time.Time) []byte {
	if alarm.Due(r.end, now) {
		r.state, r.again, r.repeat, r.end = Terminated, nil, time.Time{}, time.Time{}
		return nil
	}
	if alarm.Due(r.repeat, now) {
		r.interval = min(2*r.interval, timing.Filled().T2)
		r.repeat = now.Add(r.interval)
		r.repeats(timing)
		return r.again
	}
	return nil
}
