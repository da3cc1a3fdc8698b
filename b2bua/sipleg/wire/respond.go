package wire

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/emiago/sipgo/sip"
)

// stamp notes in a request's top Via where it came from: received if the
// sender names itself by a domain or by another address (RFC 3261 §18.2.1),
// and both received and rport if it asks (RFC 3581 §4).
func stamp(via *sip.ViaHeader, from netip.AddrPort) {
	rport := via.Params.Has("rport")
	if rport {
		via.Params.Add("rport", strconv.Itoa(int(from.Port())))
	}
	if host, err := netip.ParseAddr(via.Host); rport || err != nil || host.Unmap() != from.Addr() {
		via.Params.Add("received", from.Addr().WithZone("").String())
	} else {
		via.Params.Remove("received") // what the sender claims is not what we saw
	}
}

// ResponseFlow is the way of a response to a request that came on a flow: over
// TCP its connection, or a new one to the same address if that has ended (RFC
// 3261 §18.2.2); over UDP the address it came from, at the port that it came
// from if the sender asks by rport (RFC 3581 §4), else at the port that its
// Via names.
//
// Two departures. A Via that names the sender by a domain, or by an address
// that is not the one it sends from, does not know its port either (NAT, or a
// phone of 1999): the response goes where the request came from. And maddr is
// not obeyed: it would let anyone aim our responses at others.
func (l *Layer) ResponseFlow(req *sip.Request, in Flow) (Flow, error) {
	via := req.Via()
	if via == nil {
		return Flow{}, fmt.Errorf("%s: request without Via: %w", in, ErrNoSocket)
	}
	named := viaPort(via)
	if in.conn != nil {
		select {
		case <-in.conn.quit:
			return l.FlowTo(TCP, netip.AddrPortFrom(in.remote.Addr(), named))
		default:
			return in, nil
		}
	}
	if via.Params.Has("rport") {
		return in, nil
	}
	if host, err := netip.ParseAddr(via.Host); err != nil || host.Unmap() != in.remote.Addr() {
		return in, nil
	}
	to := netip.AddrPortFrom(in.remote.Addr(), named)
	if to == in.remote || l.Ours(UDP, to) {
		return in, nil
	}
	return Flow{sock: in.sock, local: in.local, remote: to}, nil
}

// viaPort is the port of a Via's sent-by.
func viaPort(via *sip.ViaHeader) uint16 {
	if via.Port > 0 && via.Port < 65536 {
		return uint16(via.Port)
	}
	return 5060
}
