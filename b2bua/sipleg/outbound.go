package sipleg

import (
	"cmp"
	"time"

	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// An outbound is our registration at a peer (RFC 3261 §10.2).
//
//	b2bua          peer
//	  |--REGISTER--->|
//	  |<----401------|
//	  |--REGISTER--->|   with credentials
//	  |<----200------|   and again after three quarters of the time granted
type outbound struct {
	*upkeep
	cseq uint32 // of the latest REGISTER
}

// registerFor is for how long we ask to be registered.
const registerFor = time.Hour

func newOutbound(a *Agent, p *Peer, t terms) *upkeep {
	r := &outbound{upkeep: newUpkeep(a, p, t)}
	r.kind, r.ask = r, cmp.Or(p.RegisterFor, registerFor)
	return r.upkeep
}

func (r *outbound) take(in wire.Inbound) {
	if in.Response != nil {
		r.in.Put(in)
	} else {
		r.agent.desk.take(in, nil) // nobody has anything to ask of a registration
	}
}

func (r *outbound) name() string               { return "registration" }
func (r *outbound) handles(*sip.Response) bool { return false }
func (r *outbound) unheard()                   {}
func (r *outbound) received(wire.Inbound)      {}
func (r *outbound) alarm() (never time.Time)   { return never }
func (r *outbound) work(time.Time)             {}
func (r *outbound) held(asked bool) bool       { return asked || r.now().State == Registered }
func (r *outbound) left() bool                 { return true }

// place is the Request-URI: the peer, without a user (RFC 3261 §10.2).
func (r *outbound) place() sip.Uri {
	u, _ := r.peer.uri("") // no host has no address, which is told
	return u
}

// compose makes a REGISTER.
func (r *outbound) compose() *sip.Request {
	a := r.agent
	r.cseq++
	uri := r.place()
	uri.UriParams = nil
	req := sip.NewRequest(sip.REGISTER, uri)
	req.AppendHeader(a.via(r.flow, r.tag))
	req.AppendHeader(maxForwards(0))
	own := sip.Uri{Scheme: "sip", User: userPart(r.peer.User), Host: cmp.Or(r.peer.FromDomain, uri.Host)}
	from := &sip.FromHeader{Address: own}
	from.Params.Add("tag", r.tag)
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: own})
	id := sip.CallIDHeader(r.callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: r.cseq, MethodName: sip.REGISTER})
	seconds := "0"
	if !r.leaving {
		seconds = whole(r.ask)
	}
	contact := &sip.ContactHeader{Address: contactOn(r.flow, contactUser(own.User))}
	contact.Params.Add("expires", seconds)
	req.AppendHeader(contact)
	with(req, "Expires", seconds, "Allow", a.allow(), "User-Agent", a.cfg.Product)
	req.SetBody(nil)
	return req
}

// granted notes until when we are registered.
func (r *outbound) granted(res *sip.Response) {
	granted := r.lasts(res)
	if was := r.shown.Load(); was.State != Registered || was.Problem != "" {
		r.log.Info("registered", "at", r.flow.Remote(), "for", granted)
	}
	r.stands(res, granted)
}

// lasts is the time for which a 200 registers us: that of our Contact, else of
// the response, else what we asked for (RFC 3261 §10.2.4).
func (r *outbound) lasts(res *sip.Response) time.Duration {
	d := r.ask
	if n, ok := seconds(res, "Expires"); ok && n > 0 {
		d = time.Duration(n) * time.Second
	}
	contacts := res.GetHeaders("Contact")
	for _, h := range contacts {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			continue
		}
		if to, ok := literal(c.Address); len(contacts) > 1 && (!ok || to != r.flow.Local()) {
			continue // another place of the same user
		}
		if n, ok := expiry(c); ok && n > 0 {
			d = time.Duration(n) * time.Second
		}
	}
	return min(max(d, 4*time.Second), 24*time.Hour)
}
