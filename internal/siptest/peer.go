// Package siptest plays SIP parties from scripts of plain text. A Peer owns a
// socket, sends messages as they are written and compares what comes with what
// the script expects; a Dialog fills in what messages of one call have in
// common. Nothing here knows SIP well: a test may send whatever it likes, also
// what is wrong.
//
// A Peer starts no goroutine: it reads while it expects. It is meant for
// package memnet under testing/synctest, where waiting costs nothing, and works
// on real sockets too.
package siptest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/memnet"
)

// A Conn is a UDP socket: *net.UDPConn or *memnet.UDP.
type Conn interface {
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
	SetReadDeadline(time.Time) error
	LocalAddr() net.Addr
	Close() error
}

// Exchange is where Peers send unless told otherwise.
const Exchange = "127.0.0.1:5060"

// A Peer is a scripted party: a phone, a trunk, or somebody with bad manners.
// Its exported fields may be changed at any time.
type Peer struct {
	User     string        // user part of its addresses: "101"
	Name     string        // display name; may be empty
	Password string        // for Register and Authorize
	Host     string        // of its Contact and Via; set by NewPeer to its ip:port
	Domain   string        // of its From; set by NewPeer to "127.0.0.1"
	Target   string        // ip:port where it sends; set by NewPeer to Exchange
	Wait     time.Duration // how long Expect waits; set by NewPeer to 2 s
	Legacy   bool          // speaks RFC 2543: no branch, no From tag, no Max-Forwards, digest without qop

	t    testing.TB
	udp  Conn
	tcp  net.Conn
	addr string
	room []byte          // what a datagram is read into
	buf  []byte          // of tcp: not yet framed
	seen map[string]bool // texts received
	seq  map[string]int  // CSeq by Call-ID of requests outside dialogs
	nc   map[string]int  // digest nonce counts
}

// NewPeer binds a UDP socket of the network at addr ("127.0.0.1:5071") and
// closes it as the test ends. The peer's User is the one given.
func NewPeer(t testing.TB, n *memnet.Network, user, addr string) *Peer {
	t.Helper()
	u, err := n.ListenUDP(addr)
	if err != nil {
		t.Fatal(err)
	}
	p := NewPeerOn(t, user, u)
	t.Cleanup(func() { u.Close() })
	return p
}

// NewPeerOn is a peer on a socket that the caller closes.
func NewPeerOn(t testing.TB, user string, c Conn) *Peer {
	p := newPeer(t, user, c.LocalAddr().String())
	p.udp = c
	return p
}

// NewTCPPeer is a peer with a TCP connection to the exchange.
func NewTCPPeer(t testing.TB, n *memnet.Network, user, from, to string) *Peer {
	t.Helper()
	c, err := n.DialTCP(context.Background(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return NewPeerOnTCP(t, user, c)
}

// NewPeerOnTCP is a peer on a TCP connection that the caller closes.
func NewPeerOnTCP(t testing.TB, user string, c net.Conn) *Peer {
	p := newPeer(t, user, c.LocalAddr().String())
	p.tcp, p.Target = c, c.RemoteAddr().String()
	return p
}

func newPeer(t testing.TB, user, addr string) *Peer {
	return &Peer{
		User: user, Host: addr, Domain: "127.0.0.1", Target: Exchange, Wait: 2 * time.Second, t: t, addr: addr,
		seen: make(map[string]bool), seq: make(map[string]int), nc: make(map[string]int),
	}
}

// Addr is the peer's ip:port.
func (p *Peer) Addr() string { return p.addr }

// Close closes the peer's socket or connection: the phone is unplugged.
func (p *Peer) Close() {
	if p.tcp != nil {
		p.tcp.Close()
		return
	}
	p.udp.Close()
}

// Send sends a message as it is written. Lines may end with LF; Content-Length
// is added if it is missing, and filled in where it says "...".
func (p *Peer) Send(text string) {
	p.t.Helper()
	p.SendRaw([]byte(wire(text)))
}

// SendRaw sends bytes as they are.
func (p *Peer) SendRaw(b []byte) {
	p.t.Helper()
	if p.tcp != nil {
		if _, err := p.tcp.Write(b); err != nil {
			p.t.Errorf("%s: %v", p.User, err)
		}
		return
	}
	to, err := netip.ParseAddrPort(p.Target)
	if err == nil {
		_, err = p.udp.WriteToUDPAddrPort(b, to)
	}
	if err != nil {
		p.t.Errorf("%s: %v", p.User, err)
	}
}

// Expect waits for the next message that is no retransmission and fails the
// test unless it is the one named: "INVITE", "180", "200 BYE". A 100 is passed
// over unless it is what is named.
func (p *Peer) Expect(what string) *Message {
	p.t.Helper()
	m := p.next(p.Wait, what != "100" && !strings.HasPrefix(what, "100 "))
	if m == nil {
		p.t.Fatalf("%s: %s expected, nothing came in %v", p.User, what, p.Wait)
	}
	if !m.Is(what) {
		p.t.Fatalf("%s: %s expected, but there came\n%s", p.User, what, m.Text)
	}
	return m
}

// ExpectRepeat waits for a retransmission of a message that came before.
func (p *Peer) ExpectRepeat(of *Message, within time.Duration) {
	p.t.Helper()
	until := time.Now().Add(within)
	for {
		m := p.read(until)
		if m == nil {
			p.t.Fatalf("%s: no retransmission of %s in %v", p.User, of, within)
		}
		if m.Text == of.Text {
			return
		}
		if !p.seen[m.Text] {
			p.t.Fatalf("%s: a retransmission of %s expected, but there came\n%s", p.User, of, m.Text)
		}
	}
}

// Any waits for the next message that is no retransmission, whatever it is;
// nil: none came in time.
func (p *Peer) Any() *Message { return p.next(p.Wait, false) }

// Quiet fails the test if a message comes in that time, retransmissions apart.
func (p *Peer) Quiet(d time.Duration) {
	p.t.Helper()
	if m := p.next(d, false); m != nil {
		p.t.Fatalf("%s: silence expected, but there came\n%s", p.User, m.Text)
	}
}

// Silent fails the test if anything comes in that time, also a retransmission.
func (p *Peer) Silent(d time.Duration) {
	p.t.Helper()
	if m := p.read(time.Now().Add(d)); m != nil {
		p.t.Fatalf("%s: silence expected, but there came\n%s", p.User, m.Text)
	}
}

// Repeats counts what arrives in that time by start line, retransmissions too.
func (p *Peer) Repeats(d time.Duration) map[string]int {
	n := make(map[string]int)
	for until := time.Now().Add(d); ; {
		m := p.read(until)
		if m == nil {
			return n
		}
		p.seen[m.Text] = true
		n[m.Start]++
	}
}

// Drain forgets all that has arrived and arrives in that time.
func (p *Peer) Drain(d time.Duration) { p.Repeats(d) }

func (p *Peer) next(wait time.Duration, skipTrying bool) *Message {
	p.t.Helper()
	until := time.Now().Add(wait)
	for {
		m := p.read(until)
		if m == nil {
			return nil
		}
		if p.seen[m.Text] {
			continue
		}
		p.seen[m.Text] = true
		if skipTrying && m.Status == 100 {
			continue
		}
		return m
	}
}

// read returns the next message, nil when the time is over or the socket closed.
func (p *Peer) read(until time.Time) *Message {
	p.t.Helper()
	if p.tcp != nil {
		return p.readStream(until)
	}
	if p.room == nil {
		p.room = make([]byte, 65536)
	}
	buf := p.room
	for {
		p.udp.SetReadDeadline(until)
		n, from, err := p.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
				p.t.Errorf("%s: %v", p.User, err)
			}
			return nil
		}
		if strings.Trim(string(buf[:n]), "\r\n") == "" {
			continue // a keep-alive
		}
		m, err := Parse(string(buf[:n]))
		if err != nil {
			p.t.Fatalf("%s: received what is no SIP message: %v", p.User, err)
		}
		m.From = from.String()
		return m
	}
}

func (p *Peer) readStream(until time.Time) *Message {
	p.t.Helper()
	chunk := make([]byte, 65536)
	for {
		text := strings.TrimLeft(string(p.buf), "\r\n")
		if head, rest, ok := strings.Cut(text, "\r\n\r\n"); ok {
			n := lengthIn(head)
			if len(rest) >= n {
				whole := head + "\r\n\r\n" + rest[:n]
				p.buf = []byte(rest[n:])
				m, err := Parse(whole)
				if err != nil {
					p.t.Fatalf("%s: received what is no SIP message: %v", p.User, err)
				}
				m.From = p.Target
				return m
			}
		}
		p.tcp.SetReadDeadline(until)
		n, err := p.tcp.Read(chunk)
		p.buf = append(p.buf, chunk[:n]...)
		if err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
				p.t.Errorf("%s: %v", p.User, err)
			}
			return nil
		}
	}
}

func lengthIn(head string) int {
	for line := range strings.SplitSeq(head, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && isLength(name) {
			n, _ := strconv.Atoi(strings.TrimSpace(value))
			return n
		}
	}
	return 0
}

// Token is random text for branches, tags and Call-IDs.
func Token() string {
	b := make([]byte, 6)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// URI is the peer's address of record.
func (p *Peer) URI() string { return "sip:" + p.User + "@" + p.Domain }

// Contact is where the peer is reached.
func (p *Peer) Contact() string {
	if p.tcp != nil {
		return "<sip:" + p.User + "@" + p.Host + ";transport=tcp>"
	}
	return "<sip:" + p.User + "@" + p.Host + ">"
}

// Via is a Via value with a new branch.
func (p *Peer) Via() string {
	transport := "UDP"
	if p.tcp != nil {
		transport = "TCP"
	}
	if p.Legacy {
		return fmt.Sprintf("SIP/2.0/%s %s", transport, p.Host)
	}
	return fmt.Sprintf("SIP/2.0/%s %s;rport;branch=z9hG4bK%s", transport, p.Host, Token())
}
