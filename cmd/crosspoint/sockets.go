package main

import (
	"context"
	"net"
	"net/netip"

	"crosspoint/b2bua/sipleg/wire"
)

// sockets are SIP's, until the agent takes them over.
type sockets struct {
	udp []wire.Conn
	tcp []net.Listener
}

// openSockets binds all or none. Its error says which port and who has it.
func openSockets(wanted []socket) (*sockets, error) {
	s := new(sockets)
	for _, w := range wanted {
		if err := s.open(w); err != nil {
			s.close()
			return nil, explainListen(w, "[sip] listen", err)
		}
	}
	return s, nil
}

func (s *sockets) open(w socket) error {
	if w.network == "tcp" {
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(w.addr))
		if err != nil {
			return err
		}
		s.tcp = append(s.tcp, l)
		return nil
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(w.addr))
	if err != nil {
		return err
	}
	// A burst of calls must find room: what the kernel grants is enough.
	_ = c.SetReadBuffer(4 << 20)
	_ = c.SetWriteBuffer(4 << 20)
	s.udp = append(s.udp, c)
	return nil
}

func (s *sockets) close() {
	for _, c := range s.udp {
		c.Close()
	}
	for _, l := range s.tcp {
		l.Close()
	}
}

// bound are the sockets with the ports that they got.
func (s *sockets) bound() []socket {
	var all []socket
	for _, c := range s.udp {
		all = append(all, socket{"udp", c.LocalAddr().(*net.UDPAddr).AddrPort()})
	}
	for _, l := range s.tcp {
		all = append(all, socket{"tcp", l.Addr().(*net.TCPAddr).AddrPort()})
	}
	for i, a := range all {
		all[i].addr = netip.AddrPortFrom(a.addr.Addr().Unmap(), a.addr.Port())
	}
	return all
}

func dialTCP(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", to.String())
}
