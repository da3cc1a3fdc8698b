package softphone

import (
	"fmt"

	"github.com/emiago/sipgo/sip"
)

// onInvite takes a call in: it rings until somebody answers or rejects it, or
// the caller gives up. It runs on a goroutine of the user agent, which ends
// with the INVITE's final response.
func (p *Phone) onInvite(req *sip.Request, tx sip.ServerTransaction) {
	if req.To() != nil && req.To().Params.Has("tag") {
		p.onRefresh(req, tx)
		return
	}
	if req.CallID() == nil || req.From() == nil {
		respond(tx, req, 400, "Bad Request", nil)
		return
	}
	c, err := p.newCall(req.CallID().Value())
	if err != nil {
		respond(tx, req, 503, "Service Unavailable", nil)
		return
	}
	c.Number, c.Name = req.From().Address.User, req.From().DisplayName
	if len(req.Body()) > 0 {
		err = c.hear(req.Body())
	}
	if err == nil {
		c.in, err = p.dialog.ReadInvite(req, tx)
	}
	if err != nil {
		respond(tx, req, 488, "Not Acceptable Here", nil)
		c.end(err)
		return
	}
	if !p.remember(c) {
		respond(tx, req, 480, "Temporarily Unavailable", nil)
		c.end(nil)
		return
	}
	c.ring()
}

func (c *Call) ring() {
	if err := c.in.Respond(180, "Ringing", nil); err != nil {
		c.end(err)
		return
	}
	c.rang()
	select {
	case c.phone.inbox <- c:
	default:
		c.Reject(486, "Busy Here")
	}
	select {
	case <-c.in.Context().Done():
		c.end(fmt.Errorf("softphone %s: the caller gave up", c.phone.cfg.User))
	case o := <-c.orders:
		if o.status >= 300 {
			_ = c.in.Respond(o.status, o.reason, nil)
			c.end(Refused{o.status, o.reason})
			return
		}
		// The audio is open before the answer is on its way. RespondSDP
		// returns when the ACK is there.
		if err := c.in.RespondSDP(describe(c.audio.local(), c.answerLaws()...)); err != nil && !c.up() {
			c.end(fmt.Errorf("softphone %s: answer: %w", c.phone.cfg.User, err))
			return
		}
		c.talk()
	}
}

// Answer answers a call that rings here. Answered is closed when the caller
// has confirmed it.
func (c *Call) Answer() { c.give(order{status: 200}) }

// Reject refuses a call that rings here with a final status, 300 to 699.
func (c *Call) Reject(status int, reason string) { c.give(order{status, reason}) }

func (c *Call) give(o order) {
	select {
	case c.orders <- o:
	default: // one was given before
	}
}
