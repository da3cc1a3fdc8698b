//go:build linux

package design

import (
	"fmt"
	"net/netip"
	"os"
	"sort"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A Pair is a call: what comes to port A is sent from port B to ToB, and the
// other way round.
type Pair struct{ A, B, ToA, ToB netip.AddrPort }

// A Relay forwards until it is closed.
type Relay struct {
	links []*link
	stop  []func() // ends a worker
	done  sync.WaitGroup

	mu     sync.Mutex
	failed error
}

// designs by name: each makes the workers that serve some links.
var designs = map[string]func(r *Relay, links []*link) error{
	"goroutines": startGoroutines, // one a socket, blocked in Go's poller
	"epoll":      startEpoll,      // one a core, parked in Go's poller, recvfrom and sendto
	"thread":     startThread,     // as epoll, but blocked in epoll_wait by itself
	"mmsg":       startMmsg,       // as epoll, with recvmmsg and sendmmsg on each socket
	"raw":        startRaw,        // as epoll, with one sendmmsg a round on a raw socket
	"uring":      startUring,      // one a core, blocked in io_uring_enter
}

// Names are the designs there are.
func Names() []string {
	var names []string
	for name := range designs {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Start binds the ports and begins to relay with some workers, where the design
// has a fixed number. Close ends it.
func Start(name string, workers int, pairs []Pair) (*Relay, error) {
	start, ok := designs[name]
	if !ok {
		return nil, fmt.Errorf("no design is called %q: there are %s", name, strings.Join(Names(), ", "))
	}
	r := new(Relay)
	for _, p := range pairs {
		if err := r.bind(p); err != nil {
			r.Close()
			return nil, err
		}
	}
	for w := range workers {
		var share []*link
		for i := w * 2; i < len(r.links); i += 2 * workers {
			share = append(share, r.links[i], r.links[i+1])
		}
		if err := start(r, share); err != nil {
			r.Close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return r, nil
}

// Err is why a worker ended before it was told to; nil: none did.
func (r *Relay) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *Relay) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.failed = err
	}
}

// Close ends the workers and closes the sockets.
func (r *Relay) Close() {
	for _, stop := range r.stop {
		stop()
	}
	r.done.Wait()
	for _, l := range r.links {
		if l.fd >= 0 {
			unix.Close(l.fd)
		}
	}
}

// A link is one socket of a call. Its packets leave from out, which is the
// call's other one.
type link struct {
	fd   int // -1: another owns it
	at   netip.AddrPort
	out  *link
	to   unix.RawSockaddrInet4 // where out sends
	dest netip.AddrPort        // the same
	ssrc uint32                // what is sent bears it
}

func (r *Relay) bind(p Pair) error {
	a, b := &link{at: p.A, ssrc: 1}, &link{at: p.B, ssrc: 2}
	a.out, b.out = b, a
	a.dest, a.to = p.ToB, rawAddr(p.ToB)
	b.dest, b.to = p.ToA, rawAddr(p.ToA)
	for _, l := range []*link{a, b} {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		l.fd = fd
		r.links = append(r.links, l)
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: l.at.Addr().As4(), Port: int(l.at.Port())}); err != nil {
			return fmt.Errorf("bind udp %s: %w", l.at, err)
		}
	}
	return nil
}

// rewrite makes a packet ours; false: it is no RTP.
func (l *link) rewrite(b []byte) bool {
	if len(b) < 12 || b[0]>>6 != 2 {
		return false
	}
	b[8], b[9], b[10], b[11] = byte(l.ssrc>>24), byte(l.ssrc>>16), byte(l.ssrc>>8), byte(l.ssrc)
	return true
}

func rawAddr(a netip.AddrPort) unix.RawSockaddrInet4 {
	raw := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: a.Addr().As4()}
	raw.Port = a.Port()<<8 | a.Port()>>8 // network order; Linux on amd64 and arm64 is little-endian
	return raw
}
