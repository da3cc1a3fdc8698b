// Package memnet is an IP network in memory for tests under fake time: UDP
// sockets with loss, delay and address rewriting on demand, and TCP
// connections. Nothing in it uses the operating system, so that goroutines
// which wait on it are durably blocked in the sense of testing/synctest.
package memnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A Network carries datagrams between its sockets. Its zero value is ready and
// loses nothing.
type Network struct {
	// Fate decides about each datagram; nil delivers all at once. It may be
	// set while nothing is sent.
	Fate func(from, to netip.AddrPort, data []byte) Fate

	mu        sync.Mutex
	sockets   map[netip.AddrPort]*UDP
	listeners map[netip.AddrPort]*Listener
	next      uint16
	late      []late // datagrams that are held up, the first to arrive first
}

// late is a datagram on its way. Those that arrive at one moment keep their order.
type late struct {
	at time.Time
	to netip.AddrPort
	d  datagram
}

// Fate is what happens to one datagram. The zero value delivers it at once.
type Fate struct {
	Lose  bool
	Twice bool           // the datagram arrives a second time
	Delay time.Duration  // in fake time
	From  netip.AddrPort // if valid, the source that the receiver sees (NAT)
	To    netip.AddrPort // if valid, where it goes instead
}

// UDP is a bound socket. It has the methods of net.UDPConn that the exchange uses.
type UDP struct {
	net      *Network
	addr     netip.AddrPort
	ready    chan struct{} // something is in the queue
	closed   chan struct{}
	once     sync.Once
	mu       sync.Mutex // of the rest
	queue    []datagram
	deadline time.Time
	rearm    chan struct{} // closed when the deadline moves
}

type datagram struct {
	data []byte
	from netip.AddrPort
}

// queueLen is how many datagrams a socket holds before it loses the next, as a
// receive buffer does.
const queueLen = 4096

// ListenUDP binds a socket; port 0 takes a free one.
func (n *Network) ListenUDP(addr string) (*UDP, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sockets == nil {
		n.sockets = make(map[netip.AddrPort]*UDP)
	}
	ap = n.free(ap, func(a netip.AddrPort) bool { return n.sockets[a] != nil })
	if n.sockets[ap] != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Addr: net.UDPAddrFromAddrPort(ap), Err: syscall.EADDRINUSE}
	}
	u := &UDP{net: n, addr: ap, ready: make(chan struct{}, 1), closed: make(chan struct{}), rearm: make(chan struct{})}
	n.sockets[ap] = u
	return u, nil
}

// free picks a port for an address whose port is 0. The network is locked.
func (n *Network) free(ap netip.AddrPort, taken func(netip.AddrPort) bool) netip.AddrPort {
	for ap.Port() == 0 || (n.next != 0 && ap.Port() == n.next && taken(ap)) {
		n.next++
		candidate := netip.AddrPortFrom(ap.Addr(), 40000+n.next%20000)
		if !taken(candidate) {
			return candidate
		}
	}
	return ap
}

// Sockets is how many sockets are bound: what a leak test counts.
func (n *Network) Sockets() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.sockets)
}

func (n *Network) send(from, to netip.AddrPort, data []byte) {
	var fate Fate
	if n.Fate != nil {
		fate = n.Fate(from, to, data)
	}
	if fate.Lose {
		return
	}
	if fate.From.IsValid() {
		from = fate.From
	}
	if fate.To.IsValid() {
		to = fate.To
	}
	d := datagram{append([]byte(nil), data...), from}
	times := 1
	if fate.Twice {
		times = 2
	}
	for range times {
		if fate.Delay > 0 {
			n.deliverLate(to, d, fate.Delay)
		} else {
			n.mu.Lock()
			n.deliver(to, d)
			n.mu.Unlock()
		}
	}
}

// deliver puts a datagram into its socket, if there is one. The network is locked.
func (n *Network) deliver(to netip.AddrPort, d datagram) {
	if u := n.sockets[to]; u != nil {
		u.put(d)
	}
}

func (n *Network) deliverLate(to netip.AddrPort, d datagram, delay time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at := time.Now().Add(delay)
	i := len(n.late)
	for i > 0 && n.late[i-1].at.After(at) {
		i--
	}
	n.late = slices.Insert(n.late, i, late{at, to, d})
	time.AfterFunc(delay, n.arrive) // one for each, so that the first is due when one fires
}

// arrive delivers the first of the datagrams that are held up.
func (n *Network) arrive() {
	n.mu.Lock()
	defer n.mu.Unlock()
	first := n.late[0]
	n.late = slices.Delete(n.late, 0, 1)
	n.deliver(first.to, first.d)
}

// put queues a datagram, unless the receive buffer is full.
func (u *UDP) put(d datagram) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.queue) < queueLen {
		u.queue = append(u.queue, d)
		u.signal()
	}
}

