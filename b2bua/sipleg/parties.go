package sipleg

import (
	"slices"

	"crosspoint/b2bua/registrar"
)

// Parties are who an Agent knows, as far as that may change while it serves.
// Phones are asked for by Config.Account and Config.Contacts.
type Parties struct {
	Peers                 []Peer
	Domains               []string
	Strangers             bool
	RefuseForeignIdentity bool
}

// SetParties puts others in the place of those that Config named, for requests
// and calls that come from now on. Calls in progress go on; so do registrations
// and subscriptions at peers whose terms are the same, others begin or are given back.
func (a *Agent) SetParties(p Parties) {
	a.parties.Store(newParties(p, a.parties.Load()))
	a.keepUp(p.Peers)
}

// parties are those in force, with what goes with them. It does not change.
type parties struct {
	Parties
	clients map[string]*registrar.Client // our credentials, by peer
}

// newParties takes credentials over that are still the same: they count how
// often a nonce was used.
func newParties(p Parties, before *parties) *parties {
	now := &parties{Parties: p, clients: make(map[string]*registrar.Client)}
	now.Domains = slices.Clone(p.Domains)
	for i, d := range now.Domains {
		now.Domains[i] = hostKey(d)
	}
	for _, peer := range p.Peers {
		if peer.Secret == "" {
			continue
		}
		client := &registrar.Client{User: peer.User, Secret: peer.Secret}
		if before != nil {
			if old := before.clients[peer.Name]; old != nil && old.User == peer.User && old.Secret == peer.Secret {
				client = old
			}
		}
		now.clients[peer.Name] = client
	}
	return now
}

// known are the parties in force.
func (a *Agent) known() *parties { return a.parties.Load() }
