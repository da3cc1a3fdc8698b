package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// explainListen turns the error of a socket that can't be opened into which
// address, who has it, and which setting to change.
func explainListen(s socket, setting string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s port %d on %s is in use by %s: stop that program, or give %s another port",
			strings.ToUpper(s.network), s.addr.Port(), s.addr.Addr(), holder(s), setting)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is not an address of this machine (its addresses: %s): correct %s", s.addr.Addr(), strings.Join(addresses(), ", "), setting)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: this user may not use port %d: take one above 1023 in %s", s, s.addr.Port(), setting)
	}
	return fmt.Errorf("%s: %w", s, err)
}

func addresses() []string {
	all, _ := net.InterfaceAddrs()
	var list []string
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && !prefix.Addr().IsLinkLocalUnicast() {
			list = append(list, prefix.Addr().String())
		}
	}
	return list
}

// holder names the process that has a port open: `process 4711 (crosspoint serve
// office.toml)`. It reads /proc; what belongs to others may be hidden from it.
func holder(s socket) string {
	inodes := socketInodes(s)
	if len(inodes) == 0 {
		return "another program"
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !inodes[target] {
			continue
		}
		pid := strings.Split(link, "/")[2]
		line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		name := string(bytes.TrimSpace(bytes.ReplaceAll(line, []byte{0}, []byte(" "))))
		if pid == strconv.Itoa(os.Getpid()) {
			return "this program itself"
		}
		return fmt.Sprintf("process %s (%s)", pid, name)
	}
	return "a program of another user (as root, see: ss -lnup; ss -lntp)"
}

// socketInodes finds the sockets that stand in the way of s in the kernel's
// tables, as the targets of the links in /proc/*/fd.
func socketInodes(s socket) map[string]bool {
	found := map[string]bool{}
	for _, table := range []string{"/proc/net/" + s.network, "/proc/net/" + s.network + "6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for _, line := range strings.Split(string(text), "\n")[1:] {
			fields := strings.Fields(line)
			if len(fields) < 10 || (s.network == "tcp" && fields[3] != "0A") { // 0A: LISTEN
				continue
			}
			addr, ok := kernelAddr(fields[1])
			if !ok || addr.Port() != s.addr.Port() {
				continue
			}
			if addr.Addr() == s.addr.Addr() || addr.Addr().IsUnspecified() || s.addr.Addr().IsUnspecified() {
				found["socket:["+fields[9]+"]"] = true
			}
		}
	}
	return found
}

// kernelAddr reads an address of /proc/net/udp: hexadecimal, each group of four
// bytes in the machine's order.
func kernelAddr(text string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	number, err2 := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || err2 != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.NativeEndian.Uint32(raw[i:]))
	}
	ip, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(ip.Unmap(), uint16(number)), ok
}
