package softphone

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"crosspoint/media/g711"
)

// patience is how long a telephone waits for the answer to a BYE or a CANCEL.
const patience = 3 * time.Second

// A Call is one call of a telephone, placed or received. It is over when Done
// is closed.
type Call struct {
	// Number and Name are who calls, as the telephone shows it; of a call
	// that it placed, Number is what was dialled.
	Number, Name string

	id, tag string
	phone   *Phone
	audio   *audio
	laws    []g711.Law
	cancel  context.CancelFunc // of a call that it placed
	invite  *sip.Request       // of a call that it received
	source  netip.AddrPort     // where the invite came from
	orders  chan order         // for ring; the first counts

	ringing, answered, done chan struct{}
	rings, talks, ends      sync.Once
	ackOnce                 sync.Once
	acked                   chan struct{} // the final response is acknowledged

	mu     sync.Mutex
	dialog *dialog
	last   *sip.Response // to the invite
	err    error
}

// order is what to do with a received call: its final response.
type order struct {
	status int
	reason string
	why    error // the call's error; nil: Refused
}

func (p *Phone) newCall(id string) (*Call, error) {
	audio, err := openAudio(p.cfg.Listen)
	if err != nil {
		return nil, err
	}
	return &Call{id: id, tag: sip.GenerateTagN(16), phone: p, audio: audio, laws: []g711.Law{p.cfg.Law, 1 - p.cfg.Law},
		orders: make(chan order, 1), acked: make(chan struct{}),
		ringing: make(chan struct{}), answered: make(chan struct{}), done: make(chan struct{})}, nil
}

// Ringing is closed when the other end is alerted or heard before the answer.
func (c *Call) Ringing() <-chan struct{} { return c.ringing }

// Answered is closed when the call is answered.
func (c *Call) Answered() <-chan struct{} { return c.answered }

// Done is closed when the call is over.
func (c *Call) Done() <-chan struct{} { return c.done }

// Err tells, after Done, why the call failed: a Refused if a final response
// said so; nil if it was answered and ended.
func (c *Call) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Answer answers a call that rings here. Answered is closed when the caller
// has confirmed it.
func (c *Call) Answer() { c.give(order{status: 200, reason: "OK"}) }

// Reject refuses a call that rings here with a final status, 300 to 699.
func (c *Call) Reject(status int, reason string) { c.give(order{status: status, reason: reason}) }

func (c *Call) give(o order) {
	select {
	case c.orders <- o:
	default: // one was given before
	}
}

// Hangup ends the call whatever its state: CANCEL, a refusal as busy, or BYE.
// It returns when the other side has confirmed it or patience is over.
func (c *Call) Hangup() {
	select {
	case <-c.answered:
		c.bye(nil)
		return
	default:
	}
	if c.cancel != nil {
		c.cancel()
	} else {
		c.Reject(486, "Busy Here")
	}
	select {
	case <-c.done:
	case <-c.answered: // the answer crossed it
		c.bye(nil)
	case <-time.After(patience):
		c.end(fmt.Errorf("softphone %s: hang-up before the answer: %w", c.phone.cfg.User, errNoReply))
	}
}

// ring waits for what becomes of a received call, answers it so and repeats
// that until the caller has acknowledged it.
func (c *Call) ring() {
	var o order
	select {
	case o = <-c.orders:
	case <-c.done:
		return
	}
	var body []byte
	if o.status < 300 {
		body = describe(c.audio.local(), c.answerLaws()...)
	}
	res := c.reply(o.status, o.reason, body)
	stop := make(chan struct{})
	c.phone.wg.Go(func() { c.phone.repeat(res, c.source, stop) })
	defer close(stop)
	if o.status >= 300 {
		if o.why == nil {
			o.why = Refused{o.status, o.reason}
		}
		select {
		case <-c.acked:
		case <-c.phone.closed:
		case <-time.After(patience):
		}
		c.end(o.why)
		return
	}
	select {
	case <-c.acked:
		c.talk()
	case <-c.done:
	case <-c.phone.closed:
	case <-time.After(64 * t1):
		c.end(fmt.Errorf("softphone %s: answer: no ACK", c.phone.cfg.User))
	}
}

