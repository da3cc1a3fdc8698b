// Package lab runs a whole exchange for tests: the office of a TOML file, as
// cmd/crosspoint wires it, on a network in memory and under fake time, with
// scripted SIP phones, and with a simulated line card and its town where the
// file names one. What passes on the wire is written down by the network
// itself, so that a test's ladder is what an outsider would have captured.
package lab

import (
	"context"
	"errors"
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

	"crosspoint/b2bua"
	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/registrar"
	"crosspoint/b2bua/sipleg"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/dialplan"
	"crosspoint/gateway/jack"
	"crosspoint/gateway/linecard"
	"crosspoint/gateway/linesim"
	"crosspoint/internal/memnet"
	"crosspoint/internal/siptest"
	"crosspoint/internal/tomlfile"
	"crosspoint/internal/wiring"
	"crosspoint/media/rtp"
)

// A Config is an office to run. Text is needed.
type Config struct {
	Name string // of the file, in messages; empty: "office.toml"
	Text string // TOML
	// Calls is call control's configuration beside the file.
	Calls b2bua.Config
	// Hosts are names that resolve, and to where; all others do not.
	Hosts map[string]netip.AddrPort
	// Town is what is behind a card whose port is "sim". Without Cards it is one
	// with the ports that the file needs.
	Town linesim.Config
	// Quiet logs what operators are told, not each message; so hundreds of calls
	// cost less.
	Quiet bool
	// Jack makes the ports of a card whose port is "jacks": lines without a
	// card's firmware and without sound of their own. Each is asked for once.
	Jack func(n int) jack.Port
}

// A Lab is an exchange that runs.
type Lab struct {
	Net    *memnet.Network
	Office *wiring.Office
	Town   *linesim.Sim // nil: the office has no line card
	Wire   *Tap

	t     *testing.T
	file  file
	ports *rtp.Ports
	reg   *registrar.Registrar
	card  *linecard.Card
	jacks func(n int) jack.Port
	log   logBook
}

// file is an office file as far as the lab has to do with it; the rest of it
// is about real machines.
type file struct {
	dialplan.Config
	SIP struct {
		tomlfile.Pos
		Listen  tomlfile.Strings `toml:"listen"`
		Domains tomlfile.Strings `toml:"domains"`
		Realm   string           `toml:"realm"`
	} `toml:"sip"`
	RTP struct {
		tomlfile.Pos
		Address string `toml:"address"`
		Ports   string `toml:"ports"`
	} `toml:"rtp"`
	Cards []struct {
		tomlfile.Pos
		Name string `toml:"name"`
		Port string `toml:"port"`
	} `toml:"card"`
}

// address is the exchange's, at which the file's sockets are in this package.
const address = "127.0.0.1"

// Play runs a script in an office, in a bubble of fake time. At the script's
// end everybody has to have hung up: after a minute no leg, no RTP port and no
// socket may be left.
func Play(t *testing.T, cfg Config, script func(l *Lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := open(t, cfg)
		done := false
		defer func() {
			if !done { // the script has failed: end what it left
				l.close()
			}
			if t.Failed() && (testing.Verbose() || !done) {
				t.Logf("on the wire:\n%s", l.Wire.Figure())
			}
		}()
		script(l)
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := l.Office.Agent.Stats(); s.Dialogs != 0 || s.Tombstones != 0 {
			t.Errorf("left over: %d legs, %d tombstones", s.Dialogs, s.Tombstones)
		}
		if calls := l.Office.Exchange.Calls(); len(calls) != 0 {
			t.Errorf("%d calls are left: %v", len(calls), calls)
		}
		done = true
		l.close()
		if n := l.ports.InUse(); n != 0 {
			t.Errorf("%d RTP ports are left in use", n)
		}
		if s := l.log.String(); strings.Contains(s, "this is a bug") || strings.Contains(s, "legs did not end") {
			t.Error(s)
		}
	})
}

func open(t *testing.T, cfg Config) *Lab {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "office.toml"
	}
	l := &Lab{t: t, Net: new(memnet.Network), Wire: newTap(), jacks: cfg.Jack}
	l.Net.Fate = l.Wire.fate
	problems := tomlfile.Decode(cfg.Name, []byte(cfg.Text), &l.file)
	l.file.Config.Domains = append(append([]string(nil), l.file.SIP.Domains...), address)
	plan, more := dialplan.Compile(l.file.Config)
	if problems = append(problems, more...); tomlfile.Fatal(problems) {
		t.Fatal(tomlfile.Text(problems))
	}
	var out io.Writer = &l.log
	if os.Getenv("LAB_LOG") != "" {
		out = io.MultiWriter(out, os.Stderr)
	}
	level := slog.LevelDebug
	if cfg.Quiet && out == &l.log {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
	udp, err := l.Net.ListenUDP(siptest.Exchange)
	l.must(err)
	tcp, err := l.Net.ListenTCP(siptest.Exchange)
	l.must(err)
	l.ports, err = rtp.NewPorts(rtp.PortsConfig{
		Address: netip.MustParseAddr(address), First: 16384, Last: 16583, Rest: time.Millisecond,
		Listen: func(addr string) (rtp.Conn, error) { return l.Net.ListenUDP(addr) },
	})
	l.must(err)
	l.reg, err = registrar.New(registrar.Config{Log: log})
	l.must(err)
	l.plugIn(cfg.Town, log)
	l.Office, err = wiring.Open(wiring.Config{
		Parties: l.file.Config, Plan: plan, Realm: l.file.SIP.Realm, Calls: cfg.Calls, Port: l.jack, Log: log,
		SIP: sipleg.Config{
			Wire: wire.Config{UDP: []wire.Conn{udp}, TCP: []net.Listener{tcp}, DialTCP: l.dialTCP},
			RTP:  l.ports, Registrar: l.reg, Resolve: resolver(cfg.Hosts),
			Silence: time.Hour, // scripted phones say nothing unless the test is about it
		},
	})
	l.must(err)
	if l.Town != nil {
		time.Sleep(2 * time.Second) // the card is taken up
	}
	return l
}

