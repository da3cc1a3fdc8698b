package main

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"crosspoint/cmd/crosspoint/store"
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

// storePath is the path of the store: what the file says, or a file in the
// state directory that bears the office file's name. That directory is systemd's
// if it gives one, else the user's (XDG Base Directory Specification). Empty:
// there is none.
func (c *Config) storePath() string {
	switch c.Store.File {
	case "off":
		return store.Memory
	case "":
		name := filepath.Base(c.File)
		return filepath.Join(stateDirectory(), strings.TrimSuffix(name, filepath.Ext(name))+".db")
	}
	return c.Store.File
}

func stateDirectory() string {
	if dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); dir != "" {
		return dir // systemd.exec(5): several are parted by colons
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "crosspoint")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".local", "state", "crosspoint")
}

// keepCalls is how long records of calls are kept.
func (c *Config) keepCalls() time.Duration {
	if c.Store.Has("keep_calls") {
		return c.Store.KeepCalls
	}
	return defaultKeep
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
