// Package wire carries SIP messages over UDP and TCP sockets that are passed
// in: it frames what arrives, mends what phones of 1999 write differently,
// refuses what is no SIP message, and hands the rest on in order of arrival;
// it sends messages and finds the way of a response (RFC 3261 §18, RFC 3581).
//
// A Layer owns its sockets, a goroutine for each that reads, and for each TCP
// connection one that writes. Transactions, dialogs and name resolution are
// not its business.
package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A Conn is a UDP socket; *net.UDPConn is one.
type Conn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	Close() error
}

// Inbound is a message that has arrived. Its Via, From, To, Call-ID and CSeq
// are present, CSeq names the request's method, and no single header is
// doubled. A request's top Via tells by received and rport where it came from.
type Inbound struct {
	Request  *sip.Request  // exactly one
	Response *sip.Response // of the two is not nil
	Flow     Flow          // where it came from
	Mended   []Mending     // what had to be rewritten to read it; usually nil
}

// Message is the request or the response.
func (in Inbound) Message() sip.Message {
	if in.Request != nil {
		return in.Request
	}
	return in.Response
}

// Config is what a Layer works with. The sockets belong to the Layer from New
// on and are closed by Close.
type Config struct {
	UDP []Conn
	TCP []net.Listener
	// DialTCP opens a TCP connection. Nil: there are only the connections that
	// others open.
	DialTCP func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	// LocalTo tells which of our addresses reaches another; it is asked for
	// sockets that are bound to the unspecified address. Nil asks the
	// operating system's routing table.
	LocalTo func(remote netip.Addr) (netip.Addr, error)

	// Handle takes what arrives, in order for each Flow, from the goroutine
	// that reads. It must not block. It may be called from several goroutines.
	Handle func(Inbound)
	// Failed is told that a TCP connection has ended or could not be opened:
	// what was sent on the flow may be lost. Nil: nobody is. It must not block.
	Failed func(Flow, error)

	Log    *slog.Logger // nil: slog.Default()
	Limits Limits
}

// Limits bounds what others can make a Layer hold. Each zero field stands for
// the value in its comment.
type Limits struct {
	Message     int           // largest message, in bytes: 65535
	Connections int           // TCP connections at once: 4096
	PerSource   int           // of these from one address: 512
	Idle        time.Duration // an open connection on which nothing is received: 65 min, more than the longest usual registration
	Arrive      time.Duration // from a connection's or a message's first byte to the message's end: 10 s
	Dial        time.Duration // until a connection stands: 4 s
	Write       time.Duration // until the far end has taken what was written: 10 s
	KeepAlive   time.Duration // between CRLF pairs on connections that we opened (RFC 5626 §4.4.1): 95 s; negative: none
}

func (l Limits) filled() Limits {
	def := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	if l.Message <= 0 {
		l.Message = 65535
	}
	if l.Connections <= 0 {
		l.Connections = 4096
	}
	if l.PerSource <= 0 {
		l.PerSource = 512
	}
	def(&l.Idle, 65*time.Minute)
	def(&l.Arrive, 10*time.Second)
	def(&l.Dial, 4*time.Second)
	def(&l.Write, 10*time.Second)
	def(&l.KeepAlive, 95*time.Second)
	return l
}

// Errors of FlowTo and Send. They come wrapped with the address.
var (
	ErrNoSocket = errors.New("no socket for this transport and address family")
	ErrGone     = errors.New("the TCP connection has ended")
	ErrClosed   = errors.New("the SIP transport is closed")
	ErrTooLarge = errors.New("message too large")
	ErrUnclean  = errors.New("line break inside a header")
)

// A Layer sends and receives. Its methods may be called from any goroutine.
type Layer struct {
	cfg     Config
	log     *slog.Logger
	sockets []*socket
	ports   []netip.AddrPort // of the TCP listeners
	ctx     context.Context  // ends with Close
	cancel  context.CancelFunc
	running sync.WaitGroup
	counts  counters

	mu     sync.Mutex // guards what follows, for moments only
	conns  map[netip.AddrPort]*conn
	from   map[netip.Addr]int           // connections by source
	locals map[netip.Addr]netip.Addr    // remote -> our address
	noTCP  map[netip.AddrPort]time.Time // peers that took no TCP, and until when that is remembered
	closed bool
}

type counters struct {
	received, sent, mended, refused, dropped, panics, conns atomic.Int64
}

// Stats counts since New.
type Stats struct {
	Received, Sent int64
	Mended         int64 // of Received: had to be rewritten
	Refused        int64 // answered 400, 505 or 513 here
	Dropped        int64 // no SIP message, or no answer possible
	Panics         int64 // messages whose handling failed by a bug of ours
	Connections    int64 // TCP connections now
}

