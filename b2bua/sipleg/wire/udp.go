package wire

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"time"
)

// socket is one UDP socket.
type socket struct {
	conn  Conn
	local netip.AddrPort // as bound; may be unspecified
}

func (l *Layer) udpFlow(s *socket, remote netip.AddrPort) Flow {
	return Flow{sock: s, local: l.place(s.local, remote.Addr()), remote: remote}
}

// socketFor chooses the socket for a remote address: of its family, and on
// loopback only for loopback.
func (l *Layer) socketFor(remote netip.Addr) *socket {
	var any *socket
	for _, s := range l.sockets {
		a := s.local.Addr()
		if a.Is4() != remote.Is4() && !(a.Is6() && a.IsUnspecified()) {
			continue
		}
		if a.IsLoopback() == remote.IsLoopback() {
			return s
		}
		if any == nil || any.local.Addr().IsLoopback() {
			any = s
		}
	}
	return any
}

// readUDP hands datagrams on until the socket is closed.
func (l *Layer) readUDP(s *socket) {
	buf := make([]byte, 65536)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed) || l.ctx.Err() != nil:
			return
		case err != nil: // an ICMP error of an earlier datagram, or out of memory: the socket lives
			l.log.Debug("sip: reading UDP failed", "local", s.local, "err", err)
			if !l.pause(20 * time.Millisecond) {
				return
			}
			continue
		}
		l.datagram(s, unmapped(from), buf[:n])
	}
}

// datagram takes one datagram. Blank lines before a message are ignored (RFC
// 3261 §7.5), and a datagram of nothing else holds a NAT's binding open; a
// pair of CRLF is answered by one (RFC 5626 §4.4.1 does so on streams).
func (l *Layer) datagram(s *socket, from netip.AddrPort, data []byte) {
	msg := bytes.TrimLeft(data, "\r\n\x00 ")
	if len(msg) == 0 {
		if bytes.Equal(data, ping) {
			s.conn.WriteToUDPAddrPort(pong, from)
		}
		return
	}
	l.arrived(l.udpFlow(s, from), msg, l.cfg.Limits.Message)
}

var (
	ping = []byte("\r\n\r\n")
	pong = []byte("\r\n")
)

// pause waits, unless the layer closes first.
func (l *Layer) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.ctx.Done():
		return false
	}
}
