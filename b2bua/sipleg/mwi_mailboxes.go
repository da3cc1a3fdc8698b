package sipleg

import (
	"net/netip"
	"time"
)

// A Mailbox is our subscription at a peer to the messages of our account there, as
// it stands.
type Mailbox struct {
	Peer      string
	Extension string // that is shown the messages
	State     MailboxState
	Address   netip.AddrPort // where we subscribed last
	Until     time.Time      // until when we are told; zero: we are not
	Next      time.Time      // when it is renewed or tried again; zero: it is being tried
	Status    int            // of the peer's refusal; 0: there was none
	Problem   string         // what is wrong and what to look at; empty: nothing
}

// MailboxState is how far a Mailbox has come.
type MailboxState uint8

const (
	Subscribing   MailboxState = iota // no answer yet
	Subscribed                        // the peer tells us of messages
	NotSubscribed                     // it does not; it is asked again
	Unsubscribed                      // given up
)

func (s MailboxState) String() string {
	return [...]string{"subscribing", "subscribed", "failed", "unsubscribed"}[s]
}

// Mailboxes are ours at the peers that have one of ours.
func (a *Agent) Mailboxes() []Mailbox {
	states := map[RegistrationState]MailboxState{Registering: Subscribing, Registered: Subscribed, Failed: NotSubscribed, Unregistered: Unsubscribed}
	var list []Mailbox
	for _, u := range a.outbound.all() {
		if u.terms.mailbox == "" {
			continue
		}
		s := u.now()
		list = append(list, Mailbox{s.Peer, u.terms.mailbox, states[s.State], s.Address, s.Until, s.Next, s.Status, s.Problem})
	}
	return list
}
