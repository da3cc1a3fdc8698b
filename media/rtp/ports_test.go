package rtp

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/internal/memnet"
)

func TestPortsAreEvenAndNeverTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := testPorts(t, new(memnet.Network), 30001, 30020) // nine pairs: 30002/3 to 30018/9
		seen := map[uint16]bool{}
		var open []*Session
		for range ports.Size() {
			s := openSession(t, ports, Config{})
			port := s.LocalAddr().Port()
			if port%2 != 0 || port < 30002 || port > 30018 || seen[port] {
				t.Errorf("port %d", port)
			}
			seen[port] = true
			open = append(open, s)
		}
		if len(seen) != 9 || ports.InUse() != 9 {
			t.Errorf("%d pairs, %d in use", len(seen), ports.InUse())
		}
		_, err := Open(ports, Config{})
		if !errors.Is(err, ErrNoPorts) || !strings.Contains(err.Error(), "9 of 9 pairs from 30002 to 30019") {
			t.Errorf("when all are in use: %v", err)
		}
		open[4].Close()
		s := openSession(t, ports, Config{})
		if s.LocalAddr() != open[4].LocalAddr() {
			t.Errorf("the only free pair is %v, but %v was opened", open[4].LocalAddr(), s.LocalAddr())
		}
		s.Close()
		for _, s := range open {
			s.Close()
		}
		if ports.InUse() != 0 {
			t.Errorf("%d in use", ports.InUse())
		}
	})
}

func TestPortsRestAfterUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := testPorts(t, new(memnet.Network), 30000, 30003)
		used := map[uint16]bool{}
		for range 2 {
			s := openSession(t, ports, Config{})
			used[s.LocalAddr().Port()] = true
			s.Close()
		}
		if len(used) != 2 {
			t.Error("a pair was used again at once though another was free")
		}
		first := openSession(t, ports, Config{}) // none has rested: the one that rested longest
		first.Close()
		time.Sleep(time.Minute)
		s := openSession(t, ports, Config{})
		s.Close()
	})
}

func TestPortsOfOtherProgramsArePassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(memnet.Network)
		theirs, err := n.ListenUDP(usIP + ":30001") // the odd one of the first pair
		if err != nil {
			t.Fatal(err)
		}
		defer theirs.Close()
		ports := testPorts(t, n, 30000, 30003)
		s := openSession(t, ports, Config{})
		if s.LocalAddr().Port() != 30002 {
			t.Errorf("%v", s.LocalAddr())
		}
		if _, err := Open(ports, Config{}); !errors.Is(err, ErrNoPorts) {
			t.Errorf("%v", err)
		}
		if n.Sockets() != 3 || ports.InUse() != 1 || ports.Traffic().Refused != 1 {
			t.Errorf("%d sockets, %d pairs in use, %d sessions refused", n.Sockets(), ports.InUse(), ports.Traffic().Refused)
		}
		s.Close()
	})
}

func TestPortErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []PortsConfig{{First: 10001, Last: 10001}, {First: 10, Last: 5}, {First: 0, Last: 100}, {First: 10001, Last: 10002}} {
		if _, err := NewPorts(c); err == nil || !strings.Contains(err.Error(), "name a range such as") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	ports, err := NewPorts(PortsConfig{Listen: func(string) (Conn, error) { return nil, syscall.EMFILE }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ports, Config{}); !errors.Is(err, syscall.EMFILE) || errors.Is(err, ErrNoPorts) || ports.InUse() != 0 {
		t.Errorf("%v, %d in use", err, ports.InUse())
	}
}

func TestRealSockets(t *testing.T) { // over the operating system's loopback, IPv4 and IPv6
	for _, ip := range []string{"127.0.0.1", "::1"} {
		addr := netip.MustParseAddr(ip)
		far, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
		if err != nil {
			t.Logf("%s: %v: this machine has no such address", ip, err)
			continue
		}
		ports, err := NewPorts(PortsConfig{Address: addr, First: 40000, Last: 49999})
		if err != nil {
			t.Fatal(err)
		}
		s := openSession(t, ports, Config{})
		s.SetRemote(addrOf(far), netip.AddrPort{})
		s.Feed(s) // an echo
		packet := make([]byte, 172)
		packet[0], packet[3] = 0x80, 9
		far.SetReadDeadline(time.Now().Add(5 * time.Second))
		for s.RemoteAddr() != addrOf(far) {
			time.Sleep(time.Millisecond) // the order is on its way
		}
		if _, err := far.WriteToUDPAddrPort(packet, s.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		var buf [200]byte
		if n, _, err := far.ReadFromUDPAddrPort(buf[:]); err != nil || n != 172 {
			t.Errorf("%s: %d bytes came back: %v", ip, n, err)
		}
		s.Close()
		far.Close()
	}
}
