package sipleg

import (
	"net/netip"
	"strings"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// A sender is who a request outside of a dialog comes from, as far as we know.
type sender struct {
	source leg.Source
	caller leg.Party
	name   string // its column
	peer   *Peer  // nil: none
	alerts bool   // it may say how telephones ring for it
}

// A refusal is an answer that ends a request.
type refusal struct {
	status  int
	phrase  string   // empty: the standard's
	headers []string // names and values
	hint    string   // for the log: what would change it
	nonce   string   // of a challenge
}

// identify finds out who sends an INVITE: a peer by its address, a phone by its
// credentials, or a stranger where those are let in. A refusal, if not nil, is
// the answer instead: most often a challenge.
func (a *Agent) identify(in wire.Inbound) (sender, *refusal) {
	req := in.Request
	from := a.partyOf(req.From())
	if p := a.peerAt(in.Flow.Remote()); p != nil {
		s := sender{source: leg.Source{Kind: leg.Peer, Name: p.Name}, caller: from, name: p.Name, peer: p, alerts: p.AlertInfo}
		if p.Trusted {
			if asserted, ok := a.asserted(req); ok {
				s.caller = asserted
			}
		}
		s.caller.Withheld = s.caller.Withheld || withheld(req)
		a.hears(p.Name, req, in.Flow)
		return s, nil
	}
	account, refused := a.credentials(in, "Proxy-Authorization", 407)
	if refused != nil {
		if s, ok := a.callsForHelp(in, from); ok {
			return s, nil
		}
	}
	switch {
	case refused == nil:
		return a.phone(in, account, from)
	case (refused.nonce != "" || a.cfg.Digest == nil) && a.known().Strangers && !a.claimsOurs(req) && len(authorizations(req)) == 0:
		from.Withheld = from.Withheld || withheld(req)
		return sender{source: leg.Source{Kind: leg.Stranger}, caller: from, name: a.columnOf(req)}, nil
	}
	return sender{name: a.columnOf(req)}, refused
}

// phone is the sender whose credentials are right: its identity is its own,
// whatever the From says.
func (a *Agent) phone(in wire.Inbound, account Account, from leg.Party) (sender, *refusal) {
	req := in.Request
	number := account.number()
	s := sender{source: leg.Source{Kind: leg.Phone, Name: number}, caller: leg.Party{Number: number, Name: account.Name, Domain: from.Domain}, name: number, alerts: true}
	if own := strings.EqualFold(from.Number, number) || strings.EqualFold(from.Number, account.User); !own && a.known().RefuseForeignIdentity && !anonymous(req.From()) {
		return s, &refusal{status: 403, phrase: "From Is Not Yours", hint: "the phone of " + number + " calls as " + from.String() + ": set its user name and its address alike"}
	}
	if s.caller.Name == "" {
		s.caller.Name = from.Name
	}
	s.caller.Withheld = withheld(req) || anonymous(req.From())
	a.hears(number, req, in.Flow)
	return s, nil
}

// credentials verifies those of a request; the refusal is a challenge with the
// given status, or says what is wrong with them.
func (a *Agent) credentials(in wire.Inbound, header string, challenge int) (Account, *refusal) {
	req := in.Request
	d := a.cfg.Digest
	if d == nil {
		return Account{}, &refusal{status: 403, hint: "nobody can prove who they are: no phone has a secret"}
	}
	v := d.Verify(string(req.Method), req.Recipient.String(), authorizations(req), in.Flow.Remote().Addr())
	switch v.Outcome {
	case registrar.OK:
		if account, ok := a.cfg.Account(v.User); ok {
			return account, nil
		}
		return Account{}, &refusal{status: 403, hint: "the phone " + v.User + " is no longer configured"}
	case registrar.Malformed:
		return Account{}, &refusal{status: 400, phrase: "Malformed Credentials"}
	case registrar.Throttled:
		return Account{}, &refusal{status: 403, hint: "too many wrong passwords from this address"}
	}
	r := &refusal{status: challenge}
	values := d.Challenge(v.Outcome == registrar.Stale)
	if v.Legacy || speaks2543(req) {
		values = d.LegacyChallenge(v.Outcome == registrar.Stale)
	}
	name := "Proxy-Authenticate"
	if challenge == 401 {
		name = "WWW-Authenticate"
	}
	for _, v := range values {
		r.headers = append(r.headers, name, v)
		r.nonce = nonceOf(v)
	}
	return Account{}, r
}

// authorizations are the credentials of a request, in either header: phones do
// not agree on which one an exchange wants.
func authorizations(req *sip.Request) []string {
	return append(values(req, "Proxy-Authorization"), values(req, "Authorization")...)
}

// nonceOf is the nonce in a challenge or in credentials; empty: there is none.
func nonceOf(v string) string {
	i := strings.Index(strings.ToLower(v), "nonce=\"")
	for i > 0 && v[i-1] != ' ' && v[i-1] != ',' { // cnonce
		j := strings.Index(strings.ToLower(v[i+1:]), "nonce=\"")
		if j < 0 {
			return ""
		}
		i += 1 + j
	}
	if i < 0 {
		return ""
	}
	nonce, _, _ := strings.Cut(v[i+7:], `"`)
	return nonce
}

// speaks2543 tells a peer of before RFC 3261 by what it leaves out.
func speaks2543(req *sip.Request) bool {
	if fromTag(req) == "" {
		return true
	}
	via := req.Via()
	if via == nil {
		return true
	}
	_, ok := txn.Branch(via)
	return !ok
}

// claimsOurs tells whether a From names an address in our domains.
func (a *Agent) claimsOurs(req *sip.Request) bool {
	from := req.From()
	return from == nil || a.ours(from.Address)
}

// columnOf names an unproven sender in ladders and logs.
func (a *Agent) columnOf(req *sip.Request) string {
	from := req.From()
	if from == nil {
		return "stranger"
	}
	if a.ours(from.Address) && from.Address.User != "" {
		if account, ok := a.cfg.Account(unescaped(from.Address.User)); ok {
			return account.number()
		}
		return unescaped(from.Address.User)
	}
	return hostName(from.Address)
}

// peerAt is the peer that calls from an address, the most narrowly named first.
func (a *Agent) peerAt(from netip.AddrPort) *Peer {
	addr := from.Addr()
	var best *Peer
	bits := -1
	peers := a.known().Peers
	for i := range peers {
		for _, prefix := range peers[i].Addresses {
			if prefix.Contains(addr) && prefix.Bits() > bits {
				best, bits = &peers[i], prefix.Bits()
			}
		}
	}
	if best == nil {
		return a.registeredAt(from)
	}
	return best
}
