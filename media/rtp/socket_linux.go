package rtp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A socket is a UDP socket of the operating system that a shard reads. Beside
// the descriptor it has no state; whoever writes must know that it is open,
// because another file may have the number afterwards.
type socket struct {
	fd    int
	local netip.AddrPort
}

// A descriptor is a socket that a shard reads, as its loop knows it.
type descriptor struct {
	fd   int
	slot int32 // in the shard's poll
}

// A rawAddr is an address as the kernel reads it.
type rawAddr struct {
	name unix.RawSockaddrInet6 // or IPv4's
	size uintptr
}

func newRawAddr(a netip.AddrPort) (raw rawAddr) {
	raw.size = putAddrPort(&raw.name, a, a.Addr().Is4())
	return raw
}

// send sends without waiting.
func (d *descriptor) send(b []byte, to *rawAddr) error {
	_, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(d.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL,
		uintptr(unsafe.Pointer(&to.name)), to.size)
	if errno != 0 {
		return errno
	}
	return nil
}

// shared: the sockets of listenOS are read by shards.
const shared = true

var errShared = errors.New("the socket is read by its shard")

// listenOS binds a socket for a shard.
func listenOS(addr string) (Conn, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	family := unix.AF_INET
	if at.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if family == unix.AF_INET6 {
		only := 1
		if at.Addr().IsUnspecified() {
			only = 0 // parties of either family
		}
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
	}
	if err == nil {
		err = unix.Bind(fd, sockaddr(at))
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("bind udp %s: %w", addr, err)
	}
	return &socket{fd: fd, local: at}, nil
}

func sockaddr(at netip.AddrPort) unix.Sockaddr {
	if at.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16(), ZoneId: zoneID(at.Addr().Zone())}
}

// zoneID is the number of an IPv6 zone, which is an interface's name or its
// number; 0: none.
func zoneID(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.ParseUint(zone, 10, 32)
	return uint32(n)
}

// WriteToUDPAddrPort sends without waiting: what the kernel has no room for is
// lost, as on the way.
func (s *socket) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	var raw unix.RawSockaddrInet6
	size := putAddrPort(&raw, to, s.local.Addr().Is4())
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL,
		uintptr(unsafe.Pointer(&raw)), size)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// ReadFromUDPAddrPort is not for sockets of a shard.
func (s *socket) ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error) {
	return 0, netip.AddrPort{}, errShared
}

// SetReadDeadline is not for sockets of a shard.
func (s *socket) SetReadDeadline(time.Time) error { return errShared }

func (s *socket) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.local) }
func (s *socket) Close() error        { return unix.Close(s.fd) }

// putAddrPort writes an address as the kernel reads it and returns its size.
func putAddrPort(raw *unix.RawSockaddrInet6, a netip.AddrPort, v4 bool) uintptr {
	port := a.Port()<<8 | a.Port()>>8
	if nativeBig {
		port = a.Port()
	}
	if v4 {
		r := (*unix.RawSockaddrInet4)(unsafe.Pointer(raw))
		r.Family, r.Port, r.Addr = unix.AF_INET, port, a.Addr().Unmap().As4()
		return unix.SizeofSockaddrInet4
	}
	raw.Family, raw.Port, raw.Addr = unix.AF_INET6, port, a.Addr().As16()
	if zone := a.Addr().Zone(); zone != "" {
		raw.Scope_id = zoneID(zone)
	}
	return unix.SizeofSockaddrInet6
}

// addrPortFrom reads an address that the kernel wrote.
func addrPortFrom(raw *unix.RawSockaddrInet6) netip.AddrPort {
	port := raw.Port<<8 | raw.Port>>8
	if nativeBig {
		port = raw.Port
	}
	if raw.Family == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(raw)).Addr), port)
	}
	ip := netip.AddrFrom16(raw.Addr).Unmap()
	if raw.Scope_id != 0 {
		ip = ip.WithZone(strconv.FormatUint(uint64(raw.Scope_id), 10))
	}
	return netip.AddrPortFrom(ip, port)
}

// nativeBig: this machine writes the high byte of a number first.
var nativeBig = *(*byte)(unsafe.Pointer(&[]uint16{1}[0])) == 0