// take is the next datagram; false: there is none. The socket is locked.
func (u *UDP) take() (d datagram, ok bool) {
	if len(u.queue) == 0 {
		return d, false
	}
	d, u.queue[0] = u.queue[0], datagram{}
	if u.queue = u.queue[1:]; len(u.queue) > 0 {
		u.signal()
	} else {
		u.queue = nil
	}
	return d, true
}

// signal wakes a reader. The socket is locked.
func (u *UDP) signal() {
	select {
	case u.ready <- struct{}{}:
	default:
	}
}

// ReadFromUDPAddrPort waits for a datagram.
func (u *UDP) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		u.mu.Lock()
		deadline, rearm := u.deadline, u.rearm
		wait := time.Until(deadline)
		if !deadline.IsZero() && wait <= 0 {
			u.mu.Unlock()
			return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
		}
		d, ok := u.take()
		u.mu.Unlock()
		if ok {
			return copy(b, d.data), d.from, nil
		}
		if err := u.wait(deadline, wait, rearm); err != nil {
			return 0, netip.AddrPort{}, err
		}
	}
}

// wait waits until something may have come; rearm tells that the deadline has moved.
func (u *UDP) wait(deadline time.Time, wait time.Duration, rearm <-chan struct{}) error {
	var late <-chan time.Time
	if !deadline.IsZero() {
		t := time.NewTimer(wait)
		defer t.Stop()
		late = t.C
	}
	select {
	case <-u.closed:
		return net.ErrClosed
	case <-late:
		return os.ErrDeadlineExceeded
	case <-u.ready:
	case <-rearm:
	}
	return nil
}

// ReadFrom is ReadFromUDPAddrPort for net.PacketConn.
func (u *UDP) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := u.ReadFromUDPAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteToUDPAddrPort sends a datagram; like UDP, it does not say whether
// anybody is there.
func (u *UDP) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-u.closed:
		return 0, net.ErrClosed
	default:
	}
	u.net.send(u.addr, to, b)
	return len(b), nil
}

// WriteTo is WriteToUDPAddrPort for net.PacketConn.
func (u *UDP) WriteTo(b []byte, to net.Addr) (int, error) {
	ap, err := netip.ParseAddrPort(to.String())
	if err != nil {
		return 0, err
	}
	return u.WriteToUDPAddrPort(b, ap)
}

// Close unbinds the socket.
func (u *UDP) Close() error {
	u.once.Do(func() {
		u.net.mu.Lock()
		delete(u.net.sockets, u.addr)
		u.net.mu.Unlock()
		u.mu.Lock()
		u.queue = nil
		u.mu.Unlock()
		close(u.closed)
	})
	return nil
}

// LocalAddr is the bound address.
func (u *UDP) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(u.addr) }

// AddrPort is the bound address.
func (u *UDP) AddrPort() netip.AddrPort { return u.addr }

// SetReadDeadline ends a read that waits at t; zero never.
func (u *UDP) SetReadDeadline(t time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.deadline = t
	close(u.rearm)
	u.rearm = make(chan struct{})
	return nil
}

// SetDeadline is SetReadDeadline: writes never wait.
func (u *UDP) SetDeadline(t time.Time) error { return u.SetReadDeadline(t) }

// SetWriteDeadline does nothing: writes never wait.
func (u *UDP) SetWriteDeadline(time.Time) error { return nil }

// A Listener accepts TCP connections of the network.
type Listener struct {
	net    *Network
	addr   netip.AddrPort
	queue  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// ListenTCP binds a listener; port 0 takes a free one.
func (n *Network) ListenTCP(addr string) (*Listener, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners = make(map[netip.AddrPort]*Listener)
	}
	ap = n.free(ap, func(a netip.AddrPort) bool { return n.listeners[a] != nil })
	if n.listeners[ap] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(ap), Err: syscall.EADDRINUSE}
	}
	l := &Listener{net: n, addr: ap, queue: make(chan net.Conn, 64), closed: make(chan struct{})}
	n.listeners[ap] = l
	return l, nil
}

// DialTCP connects from the given address (port 0 takes a free one) to a listener.
func (n *Network) DialTCP(ctx context.Context, from, to string) (net.Conn, error) {
	src, err := netip.ParseAddrPort(from)
	if err != nil {
		return nil, err
	}
	dst, err := netip.ParseAddrPort(to)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	l := n.listeners[dst]
	src = n.free(src, func(netip.AddrPort) bool { return false })
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(dst), Err: errors.New("connection refused")}
	}
	near, far := net.Pipe()
	select {
	case l.queue <- conn{far, dst, src}:
		return conn{near, src, dst}, nil
	case <-l.closed:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("dial tcp %s: %w", dst, net.ErrClosed)
}

// conn gives a pipe its addresses.
type conn struct {
	net.Conn
	local, remote netip.AddrPort
}

func (c conn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// Accept waits for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close unbinds the listener; connections stay.
func (l *Listener) Close() error {
	l.once.Do(func() {
		l.net.mu.Lock()
		delete(l.net.listeners, l.addr)
		l.net.mu.Unlock()
		close(l.closed)
	})
	return nil
}

// Addr is the bound address.
func (l *Listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }
