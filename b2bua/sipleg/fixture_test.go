package sipleg

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/memnet"
	"crosspoint/internal/siptest"
	"crosspoint/media/rtp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A fixture is an agent on a network in memory, with call control played by
// the test.
type fixture struct {
	t     *testing.T
	net   *memnet.Network
	agent *Agent
	ports *rtp.Ports
	reg   *registrar.Registrar
	calls chan *end
	log   *logBook
}

// An end is one leg as the test, playing call control, has it.
type end struct {
	leg.Leg
	f      *fixture
	in     leg.Incoming
	ladder *leg.Ladder

	mu     sync.Mutex
	events []leg.Event
	told   int // how many the test has looked at
}

func (e *end) Deliver(ev leg.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, ev)
}

// Accept takes incoming calls.
func (f *fixture) Accept(in leg.Incoming) leg.Sink {
	e := &end{Leg: in.Leg, f: f, in: in, ladder: in.Ladder}
	f.calls <- e
	return e
}

// logBook keeps what is logged, for tests that look for it, and for failures.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// play runs a script in a bubble of fake time. At its end nothing may be left:
// no leg, no tombstone after 40 s, no RTP port, no socket.
func play(t *testing.T, change func(*Config), script func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := start(t, change)
		done := false
		defer func() {
			if !done { // the script has failed: nothing may be left waiting
				f.close()
			}
		}()
		script(f)
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if s := f.agent.Stats(); s.Dialogs != 0 || s.Tombstones != 0 {
			t.Errorf("left over: %d legs, %d tombstones", s.Dialogs, s.Tombstones)
			for _, l := range f.agent.table.all() {
				t.Log(l)
			}
		}
		if s := f.agent.wire.Stats(); s.Panics != 0 {
			t.Errorf("%d messages made the transport panic", s.Panics)
		}
		done = true
		f.close()
		if n := f.ports.InUse(); n != 0 {
			t.Errorf("%d RTP port pairs are still in use", n)
		}
		if log := f.log.String(); strings.Contains(log, "this is a bug") || t.Failed() && testing.Verbose() {
			t.Error(log)
		}
		if strings.Contains(f.log.String(), "secret-") {
			t.Error("a secret was logged")
		}
	})
}

