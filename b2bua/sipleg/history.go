package sipleg

import (
	"slices"
	"strings"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// forwardings reads by whom a call was forwarded on its way to us, latest
// first: from Diversion (RFC 5806) or History-Info (RFC 7044), whichever tells
// of more. What both tell is the same (RFC 7544 §4).
func (a *Agent) forwardings(req *sip.Request) []leg.Diversion {
	said, history := a.diversions(req), a.history(req)
	if len(history) > len(said) {
		return history
	}
	return said
}

// maxForwardings bounds what is read of either header.
const maxForwardings = 20

// diversions reads Diversion headers, latest first (RFC 5806 §4).
func (a *Agent) diversions(msg sip.Message) []leg.Diversion {
	var list []leg.Diversion
	for _, v := range elements(msg, "Diversion") {
		if by, err := wire.ReadAddress(v); err == nil && len(list) < maxForwardings {
			d := leg.Diversion{By: a.party(by.Name, by.URI), Reason: paramOf(by.Params, "reason")}
			privacy := paramOf(by.Params, "privacy")
			d.By.Withheld = privacy == "full" || privacy == "uri"
			list = append(list, d)
		}
	}
	return list
}

// A visit is one entry of History-Info: an address that the request was sent to.
type visit struct {
	party leg.Party
	index string
	from  string // index of the entry that led here; empty: it was the first
	moved bool   // to another user (RFC 7044 §10.2 "mp"), not to a place of the same
	cause string // why, of RFC 4458 §2; empty: not said
	left  string // SIP status for which it was left (RFC 3326); empty: not said
}

// history reads History-Info: the forwardings that led to its last entry,
// latest first (RFC 7544 §6).
func (a *Agent) history(req *sip.Request) []leg.Diversion {
	visits := make(map[string]visit)
	last := visit{}
	for _, v := range elements(req, "History-Info") {
		if e, ok := a.visit(v); ok && len(visits) < 2*maxForwardings {
			visits[e.index], last = e, e
		}
	}
	var list []leg.Diversion
	for at := last; at.from != "" && len(list) < maxForwardings; {
		delete(visits, at.index) // entries that lead in a circle end there
		before, ok := visits[at.from]
		if !ok {
			break
		}
		if at.moved {
			list = append(list, leg.Diversion{By: a.user(before, visits), Reason: at.reason(before)})
		}
		at = before
	}
	return list
}

// user is who is meant by an entry: behind one that is only a place of a user
// stands the user's own address.
func (a *Agent) user(v visit, visits map[string]visit) leg.Party {
	for !v.moved && v.from != "" {
		before, ok := visits[v.from]
		if !ok || before.index == v.index || len(before.index) >= len(v.index) {
			break
		}
		v = before
	}
	return v.party
}

// visit reads one entry.
func (a *Agent) visit(v string) (e visit, ok bool) {
	at, err := wire.ReadAddress(v)
	u := at.URI
	e.index = paramOf(at.Params, "index")
	if err != nil || strings.Trim(e.index, "0123456789.") != "" || e.index == "" {
		return e, false
	}
	e.cause, _ = u.UriParams.Get("cause")
	for _, kv := range u.Headers {
		value := unescaped(kv.V)
		switch {
		case strings.EqualFold(kv.K, "Reason") && strings.HasPrefix(strings.ToUpper(value), "SIP"):
			e.left = param(value, "cause")
		case strings.EqualFold(kv.K, "Privacy") && strings.Contains(value, "history"):
			e.party.Withheld = true
		}
	}
	hidden := e.party.Withheld
	u.Headers = nil
	e.party = a.party(at.Name, u)
	e.party.Withheld = hidden
	mapped := paramOf(at.Params, "mp")
	e.moved = mapped != "" || e.cause != ""
	e.from = mapped
	for _, same := range []string{"rc", "np"} {
		if e.from == "" {
			e.from = paramOf(at.Params, same)
		}
	}
	if i := strings.LastIndexByte(e.index, '.'); e.from == "" && i > 0 {
		e.from = e.index[:i]
	}
	return e, true
}

// causes of RFC 4458 §2 by the reason of a Diversion, as RFC 7544 §7.1 maps
// them; what is not here is 404, "unknown".
var historyCauses = []struct{ reason, cause string }{
	{"unconditional", "302"}, {"user-busy", "486"}, {"no-answer", "408"}, {"unavailable", "503"},
	{"deflection", "487"}, {"deflection", "480"},
}

func historyCause(reason string) string {
	for _, c := range historyCauses {
		if c.reason == reason {
			return c.cause
		}
	}
	return "404"
}

// reason is why the call came here, in the words of RFC 5806 §4.1.
func (v visit) reason(before visit) string {
	cause := v.cause
	if cause == "" {
		cause = before.left
	}
	for _, c := range historyCauses {
		if c.cause == cause {
			return c.reason
		}
	}
	return "unknown"
}

// tellForwardings writes by whom the call was forwarded, as Diversion and as
// History-Info: old exchanges and gateways read the one, newer ones the other.
func (l *Leg) tellForwardings(req *sip.Request) {
	list := l.out.order.Diversions
	if len(list) == 0 {
		return
	}
	domain := l.agent.domain(l.dialog.flow)
	for _, d := range list { // RFC 5806 §4.1
		v := nameAddr(partyAddress(d.By, domain))
		if d.Reason != "" {
			v += ";reason=" + d.Reason
		}
		if d.By.Withheld {
			v += ";privacy=full"
		}
		with(req, "Diversion", v)
	}
	with(req, "History-Info", l.historyInfo(list, domain))
}

// historyInfo is the value of RFC 7044 §5: each who forwarded, oldest first,
// and where the request goes now.
func (l *Leg) historyInfo(list []leg.Diversion, domain string) string {
	var entries []string
	index, cause := "1", ""
	enter := func(p leg.Party, u sip.Uri, left, how string) {
		if cause != "" {
			u.UriParams = slices.Clone(u.UriParams)
			u.UriParams.Remove("cause")
			u.UriParams.Add("cause", cause)
		}
		u.Headers = nil
		if left != "" {
			u.Headers = append(u.Headers, sip.HeaderKV{K: "Reason", V: escaped("SIP;cause=" + left)})
		}
		if p.Withheld {
			u.Headers = append(u.Headers, sip.HeaderKV{K: "Privacy", V: "history"})
		}
		v := nameAddr(address{quotable(p.Name), u}) + ";index=" + index
		if how != "" {
			v += ";" + how + "=" + index[:strings.LastIndexByte(index, '.')]
		}
		entries = append(entries, v)
		index += ".1"
	}
	how := ""
	for i := len(list) - 1; i >= 0; i-- {
		d := list[i]
		enter(d.By, partyAddress(d.By, domain).uri, statusOf(d.Reason), how)
		cause, how = historyCause(d.Reason), "mp"
	}
	callee := l.Party()
	if l.ofPhone { // first the phone's number, then the place where it is
		enter(callee, partyAddress(callee, domain).uri, "", how)
		cause, how = "", "rc"
	}
	enter(leg.Party{}, *l.dialog.target.Clone(), "", how)
	return strings.Join(entries, ", ")
}

// statusOf is the response for which an address was left; empty: it gave none
// (RFC 7044 §10.2).
func statusOf(reason string) string {
	switch reason {
	case "user-busy", "do-not-disturb":
		return "486"
	case "no-answer":
		return "408"
	case "deflection":
		return "302"
	}
	return ""
}
