package main

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestHolderIsNamed(t *testing.T) {
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	for _, s := range []socket{
		{"udp", udp.LocalAddr().(*net.UDPAddr).AddrPort()},
		{"tcp", tcp.Addr().(*net.TCPAddr).AddrPort()},
		{"udp", netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(udp.LocalAddr().(*net.UDPAddr).Port))},
	} {
		if who := holder(s); who != "this program itself" {
			t.Errorf("%s is held by %s", s, who)
		}
	}
	_, err = openSockets([]socket{{"udp", udp.LocalAddr().(*net.UDPAddr).AddrPort()}})
	want := fmt.Sprintf("UDP port %d on 127.0.0.1 is in use by", udp.LocalAddr().(*net.UDPAddr).Port)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("told %v, not %s", err, want)
	}
}

func TestForeignAddress(t *testing.T) {
	_, err := openSockets([]socket{{"udp", netip.MustParseAddrPort("192.0.2.250:5060")}})
	if err == nil || !strings.Contains(err.Error(), "is not an address of this machine") || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("told %v", err)
	}
}

// TestNothingStaysOpen: when one socket cannot be bound, those before it are freed.
func TestNothingStaysOpen(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	free := freeUDP(t)
	if _, err := openSockets([]socket{{"udp", free}, {"tcp", tcp.Addr().(*net.TCPAddr).AddrPort()}}); err == nil {
		t.Fatal("a port that is held was bound")
	}
	again, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(free))
	if err != nil {
		t.Fatalf("the first socket stayed open: %v", err)
	}
	again.Close()
}

func freeUDP(t *testing.T) netip.AddrPort {
	t.Helper()
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	return udp.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestKernelAddr(t *testing.T) {
	for text, want := range map[string]string{
		"0100007F:13C4":                         "127.0.0.1:5060",
		"00000000:0050":                         "0.0.0.0:80",
		"00000000000000000000000001000000:13C4": "[::1]:5060",
		"0000000000000000FFFF00000100007F:13C4": "127.0.0.1:5060",
	} {
		if got, ok := kernelAddr(text); !ok || got.String() != want {
			t.Errorf("%s: %v, not %s", text, got, want)
		}
	}
	for _, bad := range []string{"", "0100007F", "01:13C4", "0100007F:ZZ"} {
		if got, ok := kernelAddr(bad); ok {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}
