package sipleg

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// register serves a REGISTER (RFC 3261 §10.3): the phone proves itself, and may
// then say where its own extension is reached, and nobody else's.
func (a *Agent) register(in wire.Inbound, tag string) *sip.Response {
	req := in.Request
	refuse := func(r *refusal) *sip.Response { return a.refused("registration", in, tag, r) }
	if a.cfg.Registrar == nil {
		return refuse(&refusal{status: 405, headers: []string{"Allow", a.allow()}})
	}
	if misled := a.misled(req); misled != nil {
		return refuse(misled)
	}
	account, refused := a.credentials(in, "Authorization", 401)
	if refused != nil {
		return refuse(refused)
	}
	to := req.To()
	if to == nil {
		return refuse(&refusal{status: 400})
	}
	number := account.number()
	if user := unescaped(to.Address.User); !strings.EqualFold(user, number) && !strings.EqualFold(user, account.User) {
		return refuse(&refusal{status: 403, phrase: "Not Your Extension", hint: "the phone of " + number + " tries to register as " + user})
	}
	a.hears(number, req, in.Flow)
	ask, refused := registration(in, number)
	if refused != nil {
		return refuse(refused)
	}
	if len(ask.Contacts) == 1 && !natted(req, in.Flow) { // not behind NAT: it listens where it says
		if to, ok := literal(req.Contact().Address); ok && to != in.Flow.Remote() {
			if flow, err := a.wire.FlowTo(in.Flow.Transport(), to); err == nil {
				ask.Flow = flow
			}
		}
	}
	result := a.cfg.Registrar.Register(ask)
	a.desk.notifier.registered(number, result.Bindings)
	return a.registered(req, tag, result)
}

// refused is the answer to a request that has no leg; the log says why, where a
// person would want to know.
func (a *Agent) refused(what string, in wire.Inbound, tag string, r *refusal) *sip.Response {
	res := response(in.Request, r.status, r.phrase, tag)
	with(res, r.headers...)
	if r.hint != "" {
		a.log.Info(what+" refused", "status", r.status, "why", r.hint, "source", in.Flow.Remote())
	}
	return res
}

// misled refuses a request that is not for us, or wants what we do not know; nil:
// neither.
func (a *Agent) misled(req *sip.Request) *refusal {
	if !a.ours(req.Recipient) {
		return &refusal{status: 404, phrase: "Not Our Domain", hint: "the domain " + req.Recipient.Host + " is not among ours"}
	}
	if unknown := a.unsupported(req); unknown != "" {
		return &refusal{status: 420, headers: []string{"Unsupported", unknown}}
	}
	return nil
}

// registration reads what a REGISTER asks.
func registration(in wire.Inbound, aor string) (registrar.Request, *refusal) {
	req := in.Request
	ask := registrar.Request{
		AOR: aor, CallID: callID(req), CSeq: seqOf(req), Expires: -1, UserAgent: value(req, "User-Agent"),
		Transport: in.Flow.Transport().String(), Source: in.Flow.Remote(), Flow: in.Flow,
	}
	if n, ok := seconds(req, "Expires"); ok {
		ask.Expires = n
	}
	for _, h := range req.GetHeaders("Contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			continue
		}
		if c.Address.Wildcard {
			ask.Star = true
			continue
		}
		if c.Address.Scheme != "sip" || c.Address.Host == "" {
			return ask, &refusal{status: 400, phrase: "Contact Is No SIP Address"}
		}
		contact := registrar.Contact{URI: c.Address.String(), Q: quality(c, -1), Expires: -1}
		if n, ok := expiry(c); ok {
			contact.Expires = n
		}
		contact.Instance, _ = c.Params.Get("+sip.instance")
		ask.Contacts = append(ask.Contacts, contact)
	}
	return ask, nil
}

// registered answers with all bindings that stand (RFC 3261 §10.3 step 8).
func (a *Agent) registered(req *sip.Request, tag string, r registrar.Result) *sip.Response {
	phrase := r.Reason
	if r.Status == 200 {
		phrase = "OK"
	}
	res := response(req, r.Status, phrase, tag)
	if r.Status == 423 {
		with(res, "Min-Expires", whole(r.Min))
	}
	now := time.Now()
	for _, b := range r.Bindings {
		left := max(int(b.Expires.Sub(now).Round(time.Second)/time.Second), 1)
		v := fmt.Sprintf("<%s>;expires=%d", b.URI, left)
		if b.Q != 1 {
			v += ";q=" + strconv.FormatFloat(b.Q, 'g', 3, 64)
		}
		if b.Instance != "" {
			v += `;+sip.instance="` + quotable(b.Instance) + `"`
		}
		with(res, "Contact", v)
	}
	with(res, "Date", now.UTC().Format("Mon, 02 Jan 2006 15:04:05")+" GMT", "Server", a.cfg.Product)
	return res
}
