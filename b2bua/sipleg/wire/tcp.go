package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// conn is one TCP connection. A goroutine reads from it, another, which also
// dials, writes what is queued and closes it.
type conn struct {
	layer  *Layer
	local  netip.AddrPort // as Flow.Local tells
	remote netip.AddrPort
	dialed bool          // we opened it
	out    chan outgoing // queued, in order
	quit   chan struct{} // closed by shut

	mu   sync.Mutex // nothing is queued once gone is set: whoever empties out has it all
	gone bool
	why  error // set before quit is closed
}

// outgoing is a message in the queue of a connection.
type outgoing struct {
	data []byte
	// If the connection can't be opened, the message goes as plan says
	// instead: over UDP, although it is large.
	plan     *socket
	fallback []byte
}

// queueLen is how many messages wait for a connection; a peer that lets more
// pile up is not reading.
const queueLen = 256

// tcpTo finds or makes the connection to an address.
func (l *Layer) tcpTo(to netip.AddrPort) (Flow, error) {
	l.mu.Lock()
	c := l.conns[to]
	closed := l.closed
	l.mu.Unlock()
	switch {
	case closed:
		return Flow{}, fmt.Errorf("tcp to %s: %w", to, ErrClosed)
	case c != nil:
		return c.flow(), nil
	case l.cfg.DialTCP == nil:
		return Flow{}, fmt.Errorf("tcp to %s: %w", to, ErrNoSocket)
	}
	c = l.newConn(to, l.listenerFor(to.Addr()), true)
	if other := l.enter(c, false); other != nil {
		return other.flow(), nil
	}
	if !l.start(c.dial) {
		return Flow{}, fmt.Errorf("tcp to %s: %w", to, ErrClosed)
	}
	return c.flow(), nil
}

// listenerFor is the address of ours that Via and Contact name on connections
// that we open.
func (l *Layer) listenerFor(remote netip.Addr) netip.AddrPort {
	var best netip.AddrPort
	for _, p := range l.ports {
		a := p.Addr()
		if a.Is4() != remote.Is4() && !(a.Is6() && a.IsUnspecified()) {
			continue
		}
		if !best.IsValid() || a.IsLoopback() == remote.IsLoopback() {
			best = p
		}
	}
	if !best.IsValid() {
		unspecified := netip.IPv4Unspecified()
		if remote.Is6() {
			unspecified = netip.IPv6Unspecified()
		}
		best = netip.AddrPortFrom(unspecified, 5060)
	}
	return l.place(best, remote)
}

func (l *Layer) newConn(remote, local netip.AddrPort, dialed bool) *conn {
	return &conn{layer: l, local: local, remote: remote, dialed: dialed, out: make(chan outgoing, queueLen), quit: make(chan struct{})}
}

// enter makes a connection known. It returns another that stands already, or c
// itself if there are too many or the layer is closed.
func (l *Layer) enter(c *conn, limited bool) *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other := l.conns[c.remote]; other != nil {
		return other
	}
	source := c.remote.Addr()
	if l.closed || limited && (len(l.conns) >= l.cfg.Limits.Connections || l.from[source] >= l.cfg.Limits.PerSource) {
		return c
	}
	l.conns[c.remote] = c
	l.from[source]++
	l.counts.conns.Add(1)
	return nil
}

func (l *Layer) leave(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns[c.remote] != c {
		return
	}
	delete(l.conns, c.remote)
	l.counts.conns.Add(-1)
	source := c.remote.Addr()
	if l.from[source]--; l.from[source] <= 0 {
		delete(l.from, source)
	}
}

// start runs f unless Close has begun to wait.
func (l *Layer) start(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.running.Go(f)
	return true
}

// accept takes connections until the listener is closed.
func (l *Layer) accept(ln net.Listener) {
	for {
		nc, err := ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed) || l.ctx.Err() != nil:
			if nc != nil {
				nc.Close()
			}
			return
		case err != nil: // too many open files, say
			l.log.Warn("sip: accepting a TCP connection failed", "local", ln.Addr(), "err", err)
			if !l.pause(100 * time.Millisecond) {
				return
			}
			continue
		}
		remote := addrPortOf(nc.RemoteAddr())
		c := l.newConn(remote, l.place(addrPortOf(nc.LocalAddr()), remote.Addr()), false)
		if l.enter(c, true) != nil {
			l.counts.dropped.Add(1)
			l.log.Debug("sip: TCP connection refused: too many, or one from this port stands", "remote", remote)
			nc.Close()
			continue
		}
		if !l.start(func() { c.run(nc) }) {
			l.leave(c)
			nc.Close()
			return
		}
	}
}

func (c *conn) flow() Flow { return Flow{conn: c, local: c.local, remote: c.remote} }

