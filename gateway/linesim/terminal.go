package linesim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// terminal puts a card on a pseudo terminal, with a link of a name that stays
// the same over unplug and replug.
type terminal struct {
	dir  string // to be removed with the link; empty: the link has a place of its own
	link string
	tty  *os.File // our own opening of the host's side: without it a host that closes would hang us up
}

// attachTerminal gives the card a terminal and plugs it in.
func (c *Card) attachTerminal() error {
	t, err := newTerminal(c.cfg.Name, c.cfg.Link)
	if err != nil {
		return err
	}
	c.path.Store(&t.link)
	c.terminal = t
	return c.plug()
}

// newTerminal is a terminal still to be opened. Without a link it has one in a
// new directory.
func newTerminal(name, link string) (*terminal, error) {
	t := &terminal{link: link}
	if t.link == "" {
		dir, err := os.MkdirTemp("", "linesim-")
		if err != nil {
			return nil, fmt.Errorf("linesim: no directory for the terminal of %s: %w", name, err)
		}
		t.dir, t.link = dir, filepath.Join(dir, name)
	}
	return t, nil
}

// open makes a new pseudo terminal in raw mode and links to it; what is
// returned is the card's side.
func (t *terminal) open() (io.ReadWriteCloser, error) {
	master, tty, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("linesim: no pseudo terminal: %w", err)
	}
	err = raw(tty)
	if err == nil {
		err = t.relink(tty.Name())
	}
	if err != nil {
		master.Close()
		tty.Close()
		return nil, err
	}
	t.tty = tty
	return pollable(master)
}

// pollable is the file opened so that closing it ends a Read: package pty has
// made it blocking.
func pollable(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("linesim: %s: %w", f.Name(), err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("linesim: %s: %w", f.Name(), err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// relink points the link to a terminal. Only a link is ever replaced.
func (t *terminal) relink(to string) error {
	if info, err := os.Lstat(t.link); err == nil {
		if info.Mode()&os.ModeSymlink == 0 {
			return fmt.Errorf("linesim: %s exists and is not a symbolic link: choose another name", t.link)
		}
		os.Remove(t.link)
	}
	if err := os.Symlink(to, t.link); err != nil {
		return fmt.Errorf("linesim: cannot link the card's terminal: %w", err)
	}
	return nil
}

// unplug takes the terminal away.
func (t *terminal) unplug() {
	os.Remove(t.link)
	if t.tty != nil {
		t.tty.Close()
		t.tty = nil
	}
}

// remove takes the terminal away for good.
func (t *terminal) remove() {
	t.unplug()
	if t.dir != "" {
		os.Remove(t.dir)
	}
}

// release lets others open the terminal after a host that has claimed it for
// itself (TIOCEXCL) and died.
func (t *terminal) release() {
	if t.tty != nil {
		control(t.tty, func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCNXCL, 0) })
	}
}

// raw makes a terminal pass every octet as it is (termios(3), cfmakeraw).
func raw(tty *os.File) error {
	err := control(tty, func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Cflag &^= unix.CSIZE | unix.PARENB
		t.Cflag |= unix.CS8
		return unix.IoctlSetTermios(fd, unix.TCSETS, t)
	})
	if err != nil {
		return fmt.Errorf("linesim: cannot set %s to raw mode: %w", tty.Name(), err)
	}
	return nil
}

// control runs f on the file's descriptor without making the file blocking.
func control(file *os.File, f func(fd int) error) error {
	c, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = c.Control(func(fd uintptr) { inner = f(int(fd)) })
	return errors.Join(err, inner)
}
