package rtp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"crosspoint/internal/inbox"
)

// maxPacket is the longest datagram that is taken; nothing that we negotiate
// needs more than an Ethernet frame.
const maxPacket = 1500

// past is a read deadline that ends a read at once.
var past = time.Unix(1, 0)

// A loop owns one socket and what is learnt from it: whatever concerns the two
// is done by one goroutine. It takes packets, orders of others from its inbox,
// and what is due. Sockets of the operating system share the goroutine of a
// shard; any other Conn has a goroutine of its own, which sleeps in a read
// whose deadline is its timer.
type loop struct {
	owner owner
	shard *shard     // nil: it has a goroutine of its own
	os    descriptor // conn's, if a shard reads it
	conn  Conn

	inbox  *inbox.Inbox[func()]
	done   chan struct{}
	due    time.Time // when expire is wanted; zero: never
	ending bool      // stop was obeyed
	ended  bool      // and all is closed
	armed  bool      // without a shard: the read deadline is due

	place  int  // among the shard's timers, from 1; 0: it is none of them
	posted bool // it waits among those with orders
}

// An owner is whose loop it is.
type owner interface {
	datagram(b []byte, from netip.AddrPort)
	expire(now time.Time) // does what is due and calls wakeAt for what is due next
	fail(error)           // told of a read that failed for no known reason
	touch() uint64        // reads what datagram will need, see warm
}

// start begins to read; in is nil or the shard that does it.
func (l *loop) start(in *shard) error {
	l.inbox = inbox.New[func()]()
	l.done = make(chan struct{})
	if in != nil {
		return in.add(l)
	}
	go l.run() // ends after stop
	return nil
}

// post has the loop call f.
func (l *loop) post(f func()) {
	switch {
	case !l.inbox.Put(f):
	case l.shard != nil:
		l.shard.ordered(l)
	default:
		l.conn.SetReadDeadline(past)
	}
}

// stop has the loop do last and then end and close its socket; it waits for that.
func (l *loop) stop(last func()) {
	l.post(func() {
		last()
		l.ending = true
	})
	<-l.done
}

// send sends a packet without waiting: what the kernel has no room for is
// lost, as on the way. Whoever calls knows that the socket is open.
func (l *loop) send(b []byte, to *target) error {
	if l.shard != nil {
		return l.os.send(b, &to.raw)
	}
	_, err := l.conn.WriteToUDPAddrPort(b, to.AddrPort)
	return err
}

// wakeAt asks for expire at t, if nothing is due earlier. Only the loop's own
// goroutine calls it.
func (l *loop) wakeAt(t time.Time) {
	if !l.due.IsZero() && !t.Before(l.due) {
		return
	}
	l.due, l.armed = t, false
	if l.shard != nil {
		l.shard.timers.set(l)
	}
}

// orders does what others have posted, and tells whether there was any.
func (l *loop) orders() (any bool) {
	for f, ok := l.inbox.Take(); ok; f, ok = l.inbox.Take() {
		f()
		any = true
	}
	return any
}

// end closes what is the loop's.
func (l *loop) end() {
	l.ended = true
	l.inbox.Close()
	l.conn.Close()
	close(l.done)
}

// run is the goroutine of a loop without a shard.
func (l *loop) run() {
	defer l.end()
	buf := make([]byte, maxPacket+1)
	for {
		// The deadline is set before the inbox is looked at: who posts later
		// sets it later, so no order is slept over.
		if !l.armed {
			l.conn.SetReadDeadline(l.due)
			l.armed = true
		}
		if l.orders() {
			if l.ending {
				return
			}
			l.armed = false
			continue
		}
		if !l.due.IsZero() && !time.Now().Before(l.due) {
			l.due, l.armed = time.Time{}, false
			l.owner.expire(time.Now())
			continue
		}
		if !l.receive(buf) {
			return
		}
	}
}

// receive takes packets until something else is to be done; false: the socket
// is closed.
func (l *loop) receive(buf []byte) bool {
	for l.armed {
		n, from, err := l.conn.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			l.owner.datagram(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		case errors.Is(err, os.ErrDeadlineExceeded):
			l.armed = false
		case errors.Is(err, net.ErrClosed):
			return false
		default:
			l.owner.fail(err)
			time.Sleep(10 * time.Millisecond) // whatever it is, do not spin on it
		}
	}
	return true
}