// send queues a message. An error means that it was not taken.
func (c *conn) send(m outgoing) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return fmt.Errorf("tcp to %s: %w", c.remote, ErrGone)
	}
	select {
	case c.out <- m:
		return nil
	default:
		c.end(errors.New("the far end does not read"))
		return fmt.Errorf("tcp to %s: %w", c.remote, ErrGone)
	}
}

// shut makes the writer end the connection after what is queued.
func (c *conn) shut(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(why)
}

func (c *conn) end(why error) {
	if c.gone {
		return
	}
	c.gone, c.why = true, why
	c.layer.leave(c)
	close(c.quit)
}

// dial opens the connection and runs it.
func (c *conn) dial() {
	l := c.layer
	ctx, cancel := context.WithTimeout(l.ctx, l.cfg.Limits.Dial)
	nc, err := l.cfg.DialTCP(ctx, c.remote)
	cancel()
	if err == nil {
		c.run(nc)
		return
	}
	l.avoidTCP(c.remote)
	c.shut(err)
	for {
		select {
		case m := <-c.out:
			if m.plan != nil {
				m.plan.conn.WriteToUDPAddrPort(m.fallback, c.remote)
			}
		default:
			c.failed()
			return
		}
	}
}

// run reads in a goroutine of its own, which ends as the connection does, and
// writes here.
func (c *conn) run(nc net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.shut(c.read(nc))
	}()
	c.write(nc)
	nc.Close()
	<-done
	c.failed()
}

func (c *conn) failed() {
	l := c.layer
	if l.ctx.Err() != nil {
		return
	}
	l.log.Debug("sip: TCP connection ended", "remote", c.remote, "why", c.why)
	if l.cfg.Failed != nil {
		l.cfg.Failed(c.flow(), fmt.Errorf("tcp to %s: %w", c.remote, c.why))
	}
}

// write writes what is queued until shut; then the rest of it, for a second.
func (c *conn) write(nc net.Conn) {
	var alive <-chan time.Time
	if every := c.layer.cfg.Limits.KeepAlive; c.dialed && every > 0 {
		t := time.NewTicker(every)
		defer t.Stop()
		alive = t.C
	}
	put := func(data []byte, within time.Duration) bool {
		nc.SetWriteDeadline(time.Now().Add(within))
		_, err := nc.Write(data)
		if err != nil {
			c.shut(err)
		}
		return err == nil
	}
	for {
		select {
		case m := <-c.out:
			if !put(m.data, c.layer.cfg.Limits.Write) {
				return
			}
		case <-alive:
			if !put(ping, c.layer.cfg.Limits.Write) {
				return
			}
		case <-c.quit:
			for {
				select {
				case m := <-c.out:
					if !put(m.data, time.Second) {
						return
					}
				default:
					return
				}
			}
		}
	}
}

// read frames the stream into messages and hands them on, until an error.
func (c *conn) read(nc net.Conn) error {
	l := c.layer
	limits := l.cfg.Limits
	buf := make([]byte, 0, 4096)
	heard := c.dialed // a message has come; before, silence is not patience but siege
	until := time.Now().Add(limits.Arrive)
	for {
		switch {
		case len(buf) > 0 || !heard: // until stands since the first byte
		default:
			until = time.Now().Add(limits.Idle)
		}
		nc.SetReadDeadline(until)
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		n, err := nc.Read(buf[len(buf):cap(buf)])
		if n > 0 && len(buf) == 0 && heard {
			until = time.Now().Add(limits.Arrive)
		}
		buf = buf[:len(buf)+n]
		rest, some, ferr := c.frames(buf)
		heard = heard || some
		if ferr != nil {
			return ferr
		}
		if some && len(rest) > 0 {
			until = time.Now().Add(limits.Arrive)
		}
		buf = append(buf[:0], rest...)
		if err != nil {
			if errors.Is(err, io.EOF) {
				return ErrGone
			}
			return err
		}
	}
}

// frames hands on each whole message at the head of buf and returns the rest.
// some tells that there was one.
func (c *conn) frames(buf []byte) (rest []byte, some bool, err error) {
	for {
		for len(buf) > 0 && (buf[0] == '\r' || buf[0] == '\n') {
			if bytes.HasPrefix(buf, ping) {
				buf = buf[len(ping):]
				c.send(outgoing{data: pong})
				continue
			}
			if bytes.HasPrefix(ping, buf) { // perhaps the half of one
				if bytes.Equal(buf, pong) {
					buf = buf[:0] // or the answer to ours
				}
				return buf, some, nil
			}
			buf = buf[1:]
		}
		n, err := frame(buf, c.layer.cfg.Limits.Message)
		switch {
		case err != nil:
			c.layer.refuseStream(c.flow(), buf, err)
			return nil, some, err
		case n == 0:
			return buf, some, nil
		}
		c.layer.arrived(c.flow(), buf[:n:n], c.layer.cfg.Limits.Message)
		buf, some = buf[n:], true
	}
}
