package sipleg

import (
	"errors"
	"slices"
	"strings"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/media/rtp"
	"github.com/emiago/sipgo/sip"
)

// A target is where an outgoing leg calls.
type target struct {
	name   string // its column
	party  leg.Party
	uri    sip.Uri
	flow   wire.Flow // the way, if it is known
	pinned bool      // and stays the way
	peer   *Peer
	phone  bool // of ours
}

// DialExtension calls a phone of ours: at each place where it has registered,
// and at its fixed addresses. Each is a leg of its own that begins at once. The
// error is a leg.Cause: NotRegistered if there is no such place, NoResource if
// no RTP port is free.
func (a *Agent) DialExtension(extension string, o leg.Outgoing) ([]leg.Leg, error) {
	places := a.places(extension)
	if len(places) == 0 {
		return nil, leg.NotRegistered.GivenBy(leg.Us).WithHint("the phone %s has not registered, or its registration has expired", extension)
	}
	var legs []leg.Leg
	var failed error
	for _, p := range places {
		l, err := a.dial(p, o)
		if err != nil {
			failed = err
			continue
		}
		legs = append(legs, l)
	}
	if len(legs) == 0 {
		return nil, failed
	}
	return legs, nil
}

// places are where a phone is reached.
func (a *Agent) places(extension string) []target {
	var list []target
	party := leg.Party{Number: extension}
	if account, ok := a.cfg.Account(extension); ok {
		party.Name = account.Name
	}
	if a.cfg.Registrar != nil {
		for _, b := range a.cfg.Registrar.Lookup(extension) {
			t := target{name: extension, party: party, phone: true}
			var err error
			if t.uri, err = wire.ParseURI(b.URI); err != nil {
				continue
			}
			if t.flow, err = a.flowOf(b); err != nil {
				a.log.Info("a registered phone can't be reached", "phone", extension, "contact", b.URI, "err", err)
				continue
			}
			to, ok := literal(t.uri)
			t.pinned = !ok || to != t.flow.Remote() || t.flow.Reliable()
			list = append(list, t)
		}
	}
	for _, c := range a.cfg.Contacts(extension) {
		t := target{name: extension, party: party, phone: true}
		var err error
		if t.uri, err = wire.ParseURI(c.URI); err == nil {
			t.flow, err = a.wire.FlowTo(c.Transport, c.Address)
		}
		if err != nil {
			a.log.Warn("a phone's fixed address can't be used", "phone", extension, "contact", c.URI, "address", c.Address, "err", err)
			continue
		}
		t.pinned = true
		list = append(list, t)
	}
	return list
}

// flowOf is the way to a registered phone: that by which it registered, or,
// after a restart, one to the same address.
func (a *Agent) flowOf(b registrar.Binding) (wire.Flow, error) {
	if f, ok := b.Flow.(wire.Flow); ok && f.Valid() {
		return f, nil
	}
	t := wire.UDP
	if strings.EqualFold(b.Transport, "TCP") {
		t = wire.TCP
	}
	return a.wire.FlowTo(t, b.Source)
}

// natted tells whether a phone's own idea of its address is not what we see:
// then it is reached only where it sent from (RFC 3581, RFC 5626).
func natted(req *sip.Request, flow wire.Flow) bool {
	via, contact := req.Via(), req.Contact()
	if flow.Reliable() || via == nil || contact == nil {
		return true
	}
	to, ok := literal(contact.Address)
	if !ok || to.Addr() != flow.Remote().Addr() {
		return true
	}
	port := via.Port
	if port == 0 {
		port = 5060
	}
	return via.Params.Has("rport") && port != int(flow.Remote().Port())
}

// DialURI calls an address. The leg begins at once; if its host has no address,
// the leg ends. The error is a leg.Cause: InvalidNumber for what is no SIP
// address, NoResource if no RTP port is free.
func (a *Agent) DialURI(uri string, o leg.Outgoing) (leg.Leg, error) {
	u, err := wire.ParseURI(strings.Trim(strings.TrimSpace(uri), "<>"))
	if err != nil || u.Scheme != "sip" {
		return nil, leg.InvalidNumber.GivenBy(leg.Us).Because("%q is no SIP address", uri)
	}
	t := target{name: hostName(u), party: a.party("", u), uri: u}
	if to, ok := literal(t.uri); ok && (a.wire.Ours(wire.UDP, to) || a.wire.Ours(wire.TCP, to)) {
		return nil, itself(t)
	}
	return leg1(a.dial(t, o))
}

// DialPeer calls a number at a peer. The error is a leg.Cause as of DialURI.
func (a *Agent) DialPeer(peer, number string, o leg.Outgoing) (leg.Leg, error) {
	peers := a.known().Peers
	for i := range peers {
		p := &peers[i]
		if p.Name != peer {
			continue
		}
		u, err := p.uri(number)
		if err != nil {
			return nil, leg.NetworkFailure.GivenBy(leg.Us).Because("peer %s: %q is no host", p.Name, p.Host)
		}
		return leg1(a.dial(target{name: p.Name, party: leg.Party{Number: number}, uri: u, peer: p}, o))
	}
	return nil, leg.NetworkFailure.GivenBy(leg.Us).Because("there is no peer %q", peer)
}

