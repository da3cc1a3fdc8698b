package wire

import (
	"net/netip"
)

// Transport is how messages travel. The zero value is UDP.
type Transport uint8

const (
	UDP Transport = iota
	TCP
)

// String is the transport's name as a Via carries it (RFC 3261 §20.42).
func (t Transport) String() string {
	if t == TCP {
		return "TCP"
	}
	return "UDP"
}

// A Flow is where a message came from or goes to: a local socket and a remote
// address, or a TCP connection. Two flows are equal (==) if what is sent on
// them takes the same way. The zero Flow leads nowhere.
type Flow struct {
	sock   *socket // of UDP
	conn   *conn   // of TCP
	local  netip.AddrPort
	remote netip.AddrPort
}

// Transport is UDP or TCP.
func (f Flow) Transport() Transport {
	if f.conn != nil {
		return TCP
	}
	return UDP
}

// Reliable tells that the transport retransmits by itself, so that
// transactions must not (RFC 3261 §17).
func (f Flow) Reliable() bool { return f.conn != nil }

// Valid tells that the flow leads somewhere. A TCP connection may have ended
// nevertheless.
func (f Flow) Valid() bool { return f.sock != nil || f.conn != nil }

// Local is the address at which the far end reaches us: what Via and Contact
// of messages on this flow carry. For a TCP connection that we opened, its
// port is that of our listener.
func (f Flow) Local() netip.AddrPort { return f.local }

// Remote is the far end's address.
func (f Flow) Remote() netip.AddrPort { return f.remote }

// String is the flow for a log line: "udp 192.0.2.1:5060 > 192.0.2.7:5060".
func (f Flow) String() string {
	switch {
	case f.conn != nil:
		return "tcp " + f.local.String() + " > " + f.remote.String()
	case f.sock != nil:
		return "udp " + f.local.String() + " > " + f.remote.String()
	}
	return "nowhere"
}
