package txn

import (
	"time"

	"crosspoint/internal/alarm"
	"github.com/emiago/sipgo/sip"
)

// Client is a client transaction: our request and what comes of it.
//
//	INVITE (RFC 3261 figure 5, RFC 6026 figure 5)     others (figure 6)
//
//	Calling --1xx--> Proceeding                        Trying --1xx--> Proceeding
//	   |  \            |     \                            |               |
//	   |   +----2xx----+--> Accepted --M--> Terminated    +--final--------+--> Completed --K--> Terminated
//	   +--300-699------+--> Completed --D--> Terminated   +--F: time-out--> Terminated
//	   +--B: time-out--> Terminated
type Client struct {
	// Request is what was sent. It is not changed after Start.
	Request *sip.Request

	send     Send
	timing   Timing
	reliable bool
	invite   bool
	state    State
	answered bool          // a final response has come
	ack      *sip.Request  // of a refusal, repeated with each repetition of it
	interval time.Duration // of the next repetition
	repeat   time.Time     // timers A, E; zero: no repetition
	end      time.Time     // timers B, F; D, K, M when completed
}

// NewClient prepares a transaction. The request has its Via with the branch.
// Over a reliable transport nothing is repeated.
func NewClient(req *sip.Request, reliable bool, timing Timing, send Send) *Client {
	c := &Client{Request: req, send: send, timing: timing.Filled(), reliable: reliable, invite: req.Method == sip.INVITE}
	if !c.invite {
		c.state = Trying
	}
	return c
}

// Start sends the request for the first time. After an error the transaction
// is terminated.
func (c *Client) Start(now time.Time) error {
	if err := c.send(c.Request); err != nil {
		c.finish()
		return err
	}
	if !c.reliable {
		c.interval = c.timing.T1
		c.repeat = now.Add(c.interval)
	}
	c.end = now.Add(c.timing.Timeout())
	return nil
}

// State is where the transaction is.
func (c *Client) State() State { return c.state }

// Answered tells that a final response has come.
func (c *Client) Answered() bool { return c.answered }

// Heard tells that any response has come.
func (c *Client) Heard() bool {
	return c.answered || c.state == Proceeding
}

// Matches tells whether a response belongs to this transaction (RFC 3261
// §17.1.3): its topmost branch and its method are the request's.
func (c *Client) Matches(res *sip.Response) bool {
	via, cseq, own := res.Via(), res.CSeq(), c.Request.Via()
	if via == nil || cseq == nil || own == nil || cseq.MethodName != c.Request.Method {
		return false
	}
	theirs, _ := via.Params.Get("branch")
	ours, _ := own.Params.Get("branch")
	return theirs == ours
}

// Receive takes a response that Matches. It tells whether the user should see
// it: repetitions of a final response are served here, except a 2xx to an
// INVITE, which only the user can acknowledge.
func (c *Client) Receive(res *sip.Response, now time.Time) (up bool) {
	status := res.StatusCode
	switch c.state {
	case Calling, Trying, Proceeding:
		c.answered = status >= 200
		switch {
		case status < 200:
			c.state = Proceeding
			if c.invite {
				// Timers A and B stop: an INVITE may ring for as long as it wants
				// (the user's own ring timer ends it).
				c.repeat, c.end = time.Time{}, time.Time{}
			} else if !c.reliable {
				c.interval = c.timing.T2
			}
		case c.invite && status < 300:
			c.state = Accepted
			c.repeat, c.end = time.Time{}, now.Add(c.timing.Timeout()) // timer M
		case c.invite:
			c.state = Completed
			c.ack = AckRefusal(c.Request, res)
			c.send(c.ack) // a lost ACK is repeated with the response
			c.complete(now, max(c.timing.Timeout(), 32*time.Second))
		default:
			c.state = Completed
			c.complete(now, c.timing.T4)
		}
		return true
	case Accepted:
		return status >= 200 && status < 300
	case Completed:
		if c.invite && status >= 300 {
			c.timing.again()
			c.send(c.ack) // as above
		}
	}
	return false
}

// complete keeps the transaction for repetitions of the final response: timer
// D or K, which are zero over a reliable transport.
func (c *Client) complete(now time.Time, linger time.Duration) {
	c.repeat, c.end = time.Time{}, now.Add(linger)
	if c.reliable {
		c.finish()
	}
}

// Abandon ends the wait for a final response, as a transport failure or a
// CANCEL that nobody heeded does.
func (c *Client) Abandon() { c.finish() }

func (c *Client) finish() {
	c.state = Terminated
	c.repeat, c.end = time.Time{}, time.Time{}
}

// GiveUpAt sets when a request without final response is given up: RFC 3261
// §9.1 wants that 64*T1 after a CANCEL, and who has another server to ask does
// not wait for timer B. The first provisional response to an INVITE takes it back.
func (c *Client) GiveUpAt(at time.Time) {
	if c.state == Calling || c.state == Trying || c.state == Proceeding {
		c.end = at
	}
}

// Deadline is when Expire has something to do; zero is never.
func (c *Client) Deadline() time.Time { return alarm.Sooner(c.repeat, c.end) }

// Expire does what is due. It tells whether the request has just been given up
// without a final response (timers B and F): the user treats that as a 408.
func (c *Client) Expire(now time.Time) (timedOut bool) {
	if alarm.Due(c.end, now) {
		timedOut = !c.answered
		c.finish()
		return timedOut
	}
	if alarm.Due(c.repeat, now) {
		c.timing.again()
		c.send(c.Request) // the next repetition tries again
		if c.invite {
			c.interval *= 2 // timer A
		} else {
			c.interval = min(2*c.interval, c.timing.T2) // timer E
		}
		c.repeat = now.Add(c.interval)
	}
	return false
}
