package linecard

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// asyncLowLatency is ASYNC_LOW_LATENCY of linux/tty_flags.h.
const asyncLowLatency = 1 << 13

// lowLatency asks a USB adapter not to gather octets before it hands them on
// (an FTDI waits 16 ms by default). Devices that know nothing of it refuse,
// and nothing is lost.
func lowLatency(fd int) {
	var s struct { // struct serial_struct of linux/serial.h
		kind, line int32
		port       uint32
		irq, flags int32
		_          [13]uint64 // longer than the rest of it
	}
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGSERIAL, uintptr(unsafe.Pointer(&s))); e != 0 {
		return
	}
	s.flags |= asyncLowLatency
	unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCSSERIAL, uintptr(unsafe.Pointer(&s)))
}
