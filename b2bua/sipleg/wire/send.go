package wire

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// mtu is the size over which a request does not go over UDP if TCP is possible:
// the path's MTU is not known (RFC 3261 §18.1.1).
const mtu = 1300

// tcpAvoided is how long large requests go over UDP after a peer took no TCP.
const tcpAvoided = 10 * time.Minute

// Send sends a message on a flow. Its Content-Length is made right. A request
// over 1300 bytes for a UDP flow goes over TCP, with its Via changed, if the
// far end takes a connection (RFC 3261 §18.1.1), else over UDP nevertheless.
//
// A nil error means that the message is on its way, not that it arrives. The
// error is ErrUnclean if a header's value holds a line break, ErrTooLarge if
// UDP can't carry it, ErrGone if the flow's connection has ended.
func (l *Layer) Send(msg sip.Message, to Flow) error {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	if err := encode(b, msg, ""); err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	switch {
	case l.ctx.Err() != nil:
		return fmt.Errorf("%s: %w", to, ErrClosed)
	case to.conn != nil:
		l.counts.sent.Add(1)
		return to.conn.send(outgoing{data: bytes.Clone(b.Bytes())})
	case to.sock == nil:
		return fmt.Errorf("%s: %w", to, ErrNoSocket)
	}
	if req, ok := msg.(*sip.Request); ok && b.Len() > mtu && l.sendLarge(req, to, b.Bytes()) {
		return nil
	}
	if b.Len() > 65507 { // what an IPv4 datagram holds
		return fmt.Errorf("%s: %d bytes over UDP: %w", to, b.Len(), ErrTooLarge)
	}
	l.counts.sent.Add(1)
	if _, err := to.sock.conn.WriteToUDPAddrPort(b.Bytes(), to.remote); err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	return nil
}

// sendLarge tries the way of RFC 3261 §18.1.1; false: UDP it is.
func (l *Layer) sendLarge(req *sip.Request, to Flow, plain []byte) bool {
	l.mu.Lock()
	until, avoid := l.noTCP[to.remote]
	if avoid && time.Now().After(until) {
		delete(l.noTCP, to.remote)
		avoid = false
	}
	l.mu.Unlock()
	if avoid || l.Ours(TCP, to.remote) {
		return false
	}
	flow, err := l.tcpTo(to.remote)
	if err != nil {
		return false
	}
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	if encode(b, req, "TCP") != nil {
		return false
	}
	if flow.conn.send(outgoing{data: bytes.Clone(b.Bytes()), plan: to.sock, fallback: bytes.Clone(plain)}) != nil {
		return false
	}
	l.counts.sent.Add(1)
	return true
}

func (l *Layer) avoidTCP(peer netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.noTCP) >= 4096 {
		clear(l.noTCP)
	}
	l.noTCP[peer] = time.Now().Add(tcpAvoided)
}

// KeepAlive sends a pair of CRLF on a flow: it holds a NAT's binding open and
// is no message (RFC 5626 §4.4.1).
func (l *Layer) KeepAlive(to Flow) error {
	switch {
	case l.ctx.Err() != nil:
		return fmt.Errorf("%s: %w", to, ErrClosed)
	case to.conn != nil:
		return to.conn.send(outgoing{data: ping})
	case to.sock == nil:
		return fmt.Errorf("%s: %w", to, ErrNoSocket)
	}
	_, err := to.sock.conn.WriteToUDPAddrPort(ping, to.remote)
	return err
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Bytes is a message as Send writes it.
func Bytes(msg sip.Message) ([]byte, error) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	if err := encode(b, msg, ""); err != nil {
		return nil, err
	}
	return bytes.Clone(b.Bytes()), nil
}

// lineWriter refuses line breaks in what headers write: what one leg put into
// a value must not become a header of another's.
type lineWriter struct {
	*bytes.Buffer
	broken bool
}

func (w *lineWriter) WriteString(s string) (int, error) {
	if strings.ContainsAny(s, "\r\n\x00") {
		w.broken = true
	}
	return w.Buffer.WriteString(s)
}

// encode writes a message. via, if not empty, replaces the top Via's transport.
func encode(b *bytes.Buffer, msg sip.Message, via string) error {
	b.Reset()
	w := &lineWriter{Buffer: b}
	var headers []sip.Header
	switch m := msg.(type) {
	case *sip.Request:
		m.StartLineWrite(w)
		headers = m.Headers()
	case *sip.Response:
		m.StartLineWrite(w)
		headers = m.Headers()
	}
	b.WriteString("\r\n")
	for _, h := range headers {
		switch v := h.(type) {
		case *sip.ContentLengthHeader:
			continue
		case *sip.ViaHeader:
			if via != "" {
				top := v.Clone()
				top.Transport, via = via, ""
				h = top
			}
		}
		h.StringWrite(w)
		b.WriteString("\r\n")
	}
	if w.broken {
		return ErrUnclean
	}
	b.WriteString("Content-Length: ")
	b.WriteString(strconv.Itoa(len(msg.Body())))
	b.WriteString("\r\n\r\n")
	b.Write(msg.Body())
	return nil
}
