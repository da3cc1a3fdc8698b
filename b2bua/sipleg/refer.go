package sipleg

import (
	"fmt"
	"strconv"
	"strings"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// refer is what a leg keeps about REFER (RFC 3515), theirs and ours.
type refer struct {
	id   uint32 // CSeq number of the party's REFER that still wants NOTIFY; zero: none
	last int    // status of our last NOTIFY about it
	ours bool   // we have sent a REFER: NOTIFYs of the party are about it
}

// referred takes a REFER: the party asks us to send the other end elsewhere.
//
//	party            b2bua
//	  |---REFER------>|   leg.Referred
//	  |<-----202------|
//	  |<--NOTIFY 100--|
//	  |------200----->|
//	  |<--NOTIFY 200--|   as call control orders
//	  |------200----->|
func (l *Leg) referred(s *server) {
	req := s.Request
	targets := values(req, "Refer-To")
	if l.state != talking {
		l.respond(s, 403)
		return
	}
	if len(targets) != 1 {
		l.respond(s, 400)
		return
	}
	r, ok := l.agent.readRefer(targets[0])
	if !ok {
		l.respond(s, 400)
		return
	}
	r.ReferredBy = value(req, "Referred-By")
	if r.ReferredBy == "" { // RFC 3892 leaves it to the referrer; the target should know
		r.ReferredBy = nameAddr(l.dialog.remote)
	}
	ev := leg.Referred{Of: l.of(), Refer: r}
	if r.Replaces != "" {
		if other := l.agent.replaced(r.Replaces); other != nil {
			ev.ReplacesLeg = other
		}
	}
	res := response(req, 202, "", l.tag)
	res.AppendHeader(&sip.ContactHeader{Address: l.dialog.contact})
	l.refer.id, l.refer.last = seqOf(req), 0
	if strings.EqualFold(value(req, "Refer-Sub"), "false") { // RFC 4488
		with(res, "Refer-Sub", "false")
		l.refer.id = 0
	}
	res.SetBody(nil)
	l.reply(s, res)
	l.notify(leg.Cause{Status: 100}) // RFC 3515 §2.4.4: at once
	l.deliver(ev)
}

// readRefer reads a Refer-To: an address whose Replaces header, if it has one,
// is escaped (RFC 3891 §4).
func (a *Agent) readRefer(v string) (leg.Refer, bool) {
	to, err := wire.ReadAddress(v)
	if err != nil {
		return leg.Refer{}, false
	}
	r, u := leg.Refer{}, to.URI
	for _, kv := range u.Headers {
		if strings.EqualFold(kv.K, "Replaces") {
			r.Replaces = unescaped(kv.V)
		}
	}
	u.Headers = nil
	u.UriParams.Remove("method")
	r.Target, r.To = u.String(), a.party(to.Name, u)
	return r, oneLine(r.Target) != "" && (r.Replaces == "" || oneLine(r.Replaces) != "")
}

// notify tells the party how far its referral has come (RFC 3515 §2.4.5).
func (l *Leg) notify(c leg.Cause) {
	status := c.Status
	if status == 0 {
		status = c.Filled().Status
	}
	if l.refer.id == 0 || status == l.refer.last || l.state != talking {
		return
	}
	l.refer.last = status
	req := l.dialog.newRequest(sip.NOTIFY)
	state := "active;expires=180"
	if status >= 200 {
		state = "terminated;reason=noresource"
	}
	with(req, "Event", "refer;id="+strconv.FormatUint(uint64(l.refer.id), 10), "Subscription-State", state)
	kind := sip.ContentTypeHeader("message/sipfrag;version=2.0")
	req.AppendHeader(&kind)
	req.SetBody([]byte(fmt.Sprintf("SIP/2.0 %d %s\r\n", status, phraseOf(c, status))))
	if status >= 200 {
		l.refer.id = 0
	}
	l.send(l.dialog, req, fmt.Sprintf("NOTIFY %d", status), nil)
}

// sendRefer asks the party to call elsewhere by itself.
func (l *Leg) sendRefer(r leg.Refer) {
	if l.state != talking || oneLine(r.Target) == "" {
		l.log.Debug("no REFER", "state", l.state, "target", r.Target)
		return
	}
	target := r.Target
	if r.Replaces != "" {
		target += "?Replaces=" + escaped(r.Replaces)
	}
	req := l.dialog.newRequest(sip.REFER)
	with(req, "Refer-To", "<"+target+">", "Referred-By", oneLine(r.ReferredBy))
	l.refer.ours = true
	l.send(l.dialog, req, "REFER"+drawAddress(req, "Refer-To"), func(res *sip.Response) {
		if res.StatusCode >= 300 {
			l.refer.ours = false
			l.deliver(leg.Notified{Of: l.of(), Cause: causeOf(res, l.name)})
		}
	})
}

// escaped makes a value fit into a URI's header part (RFC 3261 §19.1.1).
func escaped(v string) string {
	var b strings.Builder
	for i := range len(v) {
		c := v[i]
		if isAlphanum(c) || strings.IndexByte("-_.!~*'()", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// tellReferrer says who transferred: in Referred-By (RFC 3892), to a phone of
// before it in Requested-By. Of a callee that we have not heard yet nobody knows
// what it reads: a phone is told both, another where the referrer was of 1999.
func (l *Leg) tellReferrer(req *sip.Request, by string) {
	if by == "" {
		return
	}
	if !strings.ContainsRune(by, ':') { // a telephone's number
		by = nameAddr(partyAddress(leg.Party{Number: by}, l.agent.domain(l.dialog.flow)))
	}
	legacy, known := l.dialect()
	if legacy || !known && (l.ofPhone || l.out.order.Also) {
		with(req, "Requested-By", by)
	}
	if !legacy {
		with(req, "Referred-By", by)
	}
}

// notified takes a NOTIFY about our REFER.
func (l *Leg) notified(s *server) {
	event, _, _ := strings.Cut(strings.ToLower(value(s.Request, "Event")), ";")
	switch {
	case strings.TrimSpace(event) != "refer":
		l.respond(s, 489, "Allow-Events", "refer")
		return
	case !l.refer.ours:
		l.respond(s, 481)
		return
	}
	l.respond(s, 200)
	fields := strings.Fields(string(s.Request.Body()))
	if len(fields) < 2 {
		return
	}
	status, err := strconv.Atoi(fields[1])
	if err != nil || status < 100 || status > 699 {
		return
	}
	l.deliver(leg.Notified{Of: l.of(), Cause: leg.Cause{Status: status, By: l.name}.Filled()})
	if status >= 200 {
		l.refer.ours = false
	}
}

// also takes the transfer of a phone of before REFER: a BYE that says whom the
// other end should call.
func (l *Leg) also(bye *sip.Request) {
	for _, v := range values(bye, "Also") {
		if r, ok := l.agent.readRefer(v); ok {
			r.ReferredBy = nameAddr(l.dialog.remote)
			l.deliver(leg.Referred{Of: l.of(), Refer: r, Gone: true})
			return
		}
	}
}
