package rtp

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// pollBatch is how many sockets are served before orders and timers are looked
// at: some 3 ms of work at most.
const pollBatch = 256

// behindBatch is how many packets of a socket are taken at once by a shard that
// cannot keep up: the second is cheaper than the first, because what both need
// is in the core's cache, so the shard may catch up yet.
const behindBatch = 4

// errWoken: the deadline has come, or somebody has an order.
var errWoken = os.ErrDeadlineExceeded

// A poll waits for the packets of many sockets: an epoll instance (epoll(7)).
// Such an instance is a file that can be waited for itself, so Go's own poller
// waits for it: the goroutine parks as any other, and no thread blocks.
type poll struct {
	file   *os.File
	raw    syscall.RawConn
	ready  func(fd uintptr) bool // of raw.Read: made once, so that a wait allocates nothing
	events [pollBatch]unix.EpollEvent
	n      int // events that ready found

	served [pollBatch]*loop // of events

	slots []*loop // by what an event's Fd says; the shard's lock guards it
	free  []int32

	full    int    // waits in a row that found as much as they can
	touched uint64 // keeps what warm reads from being left out as useless

	from unix.RawSockaddrInet6 // room for IPv4's, too
	buf  [maxPacket + 1]byte
}

func newPoll() (*poll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// os.NewFile gives a file that is non-blocking to the poller.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &poll{file: os.NewFile(uintptr(fd), "epoll")}
	if p.raw, err = p.file.SyscallConn(); err == nil {
		err = p.file.SetReadDeadline(time.Time{}) // fails if the poller did not take it
	}
	if err != nil {
		p.file.Close()
		return nil, err
	}
	p.ready = func(fd uintptr) bool {
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&p.events)), pollBatch, 0, 0, 0)
		if errno != 0 {
			n = 0
		}
		p.n = int(n)
		return n > 0
	}
	return p, nil
}

// add has the packets of a loop's socket waited for. The shard's lock is held.
func (p *poll) add(l *loop) error {
	slot := int32(len(p.slots))
	if n := len(p.free); n > 0 {
		slot, p.free = p.free[n-1], p.free[:n-1]
		p.slots[slot] = l
	} else {
		p.slots = append(p.slots, l)
	}
	l.os = descriptor{fd: l.conn.(*socket).fd, slot: slot}
	return p.control(unix.EPOLL_CTL_ADD, l.os.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: slot})
}

func (p *poll) control(op, fd int, ev *unix.EpollEvent) error {
	var failed error
	err := p.raw.Control(func(epfd uintptr) { failed = unix.EpollCtl(int(epfd), op, fd, ev) })
	if err == nil {
		err = failed
	}
	return os.NewSyscallError("epoll_ctl", err)
}

// remove forgets a loop's socket.
func (p *poll) remove(s *shard, l *loop) {
	_ = p.control(unix.EPOLL_CTL_DEL, l.os.fd, nil) // closing it does the same
	s.mu.Lock()
	defer s.mu.Unlock()
	p.slots[l.os.slot] = nil
	p.free = append(p.free, l.os.slot)
}

// deadline is when wait ends though no packet came; zero: never.
func (p *poll) deadline(t time.Time) { p.file.SetReadDeadline(t) }

// wake ends a wait at once.
func (p *poll) wake() { p.file.SetReadDeadline(past) }

func (p *poll) close() { p.file.Close() }

// wait hands on a packet of each socket that has one. errWoken if the deadline
// came first.
func (p *poll) wait(s *shard) error {
	if err := p.raw.Read(p.ready); err != nil {
		return err
	}
	s.mu.Lock()
	for i := range p.n {
		p.served[i] = p.slots[p.events[i].Fd]
	}
	s.mu.Unlock()
	most := 1
	if p.full++; p.n < pollBatch {
		p.full = 0
	} else if p.full > 1 {
		most = behindBatch
	}
	for i := 0; i < p.n; i += ahead {
		batch := p.served[i:min(i+ahead, p.n)]
		p.touched += warm(batch)
		for _, l := range batch {
			if l != nil {
				p.receive(l, most)
			}
		}
	}
	return nil
}

// receive takes some packets of a socket, at least one. If it has more, the next
// wait tells.
func (p *poll) receive(l *loop, most int) {
	for range most {
		if !p.receiveOne(l) {
			return
		}
	}
}

// receiveOne takes a packet; false: there is none.
func (p *poll) receiveOne(l *loop) bool {
	size := uint32(unsafe.Sizeof(p.from))
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(l.os.fd),
		uintptr(unsafe.Pointer(&p.buf)), uintptr(len(p.buf)), 0,
		uintptr(unsafe.Pointer(&p.from)), uintptr(unsafe.Pointer(&size)))
	switch errno {
	case 0:
		l.owner.datagram(p.buf[:n], addrPortFrom(&p.from))
		return true
	case unix.EAGAIN, unix.EINTR:
	default:
		l.owner.fail(errno)
	}
	return false
}
