package softphone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo"
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

	id    string
	phone *Phone
	audio *audio
	laws  []g711.Law

	ringing  chan struct{} // closed as the other end is alerted (180, 183)
	answered chan struct{}
	done     chan struct{}

	mu     sync.Mutex
	out    *sipgo.DialogClientSession
	in     *sipgo.DialogServerSession
	orders chan order // for a received call that rings
	cancel context.CancelFunc
	rings  sync.Once
	talks  sync.Once
	ends   sync.Once
	err    error
}

// order is what to do with a received call: a final status.
type order struct {
	status int
	reason string
}

func (p *Phone) newCall(id string) (*Call, error) {
	audio, err := openAudio(p.cfg.Listen)
	if err != nil {
		return nil, err
	}
	laws := []g711.Law{p.cfg.Law, 1 - p.cfg.Law}
	return &Call{id: id, phone: p, audio: audio, laws: laws, orders: make(chan order, 1),
		ringing: make(chan struct{}), answered: make(chan struct{}), done: make(chan struct{})}, nil
}

// Ringing is closed when the other end is alerted or heard before the answer.
func (c *Call) Ringing() <-chan struct{} { return c.ringing }

// Answered is closed when the call is answered.
func (c *Call) Answered() <-chan struct{} { return c.answered }

// Done is closed when the call is over.
func (c *Call) Done() <-chan struct{} { return c.done }

// Err tells, after Done, why the call failed: a Refused if the other side said
// so; nil if it was answered and ended.
func (c *Call) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Say queues samples that the other end shall hear, after those queued before.
// Silence is sent when there are none.
func (c *Call) Say(pcm []int16) {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	c.audio.say = append(c.audio.say, pcm...)
}

// Heard is what the telephone has heard so far, from its first packet on, at
// most ten minutes.
func (c *Call) Heard() []int16 {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return slices.Clone(c.audio.heard)
}

// Packets counts the audio packets received.
func (c *Call) Packets() int {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return c.audio.packets
}

// Keys are the telephone-events heard, one character a press.
func (c *Call) Keys() string {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return string(c.audio.events)
}

// Law is what the call is coded in, once its audio is agreed on.
func (c *Call) Law() g711.Law {
	c.audio.mu.Lock()
	defer c.audio.mu.Unlock()
	return c.audio.law
}

// Hangup ends the call whatever its state: CANCEL, a refusal as busy, or BYE.
// It returns when the other side has confirmed or patience is over.
func (c *Call) Hangup() {
	select {
	case <-c.done:
		return
	case <-c.answered:
		c.bye()
	default:
		if c.cancel != nil { // placed and not yet answered
			c.cancel()
		} else {
			c.Reject(486, "Busy Here")
		}
		select {
		case <-c.done:
		case <-c.answered: // the answer crossed it
			c.bye()
		case <-time.After(2 * patience):
			c.end(errors.New("softphone: no reply to CANCEL"))
		}
	}
}

func (c *Call) bye() {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	c.mu.Lock()
	in, out := c.in, c.out
	c.mu.Unlock()
	var err error
	if in != nil {
		err = in.Bye(ctx)
	} else if out != nil {
		err = out.Bye(ctx)
	}
	if err != nil {
		err = fmt.Errorf("softphone %s: BYE: %w", c.phone.cfg.User, err)
	}
	c.end(err)
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
func (c *Call) up() bool {
	select {
	case <-c.answered:
		return true
	default:
		return false
	}
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

// onBye ends a call from the other side; one that is not known is 481.
func (p *Phone) onBye(req *sip.Request, tx sip.ServerTransaction) {
	c := p.callOf(req)
	if c == nil {
		respond(tx, req, 481, "Call/Transaction Does Not Exist", nil)
		return
	}
	c.mu.Lock()
	in, out := c.in, c.out
	c.mu.Unlock()
	var err error
	if in != nil {
		err = in.ReadBye(req, tx)
	} else if out != nil {
		err = out.ReadBye(req, tx)
	}
	if err != nil {
		respond(tx, req, 400, "Bad Request", nil)
		return
	}
	c.end(nil)
}

func (p *Phone) onAck(req *sip.Request, tx sip.ServerTransaction) {
	c := p.callOf(req)
	if c == nil {
		return
	}
	c.mu.Lock()
	in := c.in
	c.mu.Unlock()
	if in == nil {
		return
	}
	if len(req.Body()) > 0 { // the answer to our offer in the 200
		_ = c.hear(req.Body())
	}
	_ = in.ReadAck(req, tx)
}

// onRefresh answers a re-INVITE or an UPDATE within a call: same description,
// new address of the other side (RFC 3261 §14.2, RFC 3311 §5.2).
func (p *Phone) onRefresh(req *sip.Request, tx sip.ServerTransaction) {
	c := p.callOf(req)
	if c == nil {
		respond(tx, req, 481, "Call/Transaction Does Not Exist", nil)
		return
	}
	var body []byte
	if len(req.Body()) > 0 {
		if err := c.hear(req.Body()); err != nil {
			respond(tx, req, 488, "Not Acceptable Here", nil)
			return
		}
		body = describe(c.audio.local(), c.Law())
	} else if req.IsInvite() {
		body = describe(c.audio.local(), c.laws...)
	}
	res := sip.NewResponseFromRequest(req, 200, "OK", body)
	contact := p.contact()
	res.AppendHeader(&contact)
	if body != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	if expires := req.GetHeader("Session-Expires"); expires != nil {
		res.AppendHeader(sip.NewHeader("Session-Expires", expires.Value()))
	}
	_ = tx.Respond(res)
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
