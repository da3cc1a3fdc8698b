package sipleg

import (
	"net/netip"
	"slices"
	"strings"

	"crosspoint/b2bua/sipleg/txn"
	"crosspoint/b2bua/sipleg/wire"
	"github.com/emiago/sipgo/sip"
)

// A dialog is the state of RFC 3261 §12, seen from us: whoever sent the INVITE,
// local is us. It belongs to the leg, or to the leg's tombstone.
type dialog struct {
	agent     *Agent
	callID    string
	localTag  string
	remoteTag string // empty: the peer uses none (RFC 2543), or did not yet answer
	local     address
	remote    address
	localSeq  uint32 // CSeq number of our latest request
	remoteSeq uint32 // of the latest from there; zero: none yet
	target    sip.Uri
	routes    []sip.Uri
	contact   sip.Uri // ours

	flow   wire.Flow // where requests go now
	pinned bool      // a phone of ours: requests go where it registered or called from, whatever its Contact says

	confirmed bool   // by a 2xx
	legacy    bool   // the peer speaks RFC 2543
	lastRSeq  uint32 // of the reliable provisional responses acknowledged (RFC 3262 §4)
	allow     []string
	supports  []string
	ack       []byte // of the latest 2xx, to be sent again when that is repeated
	ackSeq    uint32 // CSeq number of that 2xx
	answered  bool   // a reliable response has brought the answer to our INVITE's offer
}

// An address is what stands in From and To.
type address struct {
	name string
	uri  sip.Uri
}

// newRequest builds a request inside the dialog, RFC 3261 §12.2.1.1, and takes
// the next CSeq number for it. ACK is not built here.
func (d *dialog) newRequest(method sip.RequestMethod) *sip.Request {
	d.localSeq++
	return d.build(method, d.localSeq)
}

func (d *dialog) build(method sip.RequestMethod, seq uint32) *sip.Request {
	uri, routes := d.way()
	req := sip.NewRequest(method, uri)
	via := d.agent.via(d.flow, d.localTag)
	if d.legacy { // RFC 2543 §6.40 has no such parameter, nor any that is not in its list
		via.Params.Remove("rport")
	}
	req.AppendHeader(via)
	for i := range routes {
		req.AppendHeader(&sip.RouteHeader{Address: routes[i]})
	}
	req.AppendHeader(maxForwards(0))
	from := &sip.FromHeader{DisplayName: d.local.name, Address: d.local.uri}
	from.Params.Add("tag", d.localTag)
	req.AppendHeader(from)
	to := &sip.ToHeader{DisplayName: d.remote.name, Address: d.remote.uri}
	if d.remoteTag != "" {
		to.Params.Add("tag", d.remoteTag)
	}
	req.AppendHeader(to)
	id := sip.CallIDHeader(d.callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	switch method {
	case sip.INVITE, sip.UPDATE, sip.REFER, sip.NOTIFY:
		req.AppendHeader(&sip.ContactHeader{Address: d.contact})
	}
	with(req, "User-Agent", d.agent.cfg.Product)
	req.SetBody(nil)
	return req
}

// way is the Request-URI and the Route headers towards the remote target. A
// first route without lr is a strict router: it stands in the Request-URI, and
// the target is the last Route (RFC 3261 §12.2.1.1).
func (d *dialog) way() (uri sip.Uri, routes []sip.Uri) {
	if len(d.routes) == 0 {
		return d.target, nil
	}
	if d.routes[0].UriParams.Has("lr") {
		return d.target, d.routes
	}
	strict := *d.routes[0].Clone()
	strict.UriParams.Remove("method")
	strict.Headers = nil
	return strict, append(slices.Clone(d.routes[1:]), d.target)
}

// nextHop is the address that requests are sent to first.
func (d *dialog) nextHop() sip.Uri {
	if len(d.routes) > 0 {
		return d.routes[0]
	}
	return d.target
}

// learn takes over what a message of the peer says about how to reach it. The
// route set is set with the dialog and stays; the target may be refreshed by
// later INVITEs and UPDATEs (RFC 3261 §12.2).
func (d *dialog) learn(msg headed) {
	if c := msg.Contact(); c != nil && c.Address.Host != "" && !c.Address.Wildcard {
		d.target = *c.Address.Clone()
		d.target.Headers = nil
	}
	if list := tokens(msg, "Allow"); list != nil {
		d.allow = list
	}
	if msg.GetHeader("Supported") != nil {
		d.supports = tokens(msg, "Supported")
	}
}

// recordRoutes are the Record-Route headers of a message, in their order.
func recordRoutes(msg sip.Message) []sip.Uri {
	var routes []sip.Uri
	for _, h := range msg.GetHeaders("Record-Route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			routes = append(routes, *rr.Address.Clone())
		}
	}
	return routes
}

// allows tells whether the peer said that it takes a method.
func (d *dialog) allows(method sip.RequestMethod) bool {
	return slices.Contains(d.allow, strings.ToLower(string(method)))
}

