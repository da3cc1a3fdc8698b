package wiring

import (
	"crosspoint/b2bua/sipleg"
	"crosspoint/dialplan"
)

// A book is what the office file says of numbers and parties, as the parts of the
// office ask for it. It does not change: a reload puts another in its place.
type book struct {
	parties  dialplan.Config
	plan     *dialplan.Plan
	trunks   map[string]dialplan.Trunk
	accounts map[string]sipleg.Account   // by the user name of their credentials
	fixed    map[string][]sipleg.Contact // of phones that do not register
}

func newBook(parties dialplan.Config, plan *dialplan.Plan) *book {
	b := &book{
		parties: parties, plan: plan, trunks: map[string]dialplan.Trunk{},
		accounts: map[string]sipleg.Account{}, fixed: map[string][]sipleg.Contact{},
	}
	for _, t := range parties.Trunks {
		b.trunks[t.Name] = t
	}
	for _, p := range parties.Phones {
		if p.Secret != "" {
			a := account(p)
			b.accounts[a.User] = a
		}
		for _, uri := range p.Contacts {
			if c, err := ParseContact(uri); err == nil {
				b.fixed[p.Extension] = append(b.fixed[p.Extension], c)
			}
		}
	}
	return b
}

func account(p dialplan.Phone) sipleg.Account {
	a := sipleg.Account{User: p.User, Secret: p.Secret, Extension: p.Extension, Name: p.Name}
	if a.User == "" {
		a.User = p.Extension
	}
	return a
}

// strangersTo are the phones of this book that another one does not know, or
// not by the same credentials.
func (b *book) strangersTo(other *book) []string {
	var gone []string
	for user, a := range b.accounts {
		if now, ok := other.accounts[user]; !ok || now.Secret != a.Secret || now.Extension != a.Extension {
			gone = append(gone, a.Extension)
		}
	}
	return gone
}
