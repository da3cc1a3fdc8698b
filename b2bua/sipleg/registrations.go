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

// registrations are the ones that are kept up, or were until they were taken
// back. The list itself does not change: another takes its place.
type registrations struct {
	mu   sync.Mutex // held while another list is made
	list atomic.Pointer[[]*outbound]
}

func (r *registrations) all() []*outbound {
	if list := r.list.Load(); list != nil {
		return *list
	}
	return nil
}

// Registrations are ours at the peers that want one.
func (a *Agent) Registrations() []Registration {
	var list []Registration
	for _, r := range a.outbound.all() {
		list = append(list, r.now())
	}
	return list
}

// now is the registration as it stands.
func (r *outbound) now() Registration {
	s := *r.shown.Load()
	if s.State == Registered && !time.Now().Before(s.Until) {
		s.State = Failed
	}
	return s
}

// show changes what others see.
func (r *outbound) show(change func(*Registration)) {
	s := *r.shown.Load()
	change(&s)
	r.shown.Store(&s)
}

// Unregister takes our registrations at peers back, so that they send no more
// calls. It waits until they have confirmed it or the context ends. Calls in
// progress go on.
func (a *Agent) Unregister(ctx context.Context) {
	list := a.outbound.all()
	for _, r := range list {
		r.in.Put(r.unregister)
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

// registerAt registers at those of the peers that want it, and takes back the
// registrations at others. One whose terms are the same stays as it is.
func (a *Agent) registerAt(peers []Peer) {
	a.outbound.mu.Lock()
	defer a.outbound.mu.Unlock()
	if a.stopping.Load() {
		return
	}
	before := a.outbound.all()
	var list []*outbound
	for i := range peers {
		p := &peers[i]
		if !p.Register {
			continue
		}
		at := slices.IndexFunc(before, func(r *outbound) bool { return r.terms == termsOf(p) })
		if at >= 0 {
			r := before[at]
			list, before = append(list, r), slices.Delete(slices.Clone(before), at, at+1)
			r.in.Put(func() { r.peer = p }) // it may stand elsewhere in the file
			continue
		}
		r := newOutbound(a, p)
		list = append(list, r)
		a.table.mu.Lock()
		a.table.add(r)
		a.table.mu.Unlock()
		a.running.Go(r.run) // ends when it is taken back, or with ctx
	}
	a.outbound.list.Store(&list)
	for _, r := range before {
		r.in.Put(r.unregister)
	}
}

// terms are what makes one registration another.
type terms struct {
	name, host, transport, user, secret, domain string
	ask                                         time.Duration
}

func termsOf(p *Peer) terms {
	return terms{p.Name, p.Host, p.Transport, p.User, p.Secret, p.FromDomain, p.RegisterFor}
}

// registeredAt is the peer that we are registered at by that very address and
// port; nil: none. What calls from there is the peer.
func (a *Agent) registeredAt(from netip.AddrPort) *Peer {
	for _, r := range a.outbound.all() {
		if s := r.now(); s.State == Registered && s.Address == from {
			peers := a.known().Peers
			if i := slices.IndexFunc(peers, func(p Peer) bool { return p.Name == r.terms.name }); i >= 0 {
				return &peers[i]
			}
		}
	}
	return nil
}

// outboundLost tells the registrations that a connection has ended.
func (a *Agent) outboundLost(f wire.Flow) {
	for _, r := range a.outbound.all() {
		r.in.Put(func() { r.lost(f) })
	}
}