// reply answers the invite.
func (c *Call) reply(status int, reason string, body []byte) *sip.Response {
	res := sip.NewResponseFromRequest(c.invite, status, reason, body)
	if status < 300 {
		res.AppendHeader(c.phone.contact())
	}
	if body != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	c.mu.Lock()
	c.last = res
	c.mu.Unlock()
	c.phone.write(res, c.source)
	return res
}

// again answers an INVITE that came before as it was answered then.
func (c *Call) again(req *sip.Request) bool {
	if c.invite == nil || req.CSeq().SeqNo != c.invite.CSeq().SeqNo {
		return false
	}
	c.mu.Lock()
	last := c.last
	c.mu.Unlock()
	if last != nil {
		c.phone.write(last, c.source)
	}
	return true
}

// confirmed takes the ACK of our final response.
func (c *Call) confirmed(ack *sip.Request) {
	if len(ack.Body()) > 0 { // the answer to our offer in the 200
		_ = c.hear(ack.Body())
	}
	c.ackOnce.Do(func() { close(c.acked) })
}

// bye ends an answered call with a BYE; why is what becomes of Err.
func (c *Call) bye(why error) {
	select {
	case <-c.done:
		return
	default:
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	c.mu.Lock()
	msg, to := c.dialog.request(sip.BYE, c.id)
	c.mu.Unlock()
	res, err := c.phone.do(ctx, msg, to)
	if err == nil && res.StatusCode != 200 {
		err = Refused{res.StatusCode, res.Reason}
	}
	if err != nil {
		err = fmt.Errorf("softphone %s: BYE: %w", c.phone.cfg.User, err)
	}
	c.end(errors.Join(why, err))
}

// end is the last thing that happens to a call, once.
func (c *Call) end(err error) {
	c.ends.Do(func() {
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		c.phone.forget(c)
		c.audio.close()
		close(c.done)
	})
}

func (c *Call) rang() { c.rings.Do(func() { close(c.ringing) }) }
func (c *Call) talk() { c.rang(); c.talks.Do(func() { close(c.answered) }) }

// refresh answers a re-INVITE or an UPDATE: same description, perhaps a new
// address of the other side (RFC 3261 §14.2, RFC 3311 §5.2).
func (c *Call) refresh(req *sip.Request, from netip.AddrPort) {
	var body []byte
	if len(req.Body()) > 0 {
		if err := c.hear(req.Body()); err != nil {
			c.phone.write(sip.NewResponseFromRequest(req, 488, "Not Acceptable Here", nil), from)
			return
		}
		body = describe(c.audio.local(), c.Law())
	} else if req.IsInvite() {
		body = describe(c.audio.local(), c.laws...)
	}
	res := sip.NewResponseFromRequest(req, 200, "OK", body)
	res.AppendHeader(c.phone.contact())
	if body != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	if expires := req.GetHeader("Session-Expires"); expires != nil {
		res.AppendHeader(sip.NewHeader("Session-Expires", expires.Value()))
	}
	c.phone.write(res, from)
}

// hear connects the call's audio to what a description says.
func (c *Call) hear(body []byte) error {
	s, err := readSession(body)
	if err != nil {
		return err
	}
	law := s.laws[0]
	if slices.Contains(s.laws, c.laws[0]) {
		law = c.laws[0]
	}
	c.audio.connect(s, law)
	return nil
}

// answerLaws is what the telephone answers with: the one law that was agreed
// on, or all if the caller has offered none yet.
func (c *Call) answerLaws() []g711.Law {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	if c.audio.remote.IsValid() {
		return []g711.Law{c.audio.law}
	}
	return c.laws
}
