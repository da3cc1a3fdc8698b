//go:build linux

package design

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	maxPacket = 1500
	round     = 256 // sockets served before the next wait
)

// A poller is an epoll instance for some links.
type poller struct {
	fd     int
	links  []*link
	stop   [2]int // a pipe; what is written ends the worker
	events [round]unix.EpollEvent
	name   unix.RawSockaddrInet6
	buf    [maxPacket]byte
}

const stopSlot = -1

func newPoller(links []*link) (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	p := &poller{fd: fd, links: links}
	if err := unix.Pipe2(p.stop[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("pipe2", err)
	}
	err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, p.stop[0], &unix.EpollEvent{Events: unix.EPOLLIN, Fd: stopSlot})
	for i, l := range links {
		if err == nil {
			err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, l.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)})
		}
	}
	if err != nil {
		p.close()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return p, nil
}

func (p *poller) close() {
	unix.Close(p.fd)
	unix.Close(p.stop[0])
	unix.Close(p.stop[1])
}

// ready finds the sockets that have packets, without waiting.
func (p *poller) ready() []unix.EpollEvent {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events)), round, 0, 0, 0)
	if errno != 0 {
		return nil
	}
	return p.events[:n]
}

// each calls f with every link that has packets; false: the worker is to end.
func (p *poller) each(ready []unix.EpollEvent, f func(*link)) bool {
	for i := range ready {
		slot := ready[i].Fd
		if slot == stopSlot {
			return false
		}
		f(p.links[slot])
	}
	return true
}

// forward takes one packet of a link and sends it.
func (p *poller) forward(l *link) {
	if n := p.receive(l, p.buf[:]); n > 0 && l.rewrite(p.buf[:n]) {
		syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(l.out.fd), uintptr(unsafe.Pointer(&p.buf)), uintptr(n),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&l.to)), unix.SizeofSockaddrInet4)
	}
}

// receive takes one packet of a link; 0: there is none.
func (p *poller) receive(l *link, b []byte) int {
	size := uint32(unsafe.Sizeof(p.name))
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(l.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0,
		uintptr(unsafe.Pointer(&p.name)), uintptr(unsafe.Pointer(&size)))
	if errno != 0 {
		return 0
	}
	return int(n)
}

// startParked starts a worker that Go's poller wakes as it does for any file,
// and that serves what is ready by a call of serve.
func startParked(r *Relay, links []*link, make func(*poller) (serve func([]unix.EpollEvent) bool, end func(), err error)) error {
	p, err := newPoller(links)
	if err != nil {
		return err
	}
	serve, end, err := make(p)
	if err != nil {
		p.close()
		return err
	}
	unix.SetNonblock(p.fd, true) // os.NewFile takes it into the poller then
	file := os.NewFile(uintptr(p.fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		p.close()
		return err
	}
	var ready []unix.EpollEvent
	find := func(uintptr) bool {
		ready = p.ready()
		return len(ready) > 0
	}
	r.stop = append(r.stop, func() { unix.Write(p.stop[1], []byte{0}) })
	r.done.Go(func() { // ends by stop
		defer func() {
			end()
			file.Close()
			unix.Close(p.stop[0])
			unix.Close(p.stop[1])
		}()
		for {
			if err := raw.Read(find); err != nil {
				r.fail(err)
				return
			}
			if !serve(ready) {
				return
			}
		}
	})
	return nil
}

func startEpoll(r *Relay, links []*link) error {
	return startParked(r, links, func(p *poller) (func([]unix.EpollEvent) bool, func(), error) {
		forward := p.forward
		return func(ready []unix.EpollEvent) bool { return p.each(ready, forward) }, func() {}, nil
	})
}

// startThread starts a worker that blocks a thread while it waits.
func startThread(r *Relay, links []*link) error {
	p, err := newPoller(links)
	if err != nil {
		return err
	}
	forward := p.forward
	r.stop = append(r.stop, func() { unix.Write(p.stop[1], []byte{0}) })
	r.done.Go(func() { // ends by stop
		runtime.LockOSThread()
		defer p.close()
		for {
			n, err := unix.EpollWait(p.fd, p.events[:], -1)
			if err != nil && !errors.Is(err, unix.EINTR) {
				r.fail(os.NewSyscallError("epoll_wait", err))
				return
			}
			if !p.each(p.events[:max(n, 0)], forward) {
				return
			}
		}
	})
	return nil
}