// plugIn starts the simulated card that the file names, if it does.
func (l *Lab) plugIn(town linesim.Config, log *slog.Logger) {
	l.t.Helper()
	for _, c := range l.file.Cards {
		if c.Port == "jacks" {
			return
		}
		if c.Port != "sim" || l.Town != nil {
			l.t.Fatalf("%s: a lab has one simulated card", c.Pos)
		}
		town.Country = l.file.Country
		if town.Cards == nil {
			town.Cards = []linesim.CardConfig{l.cardConfig(c.Name)}
		}
		var err error
		l.Town, err = linesim.New(town)
		l.must(err)
		l.card = linecard.New(linecard.Config{Name: c.Name, Device: "sim", Open: l.Town.Card(1).Open, Log: log})
	}
}

// cardConfig has a port for each line that the file puts on the card.
func (l *Lab) cardConfig(name string) linesim.CardConfig {
	c := linesim.CardConfig{Name: name}
	for _, line := range l.file.Lines {
		if line.Kind == "fxs" {
			c.FXS++
		} else {
			c.FXO++
		}
	}
	return c
}

func (l *Lab) jack(_ string, n int) jack.Port {
	if l.card == nil {
		return l.jacks(n)
	}
	return l.card.Port(n)
}

func (l *Lab) dialTCP(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return l.Net.DialTCP(ctx, address+":0", to.String())
}

// resolver knows the given names alone: those of the service examples mean
// nothing to a resolver.
func resolver(hosts map[string]netip.AddrPort) func(context.Context, string, int, string) ([]sipleg.Destination, error) {
	return func(_ context.Context, host string, _ int, _ string) ([]sipleg.Destination, error) {
		if ap, ok := hosts[host]; ok {
			return []sipleg.Destination{{Transport: wire.UDP, Address: ap}}, nil
		}
		return nil, errors.New("no such host: " + host)
	}
}

func (l *Lab) close() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l.Office.Exchange.Drain(ctx)
	goodbye, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := l.Office.Close(goodbye); err != nil && !l.t.Failed() {
		l.t.Error(err)
	}
	l.reg.Close()
	if l.Town != nil {
		l.card.Close()
		l.Town.Close()
	}
}

func (l *Lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// Phone is a scripted phone of the file's extension, at the address that the
// file gives it; one that the file leaves to register has the given port on
// 127.0.0.1, and has registered.
func (l *Lab) Phone(extension string, port ...string) *siptest.Peer {
	l.t.Helper()
	for _, p := range l.file.Phones {
		if p.Extension != extension {
			continue
		}
		if len(p.Contacts) > 0 {
			contact, err := wiring.ParseContact(p.Contacts[0])
			l.must(err)
			return l.phone(p, contact.Address.String())
		}
		if len(port) == 0 {
			l.t.Fatalf("phone %s has no fixed address: name a port", extension)
		}
		peer := l.phone(p, address+":"+port[0])
		peer.Register()
		return peer
	}
	l.t.Fatalf("there is no phone %s", extension)
	return nil
}

func (l *Lab) phone(p dialplan.Phone, at string) *siptest.Peer {
	peer := l.Peer(p.Extension, at)
	peer.Name, peer.Password = p.Name, p.Secret
	return peer
}

// Peer is a scripted party at an address, of whom the file may know nothing.
func (l *Lab) Peer(name, at string) *siptest.Peer {
	l.t.Helper()
	l.Wire.name(netip.MustParseAddrPort(at), name)
	return siptest.NewPeer(l.t, l.Net, name, at)
}

// Ladder compares what has passed since the last mark with what is expected, one
// arrow a line: "101 -> b2bua INVITE". Between two parties the order of arrows
// is not compared: what happens at once has none.
func (l *Lab) Ladder(want string) {
	l.t.Helper()
	got, expected := map[string][]string{}, map[string][]string{}
	for _, r := range l.Wire.Rungs() {
		arrow(got, r.From, r.To, r.Text)
	}
	for line := range strings.Lines(want) {
		if f := strings.Fields(line); len(f) > 3 {
			arrow(expected, f[0], f[2], strings.Join(f[3:], " "))
		}
	}
	for party := range expected {
		got[party] = append([]string(nil), got[party]...)
	}
	for party, lines := range got {
		w := expected[party]
		for i := range max(len(lines), len(w)) {
			if at(lines, i) != at(w, i) {
				l.t.Errorf("%s, arrow %d: %q, want %q; all of it:\n%s", party, i+1, at(lines, i), at(w, i), l.Wire.Figure())
				break
			}
		}
	}
}

func arrow(columns map[string][]string, from, to, text string) {
	party, sign := from, "-> "
	if from == leg.Us {
		party, sign = to, "<- "
	}
	columns[party] = append(columns[party], sign+text)
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

// Log is what the exchange has logged.
func (l *Lab) Log() string { return l.log.String() }

// Last is the record of the call that ended last.
func (l *Lab) Last() b2bua.Record {
	l.t.Helper()
	synctest.Wait()
	ended := l.Office.Exchange.Ended()
	if len(ended) == 0 {
		l.t.Fatal("no call has ended")
	}
	return ended[len(ended)-1]
}

// Busy is how many legs are in calls now.
func (l *Lab) Busy() int {
	synctest.Wait()
	return l.Office.Agent.Stats().Dialogs
}

// logBook keeps what is logged.
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