// Stats counts what has passed.
func (l *Layer) Stats() Stats {
	c := &l.counts
	return Stats{c.received.Load(), c.sent.Load(), c.mended.Load(), c.refused.Load(), c.dropped.Load(), c.panics.Load(), c.conns.Load()}
}

// New starts to receive on the sockets. Close ends it.
func New(cfg Config) *Layer {
	cfg.Limits = cfg.Limits.filled()
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.LocalTo == nil {
		cfg.LocalTo = routed
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Layer{
		cfg: cfg, log: cfg.Log, ctx: ctx, cancel: cancel,
		conns:  make(map[netip.AddrPort]*conn),
		from:   make(map[netip.Addr]int),
		locals: make(map[netip.Addr]netip.Addr),
		noTCP:  make(map[netip.AddrPort]time.Time),
	}
	for _, c := range cfg.UDP {
		l.sockets = append(l.sockets, &socket{conn: c, local: addrPortOf(c.LocalAddr())})
	}
	for _, s := range l.sockets {
		l.running.Go(func() { l.readUDP(s) }) // ends as the socket is closed
	}
	for _, ln := range cfg.TCP {
		l.ports = append(l.ports, addrPortOf(ln.Addr()))
		l.running.Go(func() { l.accept(ln) }) // ends as the listener is closed
	}
	return l
}

// Close writes out what is queued, closes all sockets and connections, and
// waits until nothing of the Layer runs. Handle and Failed are not called
// after it. It must not be called from them.
func (l *Layer) Close() {
	l.mu.Lock()
	l.closed = true
	conns := make([]*conn, 0, len(l.conns))
	for _, c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	l.cancel()
	for _, ln := range l.cfg.TCP {
		ln.Close()
	}
	for _, s := range l.sockets {
		s.conn.Close()
	}
	for _, c := range conns {
		c.shut(ErrClosed)
	}
	l.running.Wait()
}

// FlowTo is the way to an address. A TCP connection to it is used if there is
// one; otherwise one is opened in the background as the first message is sent,
// and Failed is told if that fails.
func (l *Layer) FlowTo(t Transport, to netip.AddrPort) (Flow, error) {
	to = unmapped(to)
	if !to.IsValid() || to.Port() == 0 {
		return Flow{}, fmt.Errorf("%s to %s: %w", t, to, ErrNoSocket)
	}
	if t == TCP {
		return l.tcpTo(to)
	}
	s := l.socketFor(to.Addr())
	if s == nil {
		return Flow{}, fmt.Errorf("udp to %s: %w", to, ErrNoSocket)
	}
	return l.udpFlow(s, to), nil
}

// Ours tells that an address is one of our own sockets: what is sent there
// comes back to us.
func (l *Layer) Ours(t Transport, to netip.AddrPort) bool {
	to = unmapped(to)
	if t == TCP {
		for _, p := range l.ports {
			if p.Port() == to.Port() && (p.Addr() == to.Addr() || p.Addr().IsUnspecified() && l.isLocal(to.Addr())) {
				return true
			}
		}
		return false
	}
	for _, s := range l.sockets {
		if s.local.Port() == to.Port() && (s.local.Addr() == to.Addr() || s.local.Addr().IsUnspecified() && l.isLocal(to.Addr())) {
			return true
		}
	}
	return false
}

// isLocal tells whether an address is this machine's: the route to it starts there.
func (l *Layer) isLocal(a netip.Addr) bool {
	local, err := l.localTo(a)
	return err == nil && local == a
}

// localTo is our address towards another, remembered.
func (l *Layer) localTo(remote netip.Addr) (netip.Addr, error) {
	l.mu.Lock()
	a, ok := l.locals[remote]
	l.mu.Unlock()
	if ok {
		return a, nil
	}
	a, err := l.cfg.LocalTo(remote)
	if err != nil {
		return netip.Addr{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.locals) >= 4096 { // strangers must not make it grow for ever
		clear(l.locals)
	}
	l.locals[remote] = a.Unmap()
	return a.Unmap(), nil
}

// routed asks the operating system: connecting a UDP socket sends nothing but
// chooses the local address.
func routed(remote netip.Addr) (netip.Addr, error) {
	c, err := net.Dial("udp", netip.AddrPortFrom(remote, 9).String())
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	return addrPortOf(c.LocalAddr()).Addr(), nil
}

// place is a bound address as the far end sees it.
func (l *Layer) place(bound netip.AddrPort, remote netip.Addr) netip.AddrPort {
	if !bound.Addr().IsUnspecified() {
		return bound
	}
	if a, err := l.localTo(remote); err == nil {
		return netip.AddrPortFrom(a, bound.Port())
	}
	return bound
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

func addrPortOf(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return unmapped(a.AddrPort())
	case *net.TCPAddr:
		return unmapped(a.AddrPort())
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return unmapped(ap)
}
