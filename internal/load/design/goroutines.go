//go:build linux

package design

import (
	"net"
	"os"
)

// startGoroutines reads each socket in a goroutine of its own.
func startGoroutines(r *Relay, links []*link) error {
	conns := make(map[*link]*net.UDPConn, len(links))
	for _, l := range links {
		f := os.NewFile(uintptr(l.fd), "udp")
		l.fd = -1
		c, err := net.FilePacketConn(f) // which duplicates the descriptor
		f.Close()
		if err != nil {
			return err
		}
		conns[l] = c.(*net.UDPConn)
		r.stop = append(r.stop, func() { c.Close() })
	}
	for _, l := range links {
		in, out := conns[l], conns[l.out]
		r.done.Go(func() { // ends as its socket is closed
			buf := make([]byte, maxPacket)
			for {
				n, _, err := in.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				if l.rewrite(buf[:n]) {
					out.WriteToUDPAddrPort(buf[:n], l.dest)
				}
			}
		})
	}
	return nil
}
