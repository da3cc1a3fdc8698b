package softphone

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// Timers of RFC 3261 §17.1.1.1.
const (
	t1 = 500 * time.Millisecond
	t2 = 4 * time.Second
)

// errNoReply: nothing came back within 64*T1.
var errNoReply = errors.New("no reply")

// A request is a client transaction: sent again until something comes back.
type request struct {
	msg       *sip.Request
	to        netip.AddrPort
	key       string
	responses chan *sip.Response
	heard     chan struct{} // closed by the first response
	once      sync.Once
}

// send sends a request with a branch of its own. done must be called at the end.
func (p *Phone) send(msg *sip.Request, to netip.AddrPort) *request {
	own := p.Addr()
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: host(own.Addr()), Port: int(own.Port())}
	branch := sip.GenerateBranch()
	via.Params.Add("branch", branch)
	via.Params.Add("rport", "")
	msg.RemoveHeader("Via")
	msg.PrependHeader(via)
	r := &request{msg: msg, to: to, key: branch + string(msg.Method), responses: make(chan *sip.Response, 16), heard: make(chan struct{})}
	p.mu.Lock()
	p.pending[r.key] = r
	p.mu.Unlock()
	p.write(msg, to)
	p.wg.Go(func() { p.repeat(msg, to, r.heard) })
	return r
}

// repeat sends a message again at T1, doubling to T2, until it is stopped, the
// telephone is closed, or 64*T1 have passed (RFC 3261 §17.1.1.2, §13.3.1.4).
func (p *Phone) repeat(msg sip.Message, to netip.AddrPort, stop <-chan struct{}) {
	gap, end := t1, time.NewTimer(64*t1)
	defer end.Stop()
	for {
		again := time.NewTimer(gap)
		select {
		case <-again.C:
			p.write(msg, to)
			gap = min(2*gap, t2)
			continue
		case <-stop:
		case <-end.C:
		case <-p.closed:
		}
		again.Stop()
		return
	}
}

func (p *Phone) done(r *request) {
	p.mu.Lock()
	delete(p.pending, r.key)
	p.mu.Unlock()
	r.once.Do(func() { close(r.heard) })
}

// next waits for a response.
func (p *Phone) next(ctx context.Context, r *request, wait time.Duration) (*sip.Response, error) {
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case res := <-r.responses:
		return res, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, errors.New("closed")
	case <-late.C:
		return nil, errNoReply
	}
}

// response hands a response to whoever waits for it. A 2xx that comes again is
// acknowledged again (RFC 3261 §13.2.2.4).
func (p *Phone) response(res *sip.Response) {
	via, cseq := res.Via(), res.CSeq()
	if via == nil || cseq == nil || res.CallID() == nil {
		return
	}
	branch, _ := via.Params.Get("branch")
	p.mu.Lock()
	r := p.pending[branch+string(cseq.MethodName)]
	p.mu.Unlock()
	if r == nil {
		if c := p.call(res.CallID().Value()); c != nil && cseq.MethodName == sip.INVITE && res.IsSuccess() {
			c.acknowledge(nil)
		}
		return
	}
	r.once.Do(func() { close(r.heard) })
	select {
	case r.responses <- res:
	default: // whoever waited has enough
	}
}

// do sends a request that is no INVITE and returns its final response, with
// digest if that is asked for.
func (p *Phone) do(ctx context.Context, msg *sip.Request, to netip.AddrPort) (*sip.Response, error) {
	for tries := 0; ; tries++ {
		r := p.send(msg, to)
		var res *sip.Response
		var err error
		for res == nil || res.IsProvisional() {
			if res, err = p.next(ctx, r, 64*t1); err != nil {
				p.done(r)
				return nil, err
			}
		}
		p.done(r)
		if tries > 1 || !p.prove(msg, res) {
			return res, nil
		}
	}
}

// prove puts the answer to a 401 or 407 into the request and raises its CSeq;
// false: there is nothing to answer or no secret to answer with.
func (p *Phone) prove(msg *sip.Request, res *sip.Response) bool {
	asks, answers := "WWW-Authenticate", "Authorization"
	switch res.StatusCode {
	case 401:
	case 407:
		asks, answers = "Proxy-Authenticate", "Proxy-Authorization"
	default:
		return false
	}
	challenges := res.GetHeaders(asks)
	if p.cfg.Secret == "" || len(challenges) == 0 {
		return false
	}
	for _, h := range challenges {
		challenge, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(challenge) {
			continue
		}
		credentials, err := digest.Digest(challenge, digest.Options{Method: string(msg.Method), URI: msg.Recipient.String(),
			Username: p.cfg.User, Password: p.cfg.Secret, Count: 1})
		if err != nil {
			continue
		}
		msg.RemoveHeader(answers)
		msg.AppendHeader(sip.NewHeader(answers, credentials.String()))
		msg.CSeq().SeqNo++
		return true
	}
	return false
}

// Register registers the telephone's address with the exchange.
func (p *Phone) Register(ctx context.Context) error { return p.register(ctx, p.cfg.Expires) }

// Unregister takes the registration back.
func (p *Phone) Unregister(ctx context.Context) error { return p.register(ctx, 0) }

func (p *Phone) register(ctx context.Context, expires int) error {
	msg := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: p.cfg.Domain})
	p.envelope(msg, sip.GenerateTagN(24), p.address(), "")
	msg.AppendHeader(p.contact())
	msg.AppendHeader(sip.NewHeader("Expires", fmt.Sprint(expires)))
	msg.SetBody(nil)
	res, err := p.do(ctx, msg, p.cfg.Server)
	if err == nil && res.StatusCode != 200 {
		err = Refused{res.StatusCode, res.Reason}
	}
	if err != nil {
		return fmt.Errorf("softphone %s: REGISTER at %s: %w", p.cfg.User, p.cfg.Server, err)
	}
	return nil
}

// envelope writes From, To, Call-ID, CSeq and Max-Forwards of a request that
// begins a dialog or stands alone (RFC 3261 §8.1.1).
func (p *Phone) envelope(msg *sip.Request, id string, to sip.Uri, tag string) {
	if tag == "" {
		tag = sip.GenerateTagN(16)
	}
	from := &sip.FromHeader{DisplayName: p.cfg.Name, Address: p.address()}
	from.Params.Add("tag", tag)
	callID := sip.CallIDHeader(id)
	hops := sip.MaxForwardsHeader(70)
	msg.AppendHeader(from)
	msg.AppendHeader(&sip.ToHeader{Address: to})
	msg.AppendHeader(&callID)
	msg.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: msg.Method})
	msg.AppendHeader(&hops)
}
