package linecard

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

// DefaultBaud is the speed of a line whose configuration names none: enough
// for four ports (§3.3).
const DefaultBaud = 460800

// Serial is a serial device with a line card on it.
type Serial struct {
	Path   string // "/dev/ttyUSB0", or a stable name such as "/dev/serial/by-id/…"
	Baud   int    // zero means DefaultBaud; a USB CDC card ignores it
	RTSCTS bool   // hardware flow control: only with a card and a cable that have it
}

// Open opens the device, 8N1, for this process alone and throws away what waits in
// its buffers. An error does not repeat the path: whoever asked puts it in
// front.
func (s Serial) Open() (io.ReadWriteCloser, error) {
	if s.Baud == 0 {
		s.Baud = DefaultBaud
	}
	// tarm's Port sets the line up, but its Close does not end a Read or a
	// Write that waits. So octets go through an opening of our own, which
	// waits in Go's poller, and holds the lock.
	fd, err := unix.Open(s.Path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, s.explain(err)
	}
	p := &serialPort{file: os.NewFile(uintptr(fd), s.Path)}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		p.file.Close()
		return nil, s.explain(unix.EBUSY)
	}
	if p.line, err = serial.OpenPort(&serial.Config{Name: s.Path, Baud: s.Baud}); err != nil {
		p.file.Close()
		return nil, s.explain(err)
	}
	if err := prepare(fd, s.RTSCTS); err != nil {
		p.Close()
		return nil, s.explain(err)
	}
	return p, nil
}

// prepare sets up what tarm's Port does not, and empties the buffers.
func prepare(fd int, rtscts bool) error {
	unix.IoctlSetInt(fd, unix.TIOCEXCL, 0) // from here on others get EBUSY; the lock serves where this does not
	lowLatency(fd)
	if rtscts {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		t.Cflag |= unix.CRTSCTS
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
			return err
		}
	}
	return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
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
	self := ""
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err != nil || to != real {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		if pid == fmt.Sprint(os.Getpid()) {
			self = " by this process itself (is it configured twice?)"
			continue
		}
		name, _ := os.ReadFile("/proc/" + pid + "/comm")
		return fmt.Sprintf(" by %s (process %s)", strings.TrimSpace(string(name)), pid)
	}
	return self
}

// serialPort is an opened device.
type serialPort struct {
	file *os.File     // for octets
	line *serial.Port // for the line's settings
	once sync.Once
}

// Read waits for at least one octet. A terminal that was hung up reads as
// ended, or fails.
func (p *serialPort) Read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	if errors.Is(err, io.EOF) {
		err = unix.EIO
	}
	return n, explainIO(err)
}

// Write writes all of b, as slowly as the line takes it.
func (p *serialPort) Write(b []byte) (int, error) {
	n, err := p.file.Write(b)
	return n, explainIO(err)
}

// explainIO names the errors of a device that was pulled out.
func explainIO(err error) error {
	if errors.Is(err, unix.EIO) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV) {
		return errors.New("the device is gone")
	}
	return err
}

// Close ends Reads and Writes that wait, and lets others have the device.
func (p *serialPort) Close() (err error) {
	p.once.Do(func() {
		if c, e := p.file.SyscallConn(); e == nil {
			c.Control(func(fd uintptr) { unix.IoctlSetInt(int(fd), unix.TIOCNXCL, 0) })
		}
		p.line.Close()
		err = p.file.Close()
	})
	return err
}
