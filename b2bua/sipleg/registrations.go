package sipleg

import (
	"context"
	"net/netip"
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

// Registrations are ours at the peers that want one, in the order of
// Config.Peers.
func (a *Agent) Registrations() []Registration {
	var list []Registration
	for _, r := range a.outbound {
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
	for _, r := range a.outbound {
		r.in.Put(r.unregister)
	}
	for _, r := range a.outbound {
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

// prepareOutbound makes the registrations that startOutbound begins.
func (a *Agent) prepareOutbound() {
	for i := range a.known().Peers {
		p := &a.known().Peers[i]
		if !p.Register {
			continue
		}
		r := newOutbound(a, p)
		a.outbound = append(a.outbound, r)
		a.table.mu.Lock()
		a.table.add(r)
		a.table.mu.Unlock()
	}
}

func (a *Agent) startOutbound() {
	for _, r := range a.outbound {
		a.running.Go(r.run) // ends when it is taken back, or with ctx
	}
}

// registeredAt is the peer that we are registered at by that very address and
// port; nil: none. What calls from there is the peer.
func (a *Agent) registeredAt(from netip.AddrPort) *Peer {
	for _, r := range a.outbound {
		if s := r.now(); s.State == Registered && s.Address == from {
			return r.peer
		}
	}
	return nil
}

// outboundLost tells the registrations that a connection has ended.
func (a *Agent) outboundLost(f wire.Flow) {
	for _, r := range a.outbound {
		r.in.Put(func() { r.lost(f) })
	}
}
