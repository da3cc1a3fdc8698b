package softphone

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Call places a call and returns at once; what comes of it shows in the call.
// The target is what a user dials, "102" or "7773660;phone-context=p1234", or
// a SIP address. Cancelling the context before the answer cancels the call.
func (p *Phone) Call(ctx context.Context, target string) (*Call, error) {
	to := sip.Uri{Scheme: "sip", User: target, Host: p.cfg.Domain, Port: int(p.cfg.Server.Port())}
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
	go c.place(ctx, p.invite(c, to)) // ends with the call's answer or failure
	return c, nil
}

func (p *Phone) invite(c *Call, to sip.Uri) *sip.Request {
	req := sip.NewRequest(sip.INVITE, to)
	req.SetDestination(p.cfg.Server.String())
	id := sip.CallIDHeader(c.id)
	req.AppendHeader(p.from())
	req.AppendHeader(&sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: to.User, Host: to.Host}})
	req.AppendHeader(&id)
	req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	req.AppendHeader(sip.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, NOTIFY"))
	req.SetBody(describe(c.audio.local(), c.laws...))
	return req
}

// place sends the INVITE and follows it to its end.
func (c *Call) place(ctx context.Context, req *sip.Request) {
	p := c.phone
	defer c.cancel()
	out, err := p.dialog.WriteInvite(ctx, req)
	if err != nil {
		c.end(fmt.Errorf("softphone %s: INVITE: %w", p.cfg.User, err))
		return
	}
	err = out.WaitAnswer(ctx, sipgo.AnswerOptions{Username: p.cfg.User, Password: p.cfg.Secret,
		OnResponse: c.progress})
	if refused := (*sipgo.ErrDialogResponse)(nil); errors.As(err, &refused) {
		err = Refused{refused.Res.StatusCode, refused.Res.Reason}
	}
	if err != nil {
		c.end(fmt.Errorf("softphone %s: INVITE %s: %w", p.cfg.User, c.Number, err))
		return
	}
	c.mu.Lock()
	c.out = out
	c.mu.Unlock()
	ack, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	heard := c.hear(out.InviteResponse.Body())
	if err := out.Ack(ack); err != nil || heard != nil {
		c.bye()
		return
	}
	c.talk()
}

// progress looks at each response before it is acted on.
func (c *Call) progress(res *sip.Response) error {
	if res.StatusCode >= 180 && res.StatusCode < 200 {
		if len(res.Body()) > 0 {
			_ = c.hear(res.Body())
		}
		c.rang()
	}
	return nil
}
