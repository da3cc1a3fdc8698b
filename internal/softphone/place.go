package softphone

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Call places a call and returns at once; what comes of it shows in the call.
// The target is what a user dials, "102" or "7773660;phone-context=p1234", or
// a SIP address. Cancelling the context before the answer cancels the call.
func (p *Phone) Call(ctx context.Context, target string) (*Call, error) {
	to := sip.Uri{Scheme: "sip", User: target, Host: p.cfg.Domain}
	if strings.HasPrefix(target, "sip:") {
		to = sip.Uri{}
		if err := sip.ParseUri(target, &to); err != nil {
			return nil, fmt.Errorf("softphone %s: %w", p.cfg.User, err)
		}
	}
	c, err := p.newCall(sip.GenerateTagN(24))
	if err != nil {
		return nil, fmt.Errorf("softphone %s: %w", p.cfg.User, err)
	}
	c.Number = target
	ctx, c.cancel = context.WithCancel(ctx)
	if !p.remember(c) {
		c.cancel()
		c.audio.close()
		return nil, fmt.Errorf("softphone %s: closed", p.cfg.User)
	}
	p.wg.Go(func() { c.place(ctx, to) }) // ended by the answer, a failure or Close
	return c, nil
}

// place follows an INVITE to its final response.
func (c *Call) place(ctx context.Context, to sip.Uri) {
	defer c.cancel()
	p := c.phone
	msg := sip.NewRequest(sip.INVITE, to)
	p.envelope(msg, c.id, to, c.tag)
	msg.AppendHeader(p.contact())
	msg.AppendHeader(sip.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, NOTIFY"))
	msg.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	msg.SetBody(describe(c.audio.local(), c.laws...))
	for tries := 0; ; tries++ {
		r := p.send(msg, p.cfg.Server)
		res, err := c.final(ctx, r)
		p.done(r)
		if err != nil {
			c.end(fmt.Errorf("softphone %s: INVITE %s: %w", p.cfg.User, c.Number, err))
			return
		}
		if res.IsSuccess() {
			c.established(msg, res)
			return
		}
		p.write(refusalAck(msg, res), p.cfg.Server)
		if tries == 0 && p.prove(msg, res) {
			continue
		}
		c.end(fmt.Errorf("softphone %s: INVITE %s: %w", p.cfg.User, c.Number, Refused{res.StatusCode, res.Reason}))
		return
	}
}

// final is the final response to an INVITE. A caller that gives up sends
// CANCEL, but not before the first provisional response (RFC 3261 §9.1), and
// waits for what comes of it.
func (c *Call) final(ctx context.Context, r *request) (*sip.Response, error) {
	p := c.phone
	gaveUp, cancelled, heard := ctx, false, false
	for {
		res, err := p.next(gaveUp, r, 64*t1*4)
		switch {
		case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
			gaveUp = context.Background()
			cancelled = true
			if heard {
				c.sendCancel(r)
			}
			continue
		case err != nil:
			return nil, err
		case !res.IsProvisional():
			return res, nil
		}
		if cancelled && !heard {
			c.sendCancel(r)
		}
		heard = true
		if res.StatusCode >= 180 {
			if len(res.Body()) > 0 {
				_ = c.hear(res.Body())
			}
			c.rang()
		}
	}
}

// sendCancel cancels an INVITE; what becomes of the INVITE says whether it came
// in time.
func (c *Call) sendCancel(invite *request) {
	msg := sip.NewRequest(sip.CANCEL, invite.msg.Recipient)
	for _, name := range []string{"Via", "From", "To", "Call-ID"} {
		sip.CopyHeaders(name, invite.msg, msg)
	}
	hops := sip.MaxForwardsHeader(70)
	msg.AppendHeader(&sip.CSeqHeader{SeqNo: invite.msg.CSeq().SeqNo, MethodName: sip.CANCEL})
	msg.AppendHeader(&hops)
	msg.SetBody(nil)
	c.phone.write(msg, invite.to)
}

// refusalAck acknowledges a final response that is no 2xx, within the INVITE's
// own transaction (RFC 3261 §17.1.1.3).
func refusalAck(invite *sip.Request, res *sip.Response) *sip.Request {
	ack := sip.NewRequest(sip.ACK, invite.Recipient)
	for _, name := range []string{"Via", "From", "Call-ID"} {
		sip.CopyHeaders(name, invite, ack)
	}
	sip.CopyHeaders("To", res, ack)
	hops := sip.MaxForwardsHeader(70)
	ack.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.ACK})
	ack.AppendHeader(&hops)
	ack.SetBody(nil)
	return ack
}

// established begins the dialog that a 2xx opens.
func (c *Call) established(invite *sip.Request, res *sip.Response) {
	d := &dialog{target: c.phone.cfg.Server, seq: invite.CSeq().SeqNo, invite: invite.CSeq().SeqNo,
		local: *invite.From(), remote: *res.To(), uri: invite.Recipient}
	if contact := res.Contact(); contact != nil {
		d.aim(contact.Address)
	}
	c.mu.Lock()
	c.dialog = d
	c.mu.Unlock()
	c.acknowledge(nil)
	if err := c.hear(res.Body()); err != nil {
		c.bye(err)
		return
	}
	c.talk()
}
