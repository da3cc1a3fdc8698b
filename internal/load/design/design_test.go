//go:build linux

package design

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// port is one that nobody has at the moment.
func port(t *testing.T) netip.AddrPort {
	c := listen(t)
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Every design forwards both ways, from the call's own port, and keeps calls
// apart. It runs in real time: it is about sockets.
func TestDesignsRelay(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			const calls = 3
			var phones [calls][2]*net.UDPConn
			var pairs []Pair
			for i := range calls {
				phones[i] = [2]*net.UDPConn{listen(t), listen(t)}
				addr := func(side int) netip.AddrPort { return phones[i][side].LocalAddr().(*net.UDPAddr).AddrPort() }
				pairs = append(pairs, Pair{A: port(t), B: port(t), ToA: addr(0), ToB: addr(1)})
			}
			r, err := Start(name, 2, pairs)
			if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
				t.Skip("this machine forbids it: ", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			for n := range 20 {
				for i := range calls {
					send(t, phones[i][0], phones[i][1], pairs[i].A, pairs[i].B, byte(10*i+n))
					send(t, phones[i][1], phones[i][0], pairs[i].B, pairs[i].A, byte(10*i+n))
				}
			}
			phones[0][0].WriteToUDPAddrPort([]byte("no RTP"), pairs[0].A)
			send(t, phones[0][0], phones[0][1], pairs[0].A, pairs[0].B, 77)
			if err := r.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// send sends a packet and expects it at the other end.
func send(t *testing.T, from, to *net.UDPConn, in, out netip.AddrPort, mark byte) {
	t.Helper()
	p := make([]byte, 172)
	p[0], p[171] = 0x80, mark
	if _, err := from.WriteToUDPAddrPort(p, in); err != nil {
		t.Fatal(err)
	}
	var got [2000]byte
	to.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, source, err := to.ReadFromUDPAddrPort(got[:])
	if err != nil {
		t.Fatal(err)
	}
	if n != len(p) || got[171] != mark || source != out {
		t.Fatalf("%d bytes, mark %d, from %s; want %d, %d, %s", n, got[171], source, len(p), mark, out)
	}
}
