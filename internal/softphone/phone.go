// Package softphone is a small SIP telephone for the demonstration and for
// tests: it registers with digest, calls and is called over real UDP sockets,
// says a signal that it is given and keeps what it hears. It is built on a SIP
// user agent of its own, not on the exchange's, so that each checks the other.
//
// It leaves out what a test does not need: transfer, TCP, more than one codec
// at a time, echo cancelling. A Phone must be closed.
package softphone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"

	"github.com/emiago/sipgo"
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
	Law     g711.Law       // the codec that it offers first and chooses if offered
	Expires int            // seconds that it registers for; 0: 300
	Log     *slog.Logger   // nil: nothing is logged
}

// A Phone is one telephone with one UDP socket.
type Phone struct {
	cfg    Config
	ua     *sipgo.UserAgent
	server *sipgo.Server
	client *sipgo.Client
	socket *readySocket
	dialog sipgo.DialogUA
	inbox  chan *Call

	mu     sync.Mutex
	calls  map[string]*Call // by Call-ID
	closed chan struct{}
	wg     sync.WaitGroup
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
		cfg.Domain = cfg.Server.Addr().String()
	}
	if cfg.Expires == 0 {
		cfg.Expires = 300
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	p := &Phone{cfg: cfg, inbox: make(chan *Call, 16), calls: make(map[string]*Call), closed: make(chan struct{})}
	if err := p.open(); err != nil {
		return nil, fmt.Errorf("softphone %s: %w", cfg.User, err)
	}
	return p, nil
}

// open builds the user agent and starts the goroutine that reads its socket;
// Close ends it.
func (p *Phone) open() error {
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.cfg.Listen, 0)))
	if err != nil {
		return err
	}
	p.socket = &readySocket{UDPConn: udp, ready: make(chan struct{})}
	p.ua, err = sipgo.NewUA(sipgo.WithUserAgent(p.cfg.User), sipgo.WithUserAgentHostname(p.cfg.Domain),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(p.cfg.Log)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(p.cfg.Log)))
	if err != nil {
		udp.Close()
		return err
	}
	p.server, err = sipgo.NewServer(p.ua, sipgo.WithServerLogger(p.cfg.Log))
	if err == nil {
		p.client, err = sipgo.NewClient(p.ua, sipgo.WithClientLogger(p.cfg.Log),
			sipgo.WithClientConnectionAddr(udp.LocalAddr().String()), sipgo.WithClientNAT(),
			sipgo.WithClientHostname(p.cfg.Listen.String()))
	}
	if err != nil {
		udp.Close()
		return errors.Join(err, p.ua.Close())
	}
	p.dialog = sipgo.DialogUA{Client: p.client, ContactHDR: p.contact()}
	p.server.OnInvite(p.onInvite)
	p.server.OnAck(p.onAck)
	p.server.OnBye(p.onBye)
	p.server.OnUpdate(p.onRefresh)
	p.server.OnOptions(func(req *sip.Request, tx sip.ServerTransaction) { respond(tx, req, 200, "OK", nil) })
	p.server.OnNotify(func(req *sip.Request, tx sip.ServerTransaction) { respond(tx, req, 200, "OK", nil) })
	p.wg.Go(func() { _ = p.server.ServeUDP(p.socket) })
	<-p.socket.ready
	return nil
}

// Addr is the telephone's UDP address.
func (p *Phone) Addr() netip.AddrPort { return p.socket.LocalAddr().(*net.UDPAddr).AddrPort() }

// Incoming gives the calls that ring here, in order of arrival. A call that
// nobody takes for 16 others is refused as busy.
func (p *Phone) Incoming() <-chan *Call { return p.inbox }

// Register registers the telephone's address with the exchange.
func (p *Phone) Register(ctx context.Context) error { return p.register(ctx, p.cfg.Expires) }

// Unregister takes the registration back.
func (p *Phone) Unregister(ctx context.Context) error { return p.register(ctx, 0) }

func (p *Phone) register(ctx context.Context, expires int) error {
	req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: p.cfg.Domain, Port: int(p.cfg.Server.Port())})
	req.SetDestination(p.cfg.Server.String())
	req.AppendHeader(p.from())
	req.AppendHeader(&sip.ToHeader{Address: p.address()})
	contact := p.contact()
	req.AppendHeader(&contact)
	req.AppendHeader(sip.NewHeader("Expires", fmt.Sprint(expires)))
	res, err := p.client.Do(ctx, req)
	if err == nil && (res.StatusCode == 401 || res.StatusCode == 407) && p.cfg.Secret != "" {
		res, err = p.client.DoDigestAuth(ctx, req, res, sipgo.DigestAuth{Username: p.cfg.User, Password: p.cfg.Secret})
	}
	switch {
	case err != nil:
		return fmt.Errorf("softphone %s: REGISTER at %s: %w", p.cfg.User, p.cfg.Server, err)
	case res.StatusCode != 200:
		return fmt.Errorf("softphone %s: REGISTER at %s: %w", p.cfg.User, p.cfg.Server, Refused{res.StatusCode, res.Reason})
	}
	return nil
}

// Close hangs up what is up and frees all sockets and goroutines. It does not
// take the registration back: that is Unregister.
func (p *Phone) Close() error {
	p.mu.Lock()
	select {
	case <-p.closed:
		p.mu.Unlock()
		return nil
	default:
	}
	close(p.closed)
	var calls []*Call
	for _, c := range p.calls {
		calls = append(calls, c)
	}
	p.mu.Unlock()
	for _, c := range calls {
		c.Hangup()
		<-c.Done()
	}
	err := errors.Join(p.ua.Close(), ignoreClosed(p.socket.Close()))
	p.wg.Wait()
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (p *Phone) address() sip.Uri {
	return sip.Uri{Scheme: "sip", User: p.cfg.User, Host: p.cfg.Domain}
}

func (p *Phone) from() *sip.FromHeader {
	from := &sip.FromHeader{DisplayName: p.cfg.Name, Address: p.address()}
	from.Params.Add("tag", sip.GenerateTagN(16))
	return from
}

func (p *Phone) contact() sip.ContactHeader {
	own := p.Addr()
	return sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: p.cfg.User, Host: own.Addr().String(), Port: int(own.Port())}}
}

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

func (p *Phone) callOf(req *sip.Request) *Call {
	if req.CallID() == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[req.CallID().Value()]
}

func respond(tx sip.ServerTransaction, req *sip.Request, status int, reason string, body []byte) {
	_ = tx.Respond(sip.NewResponseFromRequest(req, status, reason, body))
}

// Refused is the error of a request that was answered with a failure.
type Refused struct {
	Status int
	Reason string
}

func (r Refused) Error() string { return fmt.Sprintf("%d %s", r.Status, r.Reason) }

// readySocket tells when the user agent has begun to read: only then does it
// know the socket as its own.
type readySocket struct {
	*net.UDPConn
	once  sync.Once
	ready chan struct{}
}

func (s *readySocket) ReadFrom(b []byte) (int, net.Addr, error) {
	s.once.Do(func() { close(s.ready) })
	return s.UDPConn.ReadFrom(b)
}
