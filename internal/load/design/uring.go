//go:build linux

package design

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A looped is a worker on an io_uring: every socket has one receive that goes
// on for ever (IORING_RECV_MULTISHOT) into buffers that all share, and what is
// to be sent is handed over together with the next wait. A round is one system
// call.
type looped struct {
	*ring
	links  []*link
	header unix.Msghdr // what a receive asks for: the sender's address
	used   []uint16    // buffers whose packets are on their way
	stop   [2]int      // a pipe, file len(links)
	read   [8]byte
	ending bool
	failed error
}

const (
	outSize  = 16 // struct io_uring_recvmsg_out
	nameRoom = unix.SizeofSockaddrInet4
	// Of userData: what is told of a send is only its failure.
	sendTag = 1 << 32
)

func startUring(r *Relay, links []*link) error {
	ready := make(chan error)
	u := &looped{links: links}
	r.done.Go(func() { // ends by stop
		runtime.LockOSThread() // the ring and its receives belong to this thread
		err := u.open()
		ready <- err
		if err != nil {
			return
		}
		defer u.close()
		if err := u.run(); err != nil {
			r.fail(err)
		}
	})
	if err := <-ready; err != nil {
		return err
	}
	r.stop = append(r.stop, func() { unix.Write(u.stop[1], []byte{0}) })
	return nil
}

func (u *looped) open() (err error) {
	if u.ring, err = newRing(); err != nil {
		return err
	}
	if err := unix.Pipe2(u.stop[:], unix.O_CLOEXEC); err != nil {
		u.ring.close()
		return os.NewSyscallError("pipe2", err)
	}
	fds := make([]int32, 0, len(u.links)+1)
	for _, l := range u.links {
		fds = append(fds, int32(l.fd))
	}
	fds = append(fds, int32(u.stop[0]))
	if err := u.files(fds); err != nil {
		u.close()
		return err
	}
	u.header.Namelen = nameRoom
	for i := range u.links {
		if err := u.arm(i); err != nil {
			u.close()
			return err
		}
	}
	s := u.next()
	s.opcode, s.flags, s.fd = opRead, sqeFixedFile, int32(len(u.links))
	s.addr, s.length, s.userData = uint64(uintptr(unsafe.Pointer(&u.read))), 1, uint64(len(u.links))
	return u.submit()
}

func (u *looped) close() {
	u.ring.close()
	unix.Close(u.stop[0])
	unix.Close(u.stop[1])
}

// room makes sure that there is room for a submission.
func (u *looped) room() error {
	if u.full() {
		return u.submit()
	}
	return nil
}

// arm begins to receive from a link.
func (u *looped) arm(i int) error {
	if err := u.room(); err != nil {
		return err
	}
	s := u.next()
	s.opcode, s.flags, s.ioprio, s.fd = opRecvmsg, sqeFixedFile|sqeBufferSelect, recvMultishot, int32(i)
	s.addr, s.length, s.userData = uint64(uintptr(unsafe.Pointer(&u.header))), 1, uint64(i)
	return nil
}

// run serves until it is stopped.
func (u *looped) run() error {
	take := u.take
	for !u.ending {
		if err := u.submit(); err != nil {
			return err
		}
		u.recycle()
		if u.completed(take) == 0 {
			if err := u.wait(); err != nil {
				return err
			}
		}
		if u.failed != nil {
			return u.failed
		}
	}
	return nil
}

// recycle gives back the buffers of what has been sent. A send of UDP that does
// not wait is over when it has been submitted.
func (u *looped) recycle() {
	if u.queued > 0 || len(u.used) == 0 {
		return
	}
	for _, id := range u.used {
		u.give(id)
	}
	u.used = u.used[:0]
	u.publish()
}

// take forwards what was received.
func (u *looped) take(c *cqe) {
	i := int(c.userData)
	switch {
	case c.userData&sendTag != 0:
		return // a packet that could not be sent is lost
	case i == len(u.links):
		u.ending = true
		return
	}
	if c.flags&cqeBuffer != 0 {
		u.forward(i, uint16(c.flags>>16), int(c.res))
	}
	if c.flags&cqeMore == 0 { // it ended, as when there was no buffer
		if err := u.arm(i); err != nil {
			u.failed = err
		}
	}
}

// forward queues a packet that stands in a buffer after what the kernel says
// about it and the sender's address.
func (u *looped) forward(i int, id uint16, size int) {
	u.used = append(u.used, id)
	l := u.links[i]
	b := u.buffer(id)
	if size < outSize+nameRoom {
		return
	}
	b = b[outSize+nameRoom : size]
	if !l.rewrite(b) {
		return
	}
	if err := u.room(); err != nil {
		u.failed = err
		return
	}
	s := u.next()
	s.opcode, s.flags, s.fd = opSend, sqeFixedFile|sqeSkipSuccess, int32(i^1) // a call's links are neighbours
	s.addr, s.length, s.opFlags = uint64(uintptr(unsafe.Pointer(&b[0]))), uint32(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL
	s.addr2, s.addrLen = uint64(uintptr(unsafe.Pointer(&l.to))), unix.SizeofSockaddrInet4
	s.userData = sendTag
}
