// Package softphone is a small SIP telephone for the demonstration and for
// tests: it registers with digest, calls and is called over real UDP sockets,
// says a signal that it is given and keeps what it hears. Only its parser is
// shared with the exchange: its transactions, dialogs, descriptions and RTP are
// its own, so that each checks the other.
//
// It leaves out what a test does not need: TCP, transfer, routes, more than one
// codec at a time. A Phone must be closed.
package softphone

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"github.com/emiago/sipgo/sip"

	"crosspoint/media/g711"
)

// Config describes a telephone. User and Server must be given.
type Config struct {
	User    string         // user part of its address: the extension
	Name    string         // display name; empty: none
	Secret  string         // digest password; empty: a challenge fails the request
	Server  netip.AddrPort // where the exchange listens on UDP
	Domain  string         // host part of its address; empty: the server's IP address
	Listen  netip.Addr     // the telephone's own address; zero: 127.0.0.1
	Law     g711.Law       // the codec that it offers first, and chooses if offered
	Expires int            // seconds that it registers for; 0: 300
	Log     *slog.Logger   // each message at debug level; nil: nothing is logged
}

// A Phone is one telephone with one UDP socket. One goroutine reads the socket
// and handles what comes in order; mu guards the two maps alone.
type Phone struct {
	cfg    Config
	socket *net.UDPConn
	parser *sip.Parser
	inbox  chan *Call
	closed chan struct{}
	wg     sync.WaitGroup

	mu      sync.Mutex
	calls   map[string]*Call    // by Call-ID
	pending map[string]*request // by branch and method
}

// New starts a telephone. It does not register by itself.
func New(cfg Config) (*Phone, error) {
	if cfg.User == "" || !cfg.Server.IsValid() {
		return nil, errors.New("softphone: User and Server must be given")
	}
	if !cfg.Listen.IsValid() {
		cfg.Listen = netip.MustParseAddr("127.0.0.1")
	}
	if cfg.Domain == "" {
		cfg.Domain = host(cfg.Server.Addr())
	}
	if cfg.Expires == 0 {
		cfg.Expires = 300
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(cfg.Listen, 0)))
	if err != nil {
		return nil, fmt.Errorf("softphone %s: %w", cfg.User, err)
	}
	p := &Phone{cfg: cfg, socket: socket, parser: sip.NewParser(), inbox: make(chan *Call, 16), closed: make(chan struct{}),
		calls: make(map[string]*Call), pending: make(map[string]*request)}
	p.wg.Go(p.read) // ended by Close
	return p, nil
}

// host is an address as SIP writes it (RFC 3261 §25.1): IPv6 in brackets.
func host(ip netip.Addr) string {
	if ip.Is6() {
		return "[" + ip.String() + "]"
	}
	return ip.String()
}

// Addr is the telephone's UDP address.
func (p *Phone) Addr() netip.AddrPort { return p.socket.LocalAddr().(*net.UDPAddr).AddrPort() }

// Incoming gives the calls that ring here, in order of arrival. A call that
// finds 16 others waiting is refused as busy.
func (p *Phone) Incoming() <-chan *Call { return p.inbox }

// Close hangs up what is up and frees all sockets and goroutines. It does not
// take the registration back: that is Unregister.
func (p *Phone) Close() error {
	p.mu.Lock()
	var calls []*Call
	for _, c := range p.calls {
		calls = append(calls, c)
	}
	p.mu.Unlock()
	for _, c := range calls {
		c.Hangup()
	}
	p.mu.Lock()
	select {
	case <-p.closed:
		p.mu.Unlock()
		return nil
	default:
		close(p.closed)
	}
	p.mu.Unlock()
	err := p.socket.Close()
	p.wg.Wait()
	return err
}

// read handles what arrives, in order of arrival, until the socket is closed.
func (p *Phone) read() {
	buf := make([]byte, 65536)
	for {
		n, from, err := p.socket.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP refusal of something sent earlier
		}
		msg, err := p.parser.ParseSIP(append([]byte(nil), buf[:n]...))
		if err != nil {
			p.cfg.Log.Debug("not SIP", "from", from, "error", err)
			continue
		}
		switch msg := msg.(type) {
		case *sip.Response:
			p.response(msg)
		case *sip.Request:
			p.request(msg, from)
		}
	}
}

// write sends a message. Loss is for whoever waits for a reply to notice.
func (p *Phone) write(msg sip.Message, to netip.AddrPort) {
	p.cfg.Log.Debug("phone sends", "phone", p.cfg.User, "to", to, "message", firstLine(msg))
	_, _ = p.socket.WriteToUDPAddrPort([]byte(msg.String()), to)
}

func firstLine(msg sip.Message) string {
	if req, ok := msg.(*sip.Request); ok {
		return req.StartLine()
	}
	return msg.(*sip.Response).StartLine()
}

func (p *Phone) address() sip.Uri {
	return sip.Uri{Scheme: "sip", User: p.cfg.User, Host: p.cfg.Domain}
}

func (p *Phone) contact() *sip.ContactHeader {
	own := p.Addr()
	return &sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: p.cfg.User, Host: host(own.Addr()), Port: int(own.Port())}}
}

// remember makes a call known to what arrives; false: the telephone is closed.
func (p *Phone) remember(c *Call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.closed:
		return false
	default:
	}
	p.calls[c.id] = c
	return true
}

func (p *Phone) forget(c *Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls[c.id] == c {
		delete(p.calls, c.id)
	}
}

func (p *Phone) call(id string) *Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[id]
}

// Refused is the error of a request that was answered with a failure.
type Refused struct {
	Status int
	Reason string
}

func (r Refused) Error() string { return fmt.Sprintf("%d %s", r.Status, r.Reason) }

// User is the user part of the telephone's address.
func (p *Phone) User() string { return p.cfg.User }