func start(t *testing.T, change func(*Config)) *fixture {
	f := &fixture{t: t, net: new(memnet.Network), calls: make(chan *end, 100), log: new(logBook)}
	var out io.Writer = f.log
	if os.Getenv("SIPLEG_LOG") != "" {
		out = io.MultiWriter(f.log, os.Stderr)
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	udp, err := f.net.ListenUDP("127.0.0.1:5060")
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := f.net.ListenTCP("127.0.0.1:5060")
	if err != nil {
		t.Fatal(err)
	}
	f.ports, err = rtp.NewPorts(rtp.PortsConfig{
		Address: netip.MustParseAddr("127.0.0.1"), First: 16384, Last: 16483, Rest: time.Millisecond,
		Listen: func(addr string) (rtp.Conn, error) { return f.net.ListenUDP(addr) },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.reg, err = registrar.New(registrar.Config{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	account := func(user string) (Account, bool) {
		switch user {
		case "101":
			return Account{User: "101", Secret: "secret-101", Name: "Alice"}, true
		case "102", "103":
			return Account{User: user, Secret: "secret-" + user}, true
		}
		return Account{}, false
	}
	cfg := Config{
		Wire: wire.Config{
			UDP: []wire.Conn{udp}, TCP: []net.Listener{tcp},
			DialTCP: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
				return f.net.DialTCP(ctx, "127.0.0.1:0", to.String())
			},
		},
		Silence: time.Hour, // phones of these scripts say nothing unless the test is about it
		Accept:  f, RTP: f.ports, Registrar: f.reg, Account: account, Log: log,
		Digest: registrar.NewDigest(registrar.DigestConfig{Realm: "office", Log: log, Secret: func(user string) (string, bool) {
			a, ok := account(user)
			return a.Secret, ok
		}}),
		Peers: []Peer{{Name: "trunk", Host: "127.0.0.1:5080", Addresses: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, User: "office", Secret: "secret-trunk", Trusted: true}},
	}
	if change != nil {
		change(&cfg)
	}
	f.agent = New(cfg)
	return f
}

func (f *fixture) close() {
	f.agent.Close()
	f.reg.Close()
}

// phone is a scripted phone of ours, not registered.
func (f *fixture) phone(user string, port int) *siptest.Peer {
	p := siptest.NewPeer(f.t, f.net, user, fmt.Sprintf("127.0.0.1:%d", port))
	p.Password = "secret-" + user
	return p
}

// trunk is a party at the address of the peer "trunk", which needs no credentials.
func (f *fixture) trunk() *siptest.Peer {
	return siptest.NewPeer(f.t, f.net, "5551234", "10.0.0.1:5060")
}

// incoming waits for a call to arrive at call control.
func (f *fixture) incoming() *end {
	f.t.Helper()
	select {
	case e := <-f.calls:
		return e
	case <-time.After(2 * time.Second):
		f.t.Fatal("no call came in")
		return nil
	}
}

// nobody fails if a call has arrived.
func (f *fixture) nobody() {
	f.t.Helper()
	synctest.Wait()
	select {
	case e := <-f.calls:
		f.t.Fatalf("a call came in: %+v", e.in)
	default:
	}
}

// dial calls an address.
func (f *fixture) dial(uri string, change ...func(*leg.Outgoing)) *end {
	f.t.Helper()
	e := &end{f: f, ladder: new(leg.Ladder)}
	o := leg.Outgoing{Call: "c1", From: leg.Party{Number: "103", Name: "Carol"}, To: leg.Party{Number: "102"}, Sink: e, Ladder: e.ladder, Log: f.agent.log}
	for _, c := range change {
		c(&o)
	}
	l, err := f.agent.DialURI(uri, o)
	if err != nil {
		f.t.Fatal(err)
	}
	e.Leg = l
	return e
}

// expect compares the events since the last look with what is expected:
// "Ringing", "HungUp 17", "Digit 5".
func (e *end) expect(want ...string) {
	e.f.t.Helper()
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	var got []string
	for _, ev := range e.events[e.told:] {
		got = append(got, nameOf(ev))
	}
	e.told = len(e.events)
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		e.f.t.Errorf("events of %s: %q, want %q", e.Name(), got, want)
	}
}

// cause is why the leg has ended.
func (e *end) cause() leg.Cause {
	e.f.t.Helper()
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.events) > 0 {
		if h, ok := e.events[len(e.events)-1].(leg.HungUp); ok {
			return h.Cause
		}
	}
	e.f.t.Errorf("the leg of %s has not ended", e.Name())
	return leg.Cause{}
}

func nameOf(ev leg.Event) string {
	name := strings.TrimPrefix(fmt.Sprintf("%T", ev), "leg.")
	switch ev := ev.(type) {
	case leg.HungUp:
		name = fmt.Sprintf("%s %d", name, ev.Cause.Filled().Q850)
		if ev.Moved != nil {
			name += fmt.Sprintf(" %s to %s", ev.MovedFor, strings.Join(ev.Moved, " or "))
		}
		return name
	case leg.Digit:
		return name + " " + string(ev.Digit)
	case leg.Referred:
		return name + " " + ev.Target
	case leg.Notified:
		return fmt.Sprintf("%s %d", name, ev.Cause.Status)
	}
	return name
}

// ladder compares all that has passed on the leg with what is expected, one
// arrow a line, blanks folded.
func (e *end) passed(want string) {
	e.f.t.Helper()
	synctest.Wait()
	got, expected := fold(e.ladder.String()), fold(want)
	for i := range max(len(got), len(expected)) {
		g, w := at(got, i), at(expected, i)
		if g != w {
			e.f.t.Fatalf("ladder, line %d: %q, want %q; all of it:\n%s", i+1, g, w, e.ladder)
		}
	}
}

func fold(s string) (lines []string) {
	for line := range strings.Lines(s) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// sdpAt is a phone's description at a port of 127.0.0.1.
func sdpAt(port int, extra ...string) string { return siptest.SDP("127.0.0.1", port, extra...) }

// talking is a call from the trunk, answered and acknowledged.
func (f *fixture) talking(p *siptest.Peer, extra ...string) (*siptest.Dialog, *end) {
	f.t.Helper()
	d := p.Dial("101")
	d.Request("INVITE", append(extra, sdpAt(4000))...)
	e := f.incoming()
	e.Answer()
	d.Ack(p.Expect("200 INVITE"))
	synctest.Wait()
	return d, e
}

// called is a call to a scripted party, answered and acknowledged.
func (f *fixture) called(p *siptest.Peer, extra ...string) (*siptest.Dialog, *end) {
	f.t.Helper()
	e := f.dial("sip:102@" + p.Addr())
	invite := p.Expect("INVITE")
	d := p.Incoming(invite)
	d.Respond(invite, 200, append(extra, sdpAt(4000))...)
	p.Expect("ACK")
	e.expect("Answered")
	return d, e
}

func contextFor(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
