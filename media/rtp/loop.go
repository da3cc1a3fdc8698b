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

// A loop is the goroutine that owns one socket and what is learnt from it. It
// reads packets; its read deadline is its one timer; orders of others come
// through its inbox.
type loop struct {
	conn   Conn
	packet func(b []byte, from netip.AddrPort)
	expire func(now time.Time) // does what is due and calls wakeAt for what is due next
	fail   func(error)         // told of a read that failed for no known reason

	inbox  *inbox.Inbox[func()]
	done   chan struct{}
	due    time.Time // when expire is wanted; zero: never
	armed  bool      // the read deadline is due
	ending bool
	buf    [maxPacket + 1]byte
}

func (l *loop) start() {
	l.inbox = inbox.New[func()]()
	l.done = make(chan struct{})
	go l.run() // ends after stop
}

// post has the loop call f.
func (l *loop) post(f func()) {
	if l.inbox.Put(f) {
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

// wakeAt asks for expire at t, if nothing is due earlier. Only the loop's own
// goroutine calls it.
func (l *loop) wakeAt(t time.Time) {
	if l.due.IsZero() || t.Before(l.due) {
		l.due, l.armed = t, false
	}
}

func (l *loop) run() {
	defer close(l.done)
	defer l.conn.Close()
	for {
		// The deadline is set before the inbox is looked at: who posts later
		// sets it later, so no order is slept over.
		if !l.armed {
			l.conn.SetReadDeadline(l.due)
			l.armed = true
		}
		if l.orders() {
			if l.ending {
				l.inbox.Close()
				return
			}
			l.armed = false
			continue
		}
		if !l.due.IsZero() && !time.Now().Before(l.due) {
			l.due, l.armed = time.Time{}, false
			l.expire(time.Now())
			continue
		}
		if !l.receive() {
			return
		}
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

// receive takes packets until something else is to be done; false: the socket
// is closed.
func (l *loop) receive() bool {
	for l.armed {
		n, from, err := l.conn.ReadFromUDPAddrPort(l.buf[:])
		switch {
		case err == nil:
			l.packet(l.buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		case errors.Is(err, os.ErrDeadlineExceeded):
			l.armed = false
		case errors.Is(err, net.ErrClosed):
			return false
		default:
			l.fail(err)
			time.Sleep(10 * time.Millisecond) // whatever it is, do not spin on it
		}
	}
	return true
}
