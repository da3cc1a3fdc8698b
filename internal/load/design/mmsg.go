//go:build linux

package design

import (
	"encoding/binary"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   [4]byte
}

// A batch is memory for some messages.
type batch struct {
	msgs  []mmsghdr
	iov   []unix.Iovec
	names []unix.RawSockaddrInet4
	bufs  [][]byte
}

func newBatch(n int) *batch {
	b := &batch{msgs: make([]mmsghdr, n), iov: make([]unix.Iovec, n), names: make([]unix.RawSockaddrInet4, n), bufs: make([][]byte, n)}
	for i := range n {
		b.bufs[i] = make([]byte, rawHeaders+maxPacket)
		h := &b.msgs[i].hdr
		h.Iov = &b.iov[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		h.Namelen = unix.SizeofSockaddrInet4
		b.iov[i].Base = &b.bufs[i][0]
	}
	return b
}

// call makes a system call for the first n messages; 0: none was taken.
func (b *batch) call(number uintptr, fd, n int) int {
	done, _, errno := syscall.RawSyscall6(number, uintptr(fd), uintptr(unsafe.Pointer(&b.msgs[0])), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(done)
}

// startMmsg takes all packets that a socket has by one call and sends them by
// one. A batch cannot be larger than what one party sent since the last round,
// because each packet must leave from its own call's port.
func startMmsg(r *Relay, links []*link) error {
	const most = 8
	return startParked(r, links, func(p *poller) (func([]unix.EpollEvent) bool, func(), error) {
		b := newBatch(most)
		forward := func(l *link) {
			for i := range b.msgs {
				b.iov[i].SetLen(maxPacket)
				b.msgs[i].hdr.Namelen = unix.SizeofSockaddrInet4
			}
			n := b.call(unix.SYS_RECVMMSG, l.fd, most)
			good := 0 // those that are RTP come first
			for i := range n {
				p := b.bufs[i][:b.msgs[i].n]
				if !l.rewrite(p) {
					continue
				}
				if good < i {
					copy(b.bufs[good], p)
				}
				b.iov[good].SetLen(len(p))
				b.names[good] = l.to
				good++
			}
			if good > 0 {
				b.call(unix.SYS_SENDMMSG, l.out.fd, good)
			}
		}
		return func(ready []unix.EpollEvent) bool { return p.each(ready, forward) }, func() {}, nil
	})
}

// rawHeaders are those of IPv4 and UDP.
const rawHeaders = 20 + 8

// startRaw sends the packets of a whole round by one call on a raw socket, with
// IP and UDP headers of our own making, so that each bears its call's port. It
// needs CAP_NET_RAW; UDP's checksum is left out, which IPv4 allows and IPv6
// does not.
func startRaw(r *Relay, links []*link) error {
	return startParked(r, links, func(p *poller) (func([]unix.EpollEvent) bool, func(), error) {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return nil, nil, os.NewSyscallError("socket SOCK_RAW", err)
		}
		b := newBatch(round)
		n := 0
		queue := func(l *link) {
			buf := b.bufs[n]
			size := p.receive(l, buf[rawHeaders:])
			if size == 0 || !l.rewrite(buf[rawHeaders:rawHeaders+size]) {
				return
			}
			l.putHeaders(buf, size)
			b.iov[n].SetLen(rawHeaders + size)
			b.names[n] = l.to
			b.names[n].Port = 0
			n++
		}
		serve := func(ready []unix.EpollEvent) bool {
			n = 0
			more := p.each(ready, queue)
			if n > 0 {
				b.call(unix.SYS_SENDMMSG, fd, n)
			}
			return more
		}
		return serve, func() { unix.Close(fd) }, nil
	})
}

// putHeaders writes IPv4's header (RFC 791), of which the kernel fills in
// length, identification and checksum, and UDP's (RFC 768).
func (l *link) putHeaders(b []byte, size int) {
	const version, ttl, udp = 0x45, 64, 17
	clear(b[:rawHeaders])
	b[0], b[8], b[9] = version, ttl, udp
	from, to := l.out.at.Addr().As4(), l.dest.Addr().As4()
	copy(b[12:], from[:])
	copy(b[16:], to[:])
	binary.BigEndian.PutUint16(b[20:], l.out.at.Port())
	binary.BigEndian.PutUint16(b[22:], l.dest.Port())
	binary.BigEndian.PutUint16(b[24:], uint16(8+size))
}
