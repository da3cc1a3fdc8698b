//go:build linux

package design

import (
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What we use of linux/io_uring.h.
const (
	setupCQSize       = 1 << 3
	setupSingleIssuer = 1 << 12
	setupDeferTaskrun = 1 << 13
	featSingleMmap    = 1 << 0

	offsetRings = 0
	offsetSQEs  = 0x10000000

	opRecvmsg = 10
	opRead    = 22
	opSend    = 26

	sqeFixedFile    = 1 << 0
	sqeBufferSelect = 1 << 5
	sqeSkipSuccess  = 1 << 6
	recvMultishot   = 1 << 1

	cqeBuffer = 1 << 0
	cqeMore   = 1 << 1

	enterGetevents = 1 << 0

	registerFiles   = 2
	registerBufRing = 22
)

// ringParams is struct io_uring_params.
type ringParams struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFD uint32
	_                                                                      [3]uint32
	sq                                                                     struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		_                                                   uint64
	}
}

// sqe is struct io_uring_sqe as our operations use it.
type sqe struct {
	opcode, flags uint8
	ioprio        uint16
	fd            int32
	addr2         uint64
	addr          uint64
	length        uint32
	opFlags       uint32
	userData      uint64
	group         uint16
	_             uint16
	addrLen       uint16
	_             [18]byte
}

// cqe is struct io_uring_cqe.
type cqe struct {
	userData uint64
	res      int32
	flags    uint32
}

// providedBuf is struct io_uring_buf; the tail of the buffers' ring is the last
// field of the first.
type providedBuf struct {
	addr   uint64
	length uint32
	id     uint16
	tail   uint16
}

// A ring is an io_uring with buffers that the kernel picks for what it
// receives. It belongs to one thread.
type ring struct {
	fd     int
	rings  []byte
	sqes   []sqe
	cqes   []cqe
	sqTail *uint32
	cqHead *uint32
	cqTail *uint32
	sqMask uint32
	cqMask uint32
	queued uint32 // submissions that the kernel was not told of

	bufs    []byte
	bufRing []providedBuf
	given   uint16 // buffers handed to the kernel so far
}

const (
	ringEntries = 1024
	cqEntries   = 8192
	bufCount    = 512
	bufSize     = 2048
)

// newRing makes a ring that runs its work only in enter (IORING_SETUP_DEFER_TASKRUN).
func newRing() (*ring, error) {
	p := ringParams{flags: setupCQSize | setupSingleIssuer | setupDeferTaskrun, cqEntries: cqEntries}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, ringEntries, uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, os.NewSyscallError("io_uring_setup", errno)
	}
	r := &ring{fd: int(fd)}
	if err := r.mapRings(&p); err != nil {
		r.close()
		return nil, err
	}
	if err := r.provide(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// mapRings maps what the kernel shares with us.
func (r *ring) mapRings(p *ringParams) error {
	size := max(int(p.sq.array)+4*int(p.sqEntries), int(p.cq.cqes)+int(unsafe.Sizeof(cqe{}))*int(p.cqEntries))
	var err error
	if r.rings, err = unix.Mmap(r.fd, offsetRings, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return os.NewSyscallError("mmap io_uring", err)
	}
	mem, err := unix.Mmap(r.fd, offsetSQEs, int(unsafe.Sizeof(sqe{}))*int(p.sqEntries), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return os.NewSyscallError("mmap io_uring", err)
	}
	r.sqes = unsafe.Slice((*sqe)(unsafe.Pointer(&mem[0])), p.sqEntries)
	word := func(at uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.rings[at])) }
	r.sqTail, r.cqHead, r.cqTail = word(p.sq.tail), word(p.cq.head), word(p.cq.tail)
	r.sqMask, r.cqMask = *word(p.sq.mask), *word(p.cq.mask)
	for i := range p.sqEntries { // an entry's place is its number
		*word(p.sq.array + 4*i) = i
	}
	r.cqes = unsafe.Slice((*cqe)(unsafe.Pointer(&r.rings[p.cq.cqes])), p.cqEntries)
	return nil
}

