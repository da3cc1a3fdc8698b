package rtp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// A Conn is a UDP socket. *net.UDPConn is one.
type Conn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	SetReadDeadline(time.Time) error
	Close() error
}

// ErrNoPorts: every pair of the range is in use.
var ErrNoPorts = errors.New("no RTP port is free")

// PortsConfig says where sessions receive. The zero value is ready: all IPv4
// addresses, ports 10000 to 19999.
type PortsConfig struct {
	Address     netip.Addr    // to bind; the zero value is 0.0.0.0
	First, Last uint16        // the range; both zero: 10000 to 19999
	Rest        time.Duration // how long a pair is left alone after use, so that late packets do not reach the next call; zero is 5 s
	// Listen binds a socket to "address:port"; nil opens UDP sockets of the
	// operating system.
	Listen func(addr string) (Conn, error)
}

// Ports hands out pairs of an even RTP and the next odd RTCP port (RFC 3550
// §11). It never hands a pair out twice at a time. It may be used by many
// goroutines.
type Ports struct {
	config PortsConfig
	shards *shards // that read the sockets; nil: each has a goroutine

	mu    sync.Mutex
	pairs []pair
	next  int // where the search goes on
	inUse int

	live    map[*Session]struct{} // that are open
	over    Traffic               // of those that are closed
	lost    uint64                // packets lost, as was told last
	refused uint64                // sessions for which no pair was left
}

// pair is the state of two ports.
type pair struct {
	used   bool
	rested time.Time // not before this, if another is free
}

// NewPorts checks the configuration. No socket is opened yet.
func NewPorts(c PortsConfig) (*Ports, error) {
	if !c.Address.IsValid() {
		c.Address = netip.IPv4Unspecified()
	}
	if c.First == 0 && c.Last == 0 {
		c.First, c.Last = 10000, 19999
	}
	if c.Rest == 0 {
		c.Rest = 5 * time.Second
	}
	var readers *shards
	if c.Listen == nil {
		c.Listen = listenOS
		if shared {
			readers = newShards()
		}
	}
	first := (int(c.First) + 1) &^ 1 // the first even one
	n := (int(c.Last) - first + 1) / 2
	if c.First == 0 || n < 1 {
		return nil, fmt.Errorf("RTP ports %d to %d: a call needs an even port and the odd one after it for each party: name a range such as 10000 to 19999", c.First, c.Last)
	}
	c.First = uint16(first)
	return &Ports{config: c, shards: readers, pairs: make([]pair, n), next: rand.IntN(n), live: make(map[*Session]struct{})}, nil
}

// reader is the shard that shall read a session's sockets; nil: none does.
func (p *Ports) reader() *shard {
	if p.shards == nil {
		return nil
	}
	return p.shards.pick()
}

// InUse is how many pairs are handed out.
func (p *Ports) InUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inUse
}

// Size is how many pairs there are.
func (p *Ports) Size() int { return len(p.pairs) }

// open binds a free pair. The result of ErrNoPorts names the range.
func (p *Ports) open() (rtp, rtcp Conn, release func(), err error) {
	for range len(p.pairs) {
		i, ok := p.take()
		if !ok {
			break
		}
		rtp, rtcp, err = p.bind(i)
		if err == nil {
			return rtp, rtcp, sync.OnceFunc(func() { p.free(i) }), nil
		}
		p.free(i)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, nil, fmt.Errorf("RTP port %s: %w: does this machine have that address, and are there enough file descriptors (ulimit -n)?", p.addr(i, 0), err)
		}
	}
	p.mu.Lock()
	p.refused++
	p.mu.Unlock()
	last := int(p.config.First) + 2*len(p.pairs) - 1
	return nil, nil, nil, fmt.Errorf("%w: %d of %d pairs from %d to %d of %s are used by calls, the rest by other programs: widen the range of RTP ports",
		ErrNoPorts, p.InUse(), len(p.pairs), p.config.First, last, p.config.Address)
}

// take reserves the next free pair: one that has rested, or else the one that
// has rested longest.
func (p *Ports) take() (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	best := -1
	for k := range p.pairs {
		i := (p.next + k) % len(p.pairs)
		if p.pairs[i].used {
			continue
		}
		if !p.pairs[i].rested.After(now) {
			best = i
			break
		}
		if best < 0 || p.pairs[i].rested.Before(p.pairs[best].rested) {
			best = i
		}
	}
	if best < 0 {
		return 0, false
	}
	p.pairs[best].used = true
	p.inUse++
	p.next = best + 1
	return best, true
}

func (p *Ports) free(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pairs[i] = pair{rested: time.Now().Add(p.config.Rest)}
	p.inUse--
}

func (p *Ports) addr(i, odd int) string {
	return netip.AddrPortFrom(p.config.Address, p.config.First+uint16(2*i+odd)).String()
}

func (p *Ports) bind(i int) (rtp, rtcp Conn, err error) {
	if rtp, err = p.config.Listen(p.addr(i, 0)); err != nil {
		return nil, nil, err
	}
	if rtcp, err = p.config.Listen(p.addr(i, 1)); err != nil {
		rtp.Close()
		return nil, nil, err
	}
	return rtp, rtcp, nil
}