// uri is a number's address at the peer; of no number the peer's own.
func (p *Peer) uri(number string) (sip.Uri, error) {
	u, err := wire.ParseURI("sip:" + p.Host)
	u.User = userPart(number)
	if p.Transport != "" {
		u.UriParams.Add("transport", strings.ToLower(p.Transport))
	}
	return u, err
}

// leg1 keeps a nil *Leg from becoming a leg.Leg that is not nil.
func leg1(l *Leg, err error) (leg.Leg, error) {
	if err != nil {
		return nil, err
	}
	return l, nil
}

// dial begins an outgoing leg.
func (a *Agent) dial(t target, o leg.Outgoing) (*Leg, error) {
	l := newLeg(a, identity{callID: newTag(), tag: newTag()})
	l.name, l.sink, l.ladder = t.name, o.Sink, o.Ladder
	if o.Log != nil {
		l.log = o.Log.With("leg", l.label)
	}
	l.log = l.log.With("name", l.name)
	l.party.Store(&t.party)
	l.ofPhone = t.phone
	l.trusted = t.phone || t.peer != nil && t.peer.Trusted
	l.out = inviteOut{order: &o, peer: t.peer}
	if t.peer != nil && t.peer.Secret != "" {
		l.out.client = a.known().clients[t.peer.Name]
	}
	if err := l.openAudio(); err != nil {
		if errors.Is(err, rtp.ErrNoPorts) {
			return nil, leg.NoResource.GivenBy(leg.Us).Because("no RTP port is free").WithHint("%v", err)
		}
		return nil, leg.NoResource.GivenBy(leg.Us).Because("no RTP port can be opened").WithHint("%v", err)
	}
	l.audio.prefer(o.Law)
	l.dialog = &dialog{agent: a, callID: l.callID, localTag: l.tag, target: t.uri, flow: t.flow, pinned: t.pinned}
	tab := a.table
	tab.mu.Lock()
	if a.stopping.Load() || tab.legs >= a.cfg.MaxLegs {
		tab.mu.Unlock()
		l.audio.close()
		if a.stopping.Load() {
			return nil, leg.ShuttingDown.GivenBy(leg.Us)
		}
		return nil, leg.NoResource.GivenBy(leg.Us).Because("as many calls as allowed are in progress")
	}
	tab.add(l)
	a.start(l)
	tab.mu.Unlock()
	l.in.Put(func() { l.place(t) })
	return l, nil
}

// place finds the way to the callee, if it is not known, and calls.
func (l *Leg) place(t target) {
	if t.flow.Valid() {
		l.call()
		return
	}
	uri := t.uri
	l.lookUp(uri, func(list []Destination, err error) {
		if l.state != calling {
			return
		}
		if err != nil {
			l.log.Warn("the callee's host has no address", "host", uri.Host, "err", err)
			l.finish(leg.NetworkFailure.GivenBy(leg.Us).Because("%s has no address: %v", uri.Host, err))
			return
		}
		list = slices.DeleteFunc(list, func(d Destination) bool { return l.agent.wire.Ours(d.Transport, d.Address) })
		if len(list) == 0 {
			why := itself(t)
			l.log.Warn("the call would come back to us", "uri", uri.String(), "check", why.Hint)
			l.finish(why)
			return
		}
		l.out.places = list
		l.call()
	})
}

// itself is why we don't call our own address: the call would come back, and go
// out again.
func itself(t target) leg.Cause {
	host := t.uri.Host
	if t.uri.Port > 0 {
		host = t.uri.HostPort()
	}
	why := leg.LoopDetected.GivenBy(leg.Us).Because("%s is this exchange itself", host)
	if t.peer == nil {
		return why.WithHint("add %s to domains in [sip]", host)
	}
	hint := "correct the proxy of peer " + t.peer.Name
	if t.peer.Origin != "" {
		hint += ", near " + t.peer.Origin
	}
	return why.WithHint("%s", hint)
}

// lookUp resolves a URI without holding up the owner: a number at once, a name
// in a goroutine that ends with the look-up.
func (l *Leg) lookUp(u sip.Uri, then func([]Destination, error)) {
	a := l.agent
	if _, ok := literal(u); ok {
		then(a.destinations(a.ctx, u))
		return
	}
	a.running.Go(func() {
		list, err := a.destinations(a.ctx, u)
		l.in.Put(func() { then(list, err) })
	})
}

// resolveTarget looks the next hop of a dialog up if it is a name. Phones of
// ours are left where they are known to be: their names often mean nothing.
func (l *Leg) resolveTarget(d *dialog) {
	hop := d.nextHop()
	if _, ok := literal(hop); ok || d.pinned || hop.Host == "" {
		return
	}
	if l.ofPhone && len(d.routes) == 0 {
		return
	}
	l.lookUp(hop, func(list []Destination, err error) {
		if err != nil || len(list) == 0 {
			l.log.Debug("the party's address does not resolve; going on with where it is known to be", "host", hop.Host, "err", err)
			return
		}
		for _, there := range list { // where it is already is as good as any
			if there.Address == d.flow.Remote() && there.Transport == d.flow.Transport() {
				return
			}
		}
		d.sendTo(list[0].Transport, list[0].Address)
	})
}