// provide registers the buffers, as group 0.
func (r *ring) provide() error {
	mem, err := unix.Mmap(-1, 0, bufCount*(bufSize+int(unsafe.Sizeof(providedBuf{}))), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return os.NewSyscallError("mmap buffers", err)
	}
	r.bufs = mem[:bufCount*bufSize]
	r.bufRing = unsafe.Slice((*providedBuf)(unsafe.Pointer(&mem[bufCount*bufSize])), bufCount)
	reg := struct {
		addr    uint64
		entries uint32
		group   uint16
		flags   uint16
		_       [3]uint64
	}{addr: uint64(uintptr(unsafe.Pointer(&r.bufRing[0]))), entries: bufCount}
	if _, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), registerBufRing, uintptr(unsafe.Pointer(&reg)), 1, 0, 0); errno != 0 {
		return os.NewSyscallError("io_uring_register IORING_REGISTER_PBUF_RING", errno)
	}
	for id := range bufCount {
		r.give(uint16(id))
	}
	r.publish()
	return nil
}

// give hands a buffer back; publish tells the kernel.
func (r *ring) give(id uint16) {
	b := &r.bufRing[r.given%bufCount]
	b.addr, b.length, b.id = uint64(uintptr(unsafe.Pointer(&r.bufs[int(id)*bufSize]))), bufSize, id
	r.given++
}

// publish writes the 16-bit tail with the id before it, which the kernel reads
// only with the entry, so that one atomic store does.
func (r *ring) publish() {
	first := &r.bufRing[0]
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&first.id)), uint32(first.id)|uint32(r.given)<<16)
}

func (r *ring) buffer(id uint16) []byte { return r.bufs[int(id)*bufSize:][:bufSize] }

// files registers descriptors: an operation names one by its index.
func (r *ring) files(fds []int32) error {
	if _, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), registerFiles, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)), 0, 0); errno != 0 {
		return os.NewSyscallError("io_uring_register IORING_REGISTER_FILES", errno)
	}
	return nil
}

// next is the next submission, empty. The queue must not be full.
func (r *ring) next() *sqe {
	s := &r.sqes[*r.sqTail&r.sqMask]
	*s = sqe{}
	atomic.StoreUint32(r.sqTail, *r.sqTail+1)
	r.queued++
	return s
}

func (r *ring) full() bool { return r.queued == ringEntries }

// submit hands over what is queued, and has the kernel complete what it can.
func (r *ring) submit() error {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.queued), 0, enterGetevents, 0, 0)
		switch errno {
		case 0:
			if r.queued -= uint32(n); r.queued == 0 {
				return nil
			}
		case unix.EINTR, unix.EAGAIN, unix.EBUSY:
			return nil // the rest goes with the next call
		default:
			return os.NewSyscallError("io_uring_enter", errno)
		}
	}
}

// wait blocks until something is complete.
func (r *ring) wait() error {
	n, _, errno := syscall.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.queued), 1, enterGetevents, 0, 0)
	switch errno {
	case 0:
		r.queued -= uint32(n)
		return nil
	case unix.EINTR, unix.EAGAIN, unix.EBUSY:
		return nil
	}
	return os.NewSyscallError("io_uring_enter", errno)
}

// completed calls f with what is complete and tells how much that was.
func (r *ring) completed(f func(*cqe)) int {
	head, tail := *r.cqHead, atomic.LoadUint32(r.cqTail)
	for i := head; i != tail; i++ {
		f(&r.cqes[i&r.cqMask])
	}
	atomic.StoreUint32(r.cqHead, tail)
	return int(tail - head)
}

func (r *ring) close() {
	unix.Close(r.fd)
	if r.rings != nil {
		unix.Munmap(r.rings)
	}
}
