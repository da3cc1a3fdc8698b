//go:build linux

package load

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batchSize   = 64
	packetSize  = 172     // RTP header and 20 ms of G.711
	largest     = 256     // what is received of a datagram
	socketSpace = 8 << 20 // bytes of buffer: what comes while the pump sleeps
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// A batch is memory for many messages, chained once and used again and again.
type batch struct {
	msgs  [batchSize]mmsghdr
	iov   [batchSize]unix.Iovec
	names [batchSize]unix.RawSockaddrInet4
	oob   [batchSize][64]byte
	buf   [batchSize][largest]byte
	n     int // messages to be sent
}

func newBatch(receive bool) *batch {
	b := new(batch)
	for i := range b.msgs {
		h := &b.msgs[i].hdr
		b.iov[i].Base = &b.buf[i][0]
		b.iov[i].SetLen(largest)
		h.Iov = &b.iov[i]
		h.SetIovlen(1)
		if receive {
			h.Control = &b.oob[i][0]
		} else {
			b.iov[i].SetLen(packetSize)
			h.Name = (*byte)(unsafe.Pointer(&b.names[i]))
			h.Namelen = unix.SizeofSockaddrInet4
		}
	}
	return b
}

// A socket is a UDP socket of IPv4 that sends and receives in batches. It
// belongs to one goroutine.
type socket struct {
	fd      int
	addr    netip.AddrPort
	in, out *batch
}

// openSocket binds to an address; port 0 is any.
func openSocket(addr netip.Addr, port uint16) (*socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	s := &socket{fd: fd, in: newBatch(true), out: newBatch(false)}
	// The privileged call exceeds the limit; without the privilege the limit holds.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketSpace) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, socketSpace)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		s.close()
		return nil, os.NewSyscallError("setsockopt SO_TIMESTAMPNS", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: addr.As4(), Port: int(port)}); err != nil {
		s.close()
		return nil, fmt.Errorf("bind %s:%d: %w", addr, port, err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		s.close()
		return nil, os.NewSyscallError("getsockname", err)
	}
	s.addr = netip.AddrPortFrom(addr, uint16(name.(*unix.SockaddrInet4).Port))
	return s, nil
}

func (s *socket) close() { unix.Close(s.fd) }

// next is the buffer of the next packet to send to an address; flush first if full.
func (s *socket) next(to *unix.RawSockaddrInet4) []byte {
	b := s.out
	b.names[b.n] = *to
	b.n++
	return b.buf[b.n-1][:packetSize]
}

func (s *socket) full() bool { return s.out.n == batchSize }

// flush sends what waits. What the kernel does not take is lost.
func (s *socket) flush() {
	b := s.out
	for at := 0; at < b.n; {
		n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&b.msgs[at])), uintptr(b.n-at), 0, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			at++ // this one is refused; the others may be sent
		default:
			at += int(n)
		}
	}
	b.n = 0
}

// receive calls f with each packet that has come and when it came, in
// nanoseconds since 1970 by the kernel's clock.
func (s *socket) receive(f func(b []byte, at int64)) error {
	b := s.in
	for {
		for i := range b.msgs {
			b.msgs[i].hdr.SetControllen(len(b.oob[i]))
		}
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&b.msgs[0])), batchSize, 0, 0, 0)
		switch {
		case errno == unix.EAGAIN:
			return nil
		case errno == unix.EINTR:
			continue
		case errno != 0:
			return os.NewSyscallError("recvmmsg", errno)
		}
		for i := range int(n) {
			f(b.buf[i][:min(int(b.msgs[i].n), largest)], stamp(&b.oob[i]))
		}
		if n < batchSize {
			return nil
		}
	}
}

// stamp reads the SCM_TIMESTAMPNS that is the only control message asked for.
func stamp(oob *[64]byte) int64 {
	ts := (*unix.Timespec)(unsafe.Pointer(&oob[unix.CmsgLen(0)]))
	return ts.Nano()
}

func rawAddr(a netip.AddrPort) unix.RawSockaddrInet4 {
	raw := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: a.Addr().As4()}
	port := a.Port()
	raw.Port = port<<8 | port>>8 // network order; Linux on amd64 and arm64 is little-endian
	return raw
}

var errStopped = errors.New("the pump was stopped")
