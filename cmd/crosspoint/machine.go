package main

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
)

// ownAddress is this machine's address on the network, by which way a packet to
// the outside would leave; without a network the loopback address. Nothing is
// sent to find out.
func ownAddress() netip.Addr {
	conn, err := net.Dial("udp4", "192.0.2.1:9") // TEST-NET-1, RFC 5737
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// defaultSocket is where the control socket is if the file does not say: in the
// user's runtime directory, or in the system's for root.
func defaultSocket() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "crosspoint.sock")
	}
	if os.Geteuid() == 0 {
		return "/run/crosspoint.sock"
	}
	return filepath.Join(os.TempDir(), "crosspoint-"+strconv.Itoa(os.Geteuid())+".sock")
}

// controlPath is the path of the control socket; empty: there is none.
func (c *Config) controlPath() string {
	switch c.Control.Socket {
	case "":
		return defaultSocket()
	case "off":
		return ""
	}
	return c.Control.Socket
}
