package sipleg

import (
	"cmp"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// maxMoved bounds how many places a redirection may name.
const maxMoved = 10

// moved are the places that a 300, 301 or 302 names, best first (RFC 3261
// §8.1.3.4), in the words of the dial plan, and why they are to be called
// instead, if the callee says so (RFC 5806 §4). A 305 names a proxy, which we
// let nobody choose for us; a 380 names another service.
func (l *Leg) moved(res *sip.Response) (places []string, reason string) {
	if res.StatusCode < 300 || res.StatusCode > 302 {
		return nil, ""
	}
	type place struct {
		dialed string
		q      float64
	}
	var list []place
	for _, h := range res.GetHeaders("Contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok || c.Address.Wildcard || len(list) == maxMoved {
			continue
		}
		p := place{q: quality(c, 1)}
		if p.dialed = l.placeOf(c.Address); p.dialed != "" {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b place) int { return cmp.Compare(b.q, a.q) })
	for _, p := range list {
		places = append(places, p.dialed)
	}
	if d := l.agent.diversions(res); len(d) > 0 {
		reason = d[0].Reason
	}
	return places, reason
}

// placeOf is a Contact of a redirection as it would be dialled; empty: nobody
// could. Phones whose user has typed a number put their own address behind it,
// and mean ours.
func (l *Leg) placeOf(u sip.Uri) string {
	if u.Scheme == "tel" {
		return oneLine(u.Raw())
	}
	if u.Scheme != "sip" || u.Host == "" {
		return ""
	}
	own := unescaped(l.dialog.target.User)
	if to, ok := literal(u); ok && l.ofPhone && u.User != "" && !strings.EqualFold(unescaped(u.User), own) && to == l.dialog.flow.Remote() {
		return oneLine(unescaped(u.User))
	}
	return oneLine(l.agent.dialed(u))
}
