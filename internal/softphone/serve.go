package softphone

import (
	"errors"
	"net/netip"

	"github.com/emiago/sipgo/sip"
)

// errGaveUp: the caller cancelled before the answer.
var errGaveUp = errors.New("softphone: the caller gave up")

// request handles what the other side asks. It does not wait.
func (p *Phone) request(req *sip.Request, from netip.AddrPort) {
	if req.CallID() == nil || req.From() == nil || req.To() == nil || req.CSeq() == nil || req.Via() == nil {
		return
	}
	c := p.call(req.CallID().Value())
	switch {
	case req.Method == sip.OPTIONS || req.Method == sip.NOTIFY && c != nil:
		p.write(sip.NewResponseFromRequest(req, 200, "OK", nil), from)
	case req.IsInvite() && c == nil && !req.To().Params.Has("tag"):
		p.rung(req, from)
	case req.IsAck():
		if c != nil {
			c.confirmed(req)
		}
	case c == nil:
		p.write(sip.NewResponseFromRequest(req, 481, "Call/Transaction Does Not Exist", nil), from)
	case req.IsInvite() && c.again(req):
	case req.IsInvite() || req.Method == sip.UPDATE:
		c.refresh(req, from)
	case req.IsCancel():
		p.write(sip.NewResponseFromRequest(req, 200, "OK", nil), from)
		c.give(order{487, "Request Terminated", errGaveUp})
	case req.Method == sip.BYE:
		p.write(sip.NewResponseFromRequest(req, 200, "OK", nil), from)
		c.end(nil)
	default:
		p.write(sip.NewResponseFromRequest(req, 405, "Method Not Allowed", nil), from)
	}
}

// rung takes a new call in: it rings until somebody answers or rejects it, or
// the caller gives up.
func (p *Phone) rung(req *sip.Request, from netip.AddrPort) {
	c, err := p.newCall(req.CallID().Value())
	if err != nil {
		p.write(sip.NewResponseFromRequest(req, 503, "Service Unavailable", nil), from)
		return
	}
	c.Number, c.Name = req.From().Address.User, req.From().DisplayName
	if len(req.Body()) > 0 && c.hear(req.Body()) != nil {
		p.write(sip.NewResponseFromRequest(req, 488, "Not Acceptable Here", nil), from)
		c.audio.close()
		return
	}
	req.To().Params.Add("tag", c.tag) // of all responses
	c.dialog = &dialog{target: from, seq: 1, local: req.To().AsFrom(), remote: req.From().AsTo(), uri: req.From().Address}
	if contact := req.Contact(); contact != nil {
		c.dialog.aim(contact.Address)
	}
	if !p.remember(c) {
		c.audio.close()
		return
	}
	c.invite, c.source = req, from
	c.reply(180, "Ringing", nil)
	c.rang()
	p.wg.Go(c.ring) // ended by an order; Close gives one
	select {
	case p.inbox <- c:
	default:
		c.Reject(486, "Busy Here")
	}
}