// fork is the dialog that a response to our INVITE opens (RFC 3261 §12.1.2); d
// is the INVITE's own half of a dialog.
func (d *dialog) fork(res *sip.Response) *dialog {
	f := *d
	f.ack, f.answered, f.lastRSeq, f.confirmed = nil, false, 0, false
	f.remoteTag = toTag(res)
	f.legacy = d.legacy || f.remoteTag == ""
	f.routes = recordRoutes(res)
	slices.Reverse(f.routes)
	f.learn(res)
	f.redirect()
	return &f
}

// confirm notes what the 2xx to our INVITE says: the route set is that of the
// 2xx, whatever provisional responses said (RFC 3261 §13.2.2.4).
func (d *dialog) confirm(res *sip.Response) {
	d.confirmed = true
	d.routes = recordRoutes(res)
	slices.Reverse(d.routes)
	d.learn(res)
	d.redirect()
}

// acknowledge sends the ACK of a 2xx: a transaction of its own that carries
// the INVITE's CSeq number and credentials, whatever has been sent since (RFC
// 3261 §13.2.2.4).
func (d *dialog) acknowledge(seq uint32, credentials []sip.Header, answer []byte) {
	ack := d.build(sip.ACK, seq)
	for _, h := range credentials {
		ack.AppendHeader(sip.HeaderClone(h))
	}
	attach(ack, answer)
	d.agent.send(ack, d.flow) //nolint:errcheck // the 2xx will be repeated
	d.ack, d.ackSeq = encoded(ack), seq
}

// credentials are those of a request, which the ACK of its 2xx repeats.
func credentials(req *sip.Request) []sip.Header {
	return slices.Concat(req.GetHeaders("Authorization"), req.GetHeaders("Proxy-Authorization"))
}

// acknowledgeAgain answers a 2xx that is repeated.
func (d *dialog) acknowledgeAgain(res *sip.Response) {
	if d.ackSeq == seqOf(res) {
		d.agent.sendAgain(d.ack, d.flow)
	}
}

// redirect finds where requests go now. A host name in the way is resolved
// elsewhere (Leg.resolveTarget); until then, and if that fails, requests go
// where they went before.
func (d *dialog) redirect() {
	hop := d.nextHop()
	if d.pinned && len(d.routes) == 0 && d.flow.Valid() {
		return
	}
	to, ok := literal(hop)
	if !ok {
		return
	}
	d.sendTo(transportOf(hop, d.flow, to), to)
}

// sendTo turns the dialog's requests to an address, if there is a way to it.
func (d *dialog) sendTo(t wire.Transport, to netip.AddrPort) {
	if d.flow.Valid() && d.flow.Transport() == t && d.flow.Remote() == to {
		return
	}
	flow, err := d.agent.wire.FlowTo(t, to)
	if err != nil {
		d.agent.log.Warn("sip: the peer's address can't be reached; going on with the one before", "to", to, "err", err)
		return
	}
	d.flow = flow
}

// literal is the address of a URI whose host is a number; the port is 5060 if
// none is given. False: the host is a name.
func literal(u sip.Uri) (netip.AddrPort, bool) {
	ip, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	if err != nil {
		return netip.AddrPort{}, false
	}
	port := u.Port
	if port <= 0 || port > 65535 {
		port = 5060
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(port)), true
}

// transportOf is the transport that a URI asks for: UDP if it does not say
// (RFC 3263 §4.1), but the one in use if it leads to the same machine.
func transportOf(u sip.Uri, now wire.Flow, to netip.AddrPort) wire.Transport {
	t, said := u.UriParams.Get("transport")
	switch {
	case strings.EqualFold(t, "tcp"):
		return wire.TCP
	case !said && now.Valid() && now.Remote().Addr() == to.Addr():
		return now.Transport()
	}
	return wire.UDP
}

// A request is one of ours: its transaction and who cares for the outcome.
type request struct {
	*txn.Client
	dialog *dialog
	flow   wire.Flow
	// on is called with each response that the transaction lets through, and
	// at last with one that we made ourselves, 408 or 503, if none came (RFC
	// 3261 §8.1.3.1). Nil: nobody cares.
	on    func(*sip.Response)
	drawn []string // responses in the ladder (draw.go)
	tries int      // of the same with credentials, before this one
}

// client prepares a request of a dialog; Start sends it.
func (a *Agent) client(d *dialog, req *sip.Request) *request {
	flow := d.flow
	return &request{
		Client: txn.NewClient(req, flow.Reliable(), a.cfg.Timing, func(m sip.Message) error { return a.send(m, flow) }),
		dialog: d, flow: flow,
	}
}

// A server is a request of the peer, with the way of its responses.
type server struct {
	*txn.Server
	flow wire.Flow
}

// serve begins the transaction of a request that arrived.
func (a *Agent) serve(in wire.Inbound) *server {
	flow, err := a.wire.ResponseFlow(in.Request, in.Flow)
	if err != nil {
		flow = in.Flow
	}
	return &server{txn.NewServer(in.Request, flow.Reliable(), a.cfg.Timing, func(m sip.Message) error { return a.send(m, flow) }), flow}
}
