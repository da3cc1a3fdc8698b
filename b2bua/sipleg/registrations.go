package sipleg

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"crosspoint/b2bua/sipleg/wire"
)

// A Registration is ours at a peer, as it stands.
type Registration struct {
	Peer    string
	State   RegistrationState
	Address netip.AddrPort // where we are registered, or were last
	Until   time.Time      // until when; zero: we never were
	Next    time.Time      // when it is renewed or tried again; zero: it is being tried
	Status  int            // of the peer's refusal; 0: there was none
	Problem string         // what is wrong and what to look at; empty: nothing
}

// RegistrationState is how far a Registration has come.
type RegistrationState uint8

const (
	Registering  RegistrationState = iota // no answer yet
	Registered                            // the peer's calls find us
	Failed                                // they don't; it is tried again
	Unregistered                          // it was taken back
)

func (s RegistrationState) String() string {
	return [...]string{"registering", "registered", "failed", "unregistered"}[s]
}

// upkeeps are what is kept up at peers, or was until it was given back. The list
// itself does not change: another takes its place.
type upkeeps struct {
	mu   sync.Mutex // held while another list is made
	list atomic.Pointer[[]*upkeep]
}

func (r *upkeeps) all() []*upkeep {
	if list := r.list.Load(); list != nil {
		return *list
	}
	return nil
}

// Registrations are ours at the peers that want one.
func (a *Agent) Registrations() []Registration {
	var list []Registration
	for _, u := range a.outbound.all() {
		if u.terms.mailbox == "" {
			list = append(list, u.now())
		}
	}
	return list
}

// now is the registration as it stands.
func (u *upkeep) now() Registration {
	s := *u.shown.Load()
	if s.State == Registered && !time.Now().Before(s.Until) {
		s.State = Failed
	}
	return s
}

// show changes what others see.
func (u *upkeep) show(change func(*Registration)) {
	s := *u.shown.Load()
	change(&s)
	u.shown.Store(&s)
}

// Unregister takes our registrations at peers back, so that they send no more
// calls, and our subscriptions. It waits until they have confirmed it or the
// context ends. Calls in progress go on.
func (a *Agent) Unregister(ctx context.Context) {
	list := a.outbound.all()
	for _, r := range list {
		r.in.Put(r.giveBack)
	}
	for _, r := range list {
		select {
		case <-r.done:
		case <-ctx.Done():
			return
		}
	}
}

// takeBack is Unregister for no longer than a peer that answers needs.
func (a *Agent) takeBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 4*a.cfg.Timing.T1)
	defer cancel()
	a.Unregister(ctx)
}

// keepUp registers at those of the peers that want it and subscribes where we have
// a mailbox, and gives back what there is at others. What has the same terms stays
// as it is.
func (a *Agent) keepUp(peers []Peer) {
	a.outbound.mu.Lock()
	defer a.outbound.mu.Unlock()
	if a.stopping.Load() {
		return
	}
	before := a.outbound.all()
	var list []*upkeep
	keep := func(p *Peer, t terms, begin func(*Agent, *Peer, terms) *upkeep) {
		if at := slices.IndexFunc(before, func(u *upkeep) bool { return u.terms == t }); at >= 0 {
			u := before[at]
			list, before = append(list, u), slices.Delete(slices.Clone(before), at, at+1)
			u.in.Put(func() { u.peer = p }) // it may stand elsewhere in the file
			return
		}
		u := begin(a, p, t)
		list = append(list, u)
		a.table.mu.Lock()
		a.table.add(u.kind)
		a.table.mu.Unlock()
		a.running.Go(u.run) // ends when it is given back, or with ctx
	}
	for i := range peers {
		p := &peers[i]
		t := terms{name: p.Name, host: p.Host, transport: p.Transport, user: p.User, secret: p.Secret, domain: p.FromDomain}
		if p.Mailbox != "" && a.cfg.Messages != nil {
			at := t
			at.mailbox = p.Mailbox
			keep(p, at, newMailbox)
		}
		if p.Register {
			t.ask = p.RegisterFor
			keep(p, t, newOutbound)
		}
	}
	a.outbound.list.Store(&list)
	for _, u := range before {
		u.in.Put(u.giveBack)
	}
}

// terms are what makes one registration or subscription another.
type terms struct {
	name, host, transport, user, secret, domain string
	ask                                         time.Duration
	mailbox                                     string // the extension of a subscription; empty: a registration
}

// registeredAt is the peer that we are registered at by that very address and
// port; nil: none. What calls from there is the peer.
func (a *Agent) registeredAt(from netip.AddrPort) *Peer { return a.standsAt(from, false) }

// subscribedAt is the peer at which we subscribe to our messages in the same way.
func (a *Agent) subscribedAt(from netip.AddrPort) *Peer { return a.standsAt(from, true) }

func (a *Agent) standsAt(from netip.AddrPort, mailbox bool) *Peer {
	for _, u := range a.outbound.all() {
		if s := u.now(); s.State == Registered && s.Address == from && (u.terms.mailbox != "") == mailbox {
			peers := a.known().Peers
			if i := slices.IndexFunc(peers, func(p Peer) bool { return p.Name == u.terms.name }); i >= 0 {
				return &peers[i]
			}
		}
	}
	return nil
}

// outboundLost tells the registrations that a connection has ended.
func (a *Agent) outboundLost(f wire.Flow) {
	for _, u := range a.outbound.all() {
		u.in.Put(func() { u.lost(f) })
	}
}
