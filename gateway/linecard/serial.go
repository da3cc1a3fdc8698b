package linecard

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// DefaultBaud is the speed of a line whose configuration names none: enough
// for four ports (§3.3).
const DefaultBaud = 460800

// readTimeout is how soon a reader notices that its port was closed: tarm's
// Close does not interrupt a Read.
const readTimeout = 100 * time.Millisecond

// Serial is a serial device with a line card on it.
type Serial struct {
	Path   string // "/dev/ttyUSB0", or a stable name such as "/dev/serial/by-id/…"
	Baud   int    // zero means DefaultBaud; a USB CDC card ignores it
	RTSCTS bool   // hardware flow control: only with a card and a cable that have it
}

// OpenSerial opens the device at path, 8N1 without flow control.
func OpenSerial(path string, baud int) (io.ReadWriteCloser, error) {
	return Serial{Path: path, Baud: baud}.Open()
}

// Open opens the device for this process alone and throws away what waits in
// its buffers. An error does not repeat the path: whoever asked puts it in
// front.
func (s Serial) Open() (io.ReadWriteCloser, error) {
	if s.Baud == 0 {
		s.Baud = DefaultBaud
	}
	// guard is a second opening of the same device. It holds the lock, and
	// tells of a hang-up, which tarm's Port cannot.
	guard, err := unix.Open(s.Path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, s.explain(err)
	}
	if err := unix.Flock(guard, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(guard)
		return nil, s.explain(unix.EBUSY)
	}
	port, err := serial.OpenPort(&serial.Config{Name: s.Path, Baud: s.Baud, ReadTimeout: readTimeout})
	if err != nil {
		unix.Close(guard)
		return nil, s.explain(err)
	}
	p := &serialPort{port: port, guard: guard}
	if err := p.prepare(s.RTSCTS); err != nil {
		p.Close()
		return nil, s.explain(err)
	}
	return p, nil
}

// explain turns an errno into what to do about it.
func (s Serial) explain(err error) error {
	var errno syscall.Errno
	errors.As(err, &errno)
	switch {
	case errno == unix.ENOENT || errno == unix.ENXIO || errno == unix.ENODEV:
		return fmt.Errorf("no such device: is it plugged in?")
	case errno == unix.EACCES || errno == unix.EPERM:
		return fmt.Errorf("permission denied: is this user in the group that owns it (often dialout)?")
	case errno == unix.EBUSY:
		return fmt.Errorf("in use%s: stop that first", holder(s.Path))
	case errno == unix.ENOTTY || errno == unix.EISDIR:
		return fmt.Errorf("not a serial device")
	case strings.Contains(strings.ToLower(err.Error()), "baud"):
		return fmt.Errorf("baud rate %d is not one of the usual: try 115200, 230400, 460800, 921600 or 3000000", s.Baud)
	}
	return fmt.Errorf("cannot open: %w", err)
}

// holder says which other process has the device open, if it may be known:
// " by minicom (process 4711)".
func holder(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err != nil || to != real {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		if pid == fmt.Sprint(os.Getpid()) {
			continue
		}
		name, _ := os.ReadFile("/proc/" + pid + "/comm")
		return fmt.Sprintf(" by %s (process %s)", strings.TrimSpace(string(name)), pid)
	}
	return ""
}

// serialPort makes of tarm's Port what Config.Open promises: a Read that waits,
// an end of file that is one, a Close that unblocks.
type serialPort struct {
	port    *serial.Port
	guard   int
	closed  atomic.Bool
	writing atomic.Int32
	once    sync.Once
}

func (p *serialPort) prepare(rtscts bool) error {
	unix.IoctlSetInt(p.guard, unix.TIOCEXCL, 0) // from here on others get EBUSY; the lock serves where this does not
	lowLatency(p.guard)
	if rtscts {
		t, err := unix.IoctlGetTermios(p.guard, unix.TCGETS)
		if err != nil {
			return err
		}
		t.Cflag |= unix.CRTSCTS
		if err := unix.IoctlSetTermios(p.guard, unix.TCSETS, t); err != nil {
			return err
		}
	}
	return unix.IoctlSetInt(p.guard, unix.TCFLSH, unix.TCIOFLUSH)
}

// Read waits for at least one octet. tarm's Port reports a timeout as end of
// file; whether it was one, the guard knows.
func (p *serialPort) Read(b []byte) (int, error) {
	for {
		n, err := p.port.Read(b)
		if n > 0 || err != nil && err != io.EOF {
			return n, p.during(err)
		}
		if p.closed.Load() {
			return 0, os.ErrClosed
		}
		poll := []unix.PollFd{{Fd: int32(p.guard)}}
		if _, err := unix.Poll(poll, 0); err == nil && poll[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0 {
			return 0, errors.New("the device is gone")
		}
	}
}

// Write writes all of b, as slowly as the line takes it.
func (p *serialPort) Write(b []byte) (int, error) {
	p.writing.Add(1)
	defer p.writing.Add(-1)
	if p.closed.Load() {
		return 0, os.ErrClosed
	}
	n, err := p.port.Write(b)
	return n, p.during(err)
}

// during names the errors of a device that was pulled out.
func (p *serialPort) during(err error) error {
	switch {
	case err == nil:
		return nil
	case p.closed.Load():
		return os.ErrClosed
	case errors.Is(err, unix.EIO) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV):
		return errors.New("the device is gone")
	}
	return err
}

// Close gives a writer 200 ms to get its last octets out, then throws them
// away; a reader returns within readTimeout.
func (p *serialPort) Close() (err error) {
	p.once.Do(func() {
		p.closed.Store(true)
		for i := 0; p.writing.Load() > 0 && i < 200; i++ {
			if i >= 20 {
				unix.IoctlSetInt(p.guard, unix.TCFLSH, unix.TCOFLUSH)
			}
			time.Sleep(10 * time.Millisecond)
		}
		unix.IoctlSetInt(p.guard, unix.TIOCNXCL, 0)
		err = p.port.Close()
		unix.Close(p.guard)
	})
	return err
}
