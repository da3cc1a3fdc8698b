package txn

import (
	"strings"
	"time"

	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// Server is a server transaction: a request and our responses to it.
//
//	INVITE (RFC 3261 figure 7, RFC 6026 figure 7)       others (figure 8)
//
//	Proceeding --2xx--> Accepted --L--> Terminated       Trying --1xx--> Proceeding
//	     |                                                 |                |
//	     +--300-699--> Completed --ACK--> Confirmed        +----final-------+--> Completed
//	                      |                  |                                      |
//	                      H: no ACK          I --> Terminated                       J --> Terminated
type Server struct {
	// Request is what began the transaction.
	Request *sip.Request

	send     Send
	timing   Timing
	reliable bool
	invite   bool
	state    State
	last     *sip.Response // repeated when the request is
	interval time.Duration // of the next repetition of a refusal
	repeat   time.Time     // timer G
	end      time.Time     // timers H, I, J, L
}

// NewServer begins a transaction with the request that arrived.
func NewServer(req *sip.Request, reliable bool, timing Timing, send Send) *Server {
	s := &Server{Request: req, send: send, timing: timing.Filled(), reliable: reliable, invite: req.Method == sip.INVITE}
	s.state = Trying
	if s.invite {
		s.state = Proceeding
	}
	return s
}

// State is where the transaction is.
func (s *Server) State() State { return s.state }

// Answered tells that a final response has been sent.
func (s *Server) Answered() bool { return s.state != Trying && s.state != Proceeding }

// Confirmed tells that the ACK of a refusal has come, or is not waited for any
// more.
func (s *Server) Confirmed() bool { return s.state == Confirmed || s.state == Terminated }

// Last is the latest response, nil before the first.
func (s *Server) Last() *sip.Response { return s.last }

// Matches tells whether a request is a repetition of the transaction's, or the
// ACK of its refusal (RFC 3261 §17.2.3). The caller has compared Call-ID and
// tags already.
func (s *Server) Matches(req *sip.Request) bool {
	method := req.Method
	if method == sip.ACK && s.invite {
		method = sip.INVITE
	}
	return method == s.Request.Method && SameTransaction(s.Request, req)
}

// Cancels tells whether a CANCEL is for this transaction (RFC 3261 §9.2).
func (s *Server) Cancels(cancel *sip.Request) bool {
	return cancel.Method == sip.CANCEL && SameTransaction(s.Request, cancel)
}

// SameTransaction compares two requests by branch and sent-by, or, where one
// has no branch of RFC 3261, by CSeq number and From tag, as §17.2.3 wants it
// for peers of RFC 2543. Methods are not compared.
func SameTransaction(a, b *sip.Request) bool {
	va, vb := a.Via(), b.Via()
	if va == nil || vb == nil {
		return false
	}
	ba, oka := Branch(va)
	bb, okb := Branch(vb)
	if oka && okb {
		return ba == bb && strings.EqualFold(va.Host, vb.Host) && va.Port == vb.Port
	}
	if oka != okb {
		return false
	}
	ca, cb := a.CSeq(), b.CSeq()
	ia, ib := a.CallID(), b.CallID()
	if ca == nil || cb == nil || ia == nil || ib == nil {
		return false
	}
	return ca.SeqNo == cb.SeqNo && *ia == *ib && fromTag(a) == fromTag(b)
}

// Branch is a Via's branch; false: it has none that identifies a transaction
// (RFC 3261 §8.1.1.7).
func Branch(via *sip.ViaHeader) (string, bool) {
	branch, _ := via.Params.Get("branch")
	cookie := sip.RFC3261BranchMagicCookie
	if len(branch) <= len(cookie) || !strings.EqualFold(branch[:len(cookie)], cookie) {
		return "", false
	}
	return branch, true
}

func fromTag(req *sip.Request) string {
	if from := req.From(); from != nil {
		tag, _ := from.Params.Get("tag")
		return tag
	}
	return ""
}

// Receive takes a request that Matches: a repetition or an ACK. It tells
// whether the user should see it, which is the ACK of a 2xx only.
func (s *Server) Receive(req *sip.Request, now time.Time) (up bool) {
	if req.Method == sip.ACK {
		switch s.state {
		case Completed:
			s.state = Confirmed
			s.repeat, s.end = time.Time{}, now.Add(s.timing.T4) // timer I
			if s.reliable {
				s.finish()
			}
		case Accepted:
			return true
		}
		return false
	}
	if s.last != nil && (s.state == Proceeding || s.state == Completed) {
		s.timing.again()
		s.send(s.last) // the next repetition asks again
	}
	return false
}

// Respond sends a response. Responses after a final one are not sent.
func (s *Server) Respond(res *sip.Response, now time.Time) error {
	if s.Answered() {
		return nil
	}
	s.last = res
	switch status := res.StatusCode; {
	case status < 200:
		s.state = Proceeding
	case s.invite && status < 300:
		s.state = Accepted
		s.end = now.Add(s.timing.Timeout()) // timer L
	case s.invite:
		s.state = Completed
		s.end = now.Add(s.timing.Timeout()) // timer H
		if !s.reliable {
			s.interval = s.timing.T1
			s.repeat = now.Add(s.interval)
		}
	default:
		s.state = Completed
		s.end = now.Add(s.timing.Timeout()) // timer J
		if s.reliable {
			s.finish()
		}
	}
	return s.send(res)
}

func (s *Server) finish() {
	s.state = Terminated
	s.repeat, s.end = time.Time{}, time.Time{}
}

// Deadline is when Expire has something to do; zero is never.
func (s *Server) Deadline() time.Time { return alarm.Sooner(s.repeat, s.end) }

// Expire does what is due. It tells whether a refusal has just been given up
// without an ACK (timer H).
func (s *Server) Expire(now time.Time) (noAck bool) {
	if alarm.Due(s.end, now) {
		noAck = s.invite && s.state == Completed
		s.finish()
		return noAck
	}
	if alarm.Due(s.repeat, now) {
		s.timing.again()
		s.send(s.last)                              // the next repetition tries again
		s.interval = min(2*s.interval, s.timing.T2) // timer G
		s.repeat = now.Add(s.interval)
	}
	return false
}
