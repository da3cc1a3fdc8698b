package sipleg

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// partyOf is who a From shows.
func (a *Agent) partyOf(from *sip.FromHeader) leg.Party {
	if from == nil {
		return leg.Party{}
	}
	return a.party(from.DisplayName, from.Address)
}

// party is who is meant by an address.
func (a *Agent) party(name string, u sip.Uri) leg.Party {
	p := leg.Party{Number: unescaped(u.User), Name: strings.TrimSpace(name)}
	switch raw := u.Raw(); {
	case raw != "": // tel:
		p.Number, _, _ = strings.Cut(raw, ";")
	case slices.Contains(a.known().Domains, hostKey(u.Host)):
		if _, address := literal(u); !address { // an address of ours is no name to be shown
			p.Domain = u.Host
		}
	case !a.ours(u):
		p.Host = u.Host
		if u.Port > 0 {
			p.Host = u.HostPort()
		}
	}
	return p
}

// asserted is the identity that a trusted peer vouches for (RFC 3325 §9.1).
func (a *Agent) asserted(msg headed) (leg.Party, bool) {
	v := value(msg, "P-Asserted-Identity")
	if v == "" {
		return leg.Party{}, false
	}
	id, err := wire.ReadAddress(v)
	return a.party(id.Name, id.URI), err == nil
}

// withheld tells that a caller asks not to be shown (RFC 3323 §4.2).
func withheld(req *sip.Request) bool {
	for _, t := range strings.FieldsFunc(strings.ToLower(value(req, "Privacy")), func(r rune) bool { return r == ';' || r == ' ' }) {
		if t == "id" || t == "user" || t == "header" {
			return true
		}
	}
	return false
}

// anonymous tells that a From hides who calls (RFC 3323 §4.1.1.3).
func anonymous(from *sip.FromHeader) bool {
	return from != nil && (strings.EqualFold(from.Address.User, "anonymous") || strings.EqualFold(from.Address.Host, "anonymous.invalid"))
}

// address writes From and To: the caller as it may be shown, and what was
// dialled, whatever is rung.
func (l *Leg) address(d *dialog) {
	o, p := l.out.order, l.out.peer
	domain := l.agent.domain(d.flow)
	from := partyAddress(o.From, domain)
	if p != nil && p.FromUser != "" {
		from.uri.User = userPart(p.FromUser)
	}
	if p != nil && p.FromDomain != "" {
		from.uri.Host, from.uri.Port = p.FromDomain, 0
	}
	if o.From.Withheld { // RFC 3323 §4.1.1.3
		from = address{"Anonymous", sip.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}}
	}
	d.local = from
	d.remote = address{uri: sip.Uri{Scheme: "sip", User: d.target.User, Host: d.target.Host, Port: d.target.Port}}
	if o.To.Number != "" {
		d.remote = partyAddress(o.To, domain)
	}
	d.contact = contactOn(d.flow, contactUser(from.uri.User))
}

// partyAddress is a party as From or To.
func partyAddress(p leg.Party, domain string) address {
	host := cmp.Or(p.Host, p.Domain, domain)
	a := address{name: quotable(p.Name), uri: sip.Uri{Scheme: "sip", User: userPart(p.Number), Host: host}}
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') && strings.Count(host, ":") == 1 {
		a.uri.Host = host[:i]
		a.uri.Port, _ = strconv.Atoi(host[i+1:])
	}
	return a
}

// nameAddr writes an address as a header's value.
func nameAddr(a address) string {
	v := "<" + a.uri.String() + ">"
	if a.name != "" {
		v = fmt.Sprintf(`"%s" %s`, quotable(a.name), v)
	}
	return v
}

// assert shows whom the party is connected to, as call control said it, to a
// party that may know (RFC 3325 §9.1).
func (l *Leg) assert(msg sip.Message, p leg.Party) {
	if p.Number == "" || p.Withheld || !l.trusted {
		return
	}
	with(msg, "P-Asserted-Identity", nameAddr(partyAddress(p, l.agent.domain(l.dialog.flow))))
}

// learnName takes from a phone's Contact what our file does not say of it: its
// name, and the domain that it goes by.
func (l *Leg) learnName(contact leg.Party) {
	p := l.Party()
	p.Name, p.Domain = cmp.Or(p.Name, contact.Name), cmp.Or(p.Domain, contact.Domain)
	l.party.Store(&p)
}

// learnParty takes note of who answers, where the callee says it.
func (l *Leg) learnParty(res *sip.Response) {
	if p := l.out.peer; p != nil && !p.Trusted {
		return
	}
	if p, ok := l.agent.asserted(res); ok {
		l.party.Store(&p)
	} else if c := res.Contact(); l.ofPhone && c != nil {
		l.learnName(l.agent.party(c.DisplayName, c.Address))
	}
}
