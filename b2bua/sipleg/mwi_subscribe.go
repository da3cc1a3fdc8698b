package sipleg

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"crosspoint/b2bua/mwi"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// Times and number of subscriptions.
const (
	subscribeDefault = time.Hour   // for who asks for none, or for longer
	subscribeMin     = time.Minute // who asks for less is answered 423
	maxSubscriptions = 10          // of one account: whose would end first makes room, as in the registrar
)

// subscribe serves a SUBSCRIBE that begins a dialog (RFC 6665 §4.2.1): the phone
// proves itself, and may then be told of its own extension's messages.
func (n *notifier) subscribe(in wire.Inbound, tag string) *sip.Response {
	a, req := n.agent, in.Request
	refuse := func(r *refusal) *sip.Response { return a.refused("subscription", in, tag, r) }
	switch {
	case n.board == nil || packageOf(req) != messageSummary:
		return refuse(&refusal{status: 489, headers: []string{"Allow-Events", a.events()}})
	case a.stopping.Load():
		return refuse(&refusal{status: 503, headers: []string{"Retry-After", "30"}})
	}
	if misled := a.misled(req); misled != nil {
		return refuse(misled)
	}
	account, refused := a.credentials(in, "Authorization", 401)
	if refused != nil {
		return refuse(refused)
	}
	number := account.number()
	a.hears(number, req, in.Flow)
	if refused := a.ownMessages(req, account); refused != nil {
		return refuse(refused)
	}
	lasts, refused := a.subscribable(req)
	if refused != nil {
		return refuse(refused)
	}
	contact := contactOf(req)
	if contact == "" {
		return refuse(&refusal{status: 400, phrase: "Contact Is No SIP Address"})
	}
	now := time.Now()
	n.makeRoom(number, contact, now)
	s := n.newSubscription(in, account, contact)
	s.grant(lasts, now)
	a.log.Debug("message waiting: subscribed", "phone", number, "contact", contact, "for", lasts)
	return s.granted(req, lasts)
}

// ownMessages refuses a phone that asks for the messages of another. A request to
// no user at all can only mean its own.
func (a *Agent) ownMessages(req *sip.Request, account Account) *refusal {
	number, user := account.number(), unescaped(req.Recipient.User)
	switch {
	case user == "" || strings.EqualFold(user, number) || strings.EqualFold(user, account.User):
		return nil
	case a.cfg.Extension(user):
		return &refusal{status: 403, phrase: "Not Your Extension", hint: "the phone of " + number + " asks for the messages of " + user}
	}
	return &refusal{status: 404, hint: "the phone of " + number + " asks for the messages of " + user + ", which is no extension: it should ask for its own"}
}

// subscribable reads what is common to a SUBSCRIBE that begins and one that
// refreshes: for how long, and whether the phone can read what we tell.
func (a *Agent) subscribable(req *sip.Request) (time.Duration, *refusal) {
	if !accepts(req, mwi.ContentType) {
		return 0, &refusal{status: 406, headers: []string{"Accept", mwi.ContentType}}
	}
	n, ok := seconds(req, "Expires")
	if !ok {
		return subscribeDefault, nil
	}
	lasts := time.Duration(n) * time.Second
	if lasts > 0 && lasts < subscribeMin {
		return 0, &refusal{status: 423, headers: []string{"Min-Expires", whole(subscribeMin)}}
	}
	return min(lasts, subscribeDefault), nil
}

// makeRoom takes away the subscription that a phone has had before, which has
// forgotten it, and one of too many.
func (n *notifier) makeRoom(extension, contact string, now time.Time) {
	for _, s := range n.active(extension) {
		if s.contact == contact {
			s.remove()
		}
	}
	if active := n.active(extension); len(active) >= maxSubscriptions {
		slices.MinFunc(active, func(a, b *subscription) int { return a.until.Compare(b.until) }).end(displaced, now)
	}
	if all := n.subs[extension]; len(all) >= 2*maxSubscriptions { // that wait for an answer to their last NOTIFY
		all[0].remove()
	}
}

// events are the event packages that we know (RFC 6665 §8.2.2).
func (a *Agent) events() string {
	if a.cfg.Messages == nil {
		return "refer"
	}
	return messageSummary + ", refer"
}

// packageOf is the event package that a request is about, in lower case.
func packageOf(msg headed) string {
	name, _, _ := strings.Cut(value(msg, "Event"), ";")
	return strings.ToLower(strings.TrimSpace(name))
}

// eventOf is the package with the id that tells several subscriptions of one
// dialog apart (RFC 6665 §8.2.1).
func eventOf(msg headed) string {
	for p := range strings.SplitSeq(value(msg, "Event"), ";") {
		k, id, _ := strings.Cut(p, "=")
		if id = strings.TrimSpace(id); strings.EqualFold(strings.TrimSpace(k), "id") && id != "" {
			return packageOf(msg) + ";id=" + id
		}
	}
	return packageOf(msg)
}

// accepts tells whether a request lets us send a body of a type: it says so, or
// says nothing (RFC 3842 §3.5). The range that is narrowest counts (RFC 3261 §20.1).
func accepts(req *sip.Request, kind string) bool {
	family, _, _ := strings.Cut(kind, "/")
	ranges := []string{"*/*", family + "/*", kind}
	list := elements(req, "Accept")
	narrowest, q := 0, 0.0
	for _, v := range list {
		if n := slices.Index(ranges, mediaType(v)) + 1; n > narrowest {
			narrowest, q = n, 1
			if weight, err := strconv.ParseFloat(param(v, "q"), 64); err == nil {
				q = weight
			}
		}
	}
	return len(list) == 0 || q > 0
}

// contactOf is the address at which who sent a request is reached; empty: it
// names none that we could use.
func contactOf(req *sip.Request) string {
	c := req.Contact()
	if c == nil || c.Address.Wildcard || c.Address.Scheme != "sip" || c.Address.Host == "" {
		return ""
	}
	return c.Address.String()
}
