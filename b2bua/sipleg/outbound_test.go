package sipleg

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/memnet"
	"crosspoint/internal/siptest"
)

// atProvider is an exchange that registers at a provider: itsp.example, or what
// the test says.
func atProvider(change ...func(*Peer)) func(*Config) {
	return func(c *Config) {
		p := Peer{Name: "itsp", Host: "172.16.0.1:5060", User: "office", Secret: "secret-itsp", Register: true, Origin: "office.toml:12"}
		for _, f := range change {
			f(&p)
		}
		c.Peers = append(c.Peers, p)
	}
}

// provider is the server's side of it.
func provider(f *fixture, addr string) *siptest.Peer {
	p := siptest.NewPeer(f.t, f.net, "office", addr)
	p.Wait = 40 * time.Second
	return p
}

const providersChallenge = `WWW-Authenticate: Digest realm="itsp", nonce="abc%d", qop="auth", algorithm=MD5`

// grants takes a registration in: challenge, verification, 200.
func grants(t *testing.T, p *siptest.Peer, m *siptest.Message, seconds int) *siptest.Message {
	t.Helper()
	seq, _ := m.CSeq()
	p.Respond(m, 401, fmt.Sprintf(providersChallenge, seq))
	again := p.Expect("REGISTER")
	if s, _ := again.CSeq(); s != seq+1 || again.Get("Call-ID") != m.Get("Call-ID") || again.Get("Via") == m.Get("Via") {
		t.Errorf("not the same registration:\n%s\n%s", m.Text, again.Text)
	}
	answer := siptest.DigestParams(again.Get("Authorization"))
	if answer["username"] != "office" || answer["uri"] != again.URI || answer["nonce"] != "abc"+strconv.Itoa(seq) || answer["nc"] != "00000001" {
		t.Errorf("credentials: %s", again.Get("Authorization"))
	}
	p.Respond(again, 200, "Contact: "+strings.Replace(again.Get("Contact"), ";expires=3600", fmt.Sprintf(";expires=%d", seconds), 1))
	return again
}

// stands compares our only registration with what is expected.
func stands(f *fixture, state RegistrationState, problem string) Registration {
	f.t.Helper()
	synctest.Wait()
	list := f.agent.Registrations()
	if len(list) != 1 || list[0].Peer != "itsp" || list[0].State != state || list[0].Problem != problem {
		f.t.Fatalf("registrations: %+v; want %v %q", list, state, problem)
	}
	return list[0]
}

// Registered with credentials, again before the time granted is over, and taken
// back when the exchange is stopped.
func TestRegistersAtAProvider(t *testing.T) {
	play(t, atProvider(), func(f *fixture) {
		p := provider(f, "172.16.0.1:5060")
		stands(f, Registering, "")
		m := p.Expect("REGISTER")
		if m.URI != "sip:172.16.0.1:5060" || m.Address("To") != "sip:office@172.16.0.1" || m.Address("From") != "sip:office@172.16.0.1" || m.Param("From", "tag") == "" ||
			m.Get("Contact") != "<sip:office@127.0.0.1:5060>;expires=3600" || m.Get("Expires") != "3600" {
			t.Error(m.Text)
		}
		grants(t, p, m, 120)
		if s := stands(f, Registered, ""); time.Until(s.Until) != 120*time.Second || s.Address.String() != "172.16.0.1:5060" {
			t.Errorf("%+v", s)
		}
		began := time.Now()
		m = provider40(p, 100*time.Second)
		if d := time.Since(began); d != 90*time.Second {
			t.Errorf("renewed after %v, not in time before 120 s", d)
		}
		grants(t, p, m, 120)
		stands(f, Registered, "")

		done := make(chan struct{})
		go func() {
			f.agent.Unregister(context.Background())
			close(done)
		}()
		m = p.Expect("REGISTER")
		if m.Get("Expires") != "0" || m.Get("Contact") != "<sip:office@127.0.0.1:5060>;expires=0" {
			t.Error(m.Text)
		}
		p.Respond(m, 401, fmt.Sprintf(providersChallenge, 9))
		m = p.Expect("REGISTER")
		if m.Get("Authorization") == "" || m.Get("Expires") != "0" {
			t.Error(m.Text)
		}
		p.Respond(m, 200)
		<-done
		stands(f, Unregistered, "")
		p.Quiet(10 * time.Minute)
	})
}

// provider40 is Expect("REGISTER") with more patience.
func provider40(p *siptest.Peer, wait time.Duration) *siptest.Message {
	old := p.Wait
	p.Wait = wait
	defer func() { p.Wait = old }()
	return p.Expect("REGISTER")
}

// A provider that refuses is told of in words, and asked again at growing
// intervals.
func TestRegistrationRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Peer)
		answer func(p *siptest.Peer, m *siptest.Message)
		want   string
		status int
	}{
		{"forbidden", nil, func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 403) },
			"registration refused 403: check user and secret at office.toml:12", 403},
		{"wrong secret", nil, func(p *siptest.Peer, m *siptest.Message) {
			p.Respond(m, 401, fmt.Sprintf(providersChallenge, 1))
			p.Respond(p.Expect("REGISTER"), 401, fmt.Sprintf(providersChallenge, 2))
		}, "registration refused 401: check user and secret at office.toml:12", 401},
		{"no secret", func(p *Peer) { p.Secret = "" }, func(p *siptest.Peer, m *siptest.Message) {
			p.Respond(m, 407, `Proxy-Authenticate: Digest realm="itsp", nonce="x"`)
		}, "registration refused 407: check user and secret at office.toml:12", 407},
		{"not from a file", func(p *Peer) { p.Origin = "" }, func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 404) },
			"registration refused 404: check user and secret", 404},
		{"for another reason", nil, func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 480) },
			"registration refused 480 Temporarily Unavailable", 480},
		{"overloaded", nil, func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 503, "Retry-After: 300") },
			"registration failed 503 Service Unavailable at 172.16.0.1:5060", 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(*Peer) {}
			}
			play(t, atProvider(change), func(f *fixture) {
				p := provider(f, "172.16.0.1:5060")
				var waits []time.Duration
				for range 7 {
					began := time.Now()
					m := provider40(p, 2*time.Hour)
					waits = append(waits, time.Since(began))
					c.answer(p, m)
					if s := stands(f, Failed, c.want); s.Status != c.status || !s.Next.After(time.Now()) {
						t.Errorf("%+v", s)
					}
				}
				if waits[0] > time.Second || waits[1] < 60*time.Second || waits[6] < 15*time.Minute || waits[6] > time.Hour {
					t.Errorf("tried after %v", waits)
				}
				if want := `msg="peer itsp: ` + c.want + `"`; !strings.Contains(f.log.String(), want) {
					t.Errorf("the log does not say %s", want)
				}
			})
		})
	}
}

// A provider that is silent, and comes back.
func TestProviderIsSilent(t *testing.T) {
	play(t, atProvider(), func(f *fixture) {
		p := provider(f, "172.16.0.1:5060")
		p.Expect("REGISTER")
		time.Sleep(33 * time.Second) // timer F
		stands(f, Failed, "no answer from 172.16.0.1:5060: check proxy at office.toml:12, and that nothing on the way holds SIP back")
		p.Drain(time.Millisecond)
		grants(t, p, p.Expect("REGISTER"), 60)
		stands(f, Registered, "")
		time.Sleep(50 * time.Second) // the renewal is lost
		s := stands(f, Registered, "")
		time.Sleep(time.Until(s.Until) + time.Second)
		if s := f.agent.Registrations()[0]; s.State != Failed {
			t.Errorf("the time granted is over, and still %+v", s)
		}
	})
}

// A longer time is wanted: 423 says how long (RFC 3261 §10.3 step 6).
func TestRegistrationTooBrief(t *testing.T) {
	play(t, atProvider(func(p *Peer) { p.RegisterFor = time.Minute }), func(f *fixture) {
		p := provider(f, "172.16.0.1:5060")
		m := p.Expect("REGISTER")
		if m.Get("Expires") != "60" {
			t.Error(m.Text)
		}
		p.Respond(m, 423, "Min-Expires: 1800")
		m = p.Expect("REGISTER")
		if m.Get("Expires") != "1800" {
			t.Error(m.Text)
		}
		p.Respond(m, 200) // it says nothing of the time: what we asked for
		if s := stands(f, Registered, ""); time.Until(s.Until) != 30*time.Minute {
			t.Errorf("%+v", s)
		}
	})
}

// The provider's name leads to two servers (RFC 3263 §4.3): the first is dead,
// the second takes us. When that one dies later, we are registered at the first.
func TestRegistrationFailsOver(t *testing.T) {
	named := func(c *Config) {
		atProvider(func(p *Peer) { p.Host = "itsp.example" })(c)
		c.Resolve = func(_ context.Context, host string, port int, transport string) ([]Destination, error) {
			if host != "itsp.example" || port != 0 || transport != "" {
				return nil, errors.New("no such host")
			}
			return []Destination{{wire.UDP, netip.MustParseAddrPort("172.16.0.1:5060")}, {wire.UDP, netip.MustParseAddrPort("172.16.0.2:5062")}}, nil
		}
	}
	play(t, named, func(f *fixture) {
		first, second := provider(f, "172.16.0.1:5060"), provider(f, "172.16.0.2:5062")
		began := time.Now()
		m := second.Expect("REGISTER")
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("the second was asked after %v", d)
		}
		if m.URI != "sip:itsp.example" || m.Address("From") != "sip:office@itsp.example" {
			t.Error(m.Text)
		}
		grants(t, second, m, 60)
		if s := stands(f, Registered, ""); s.Address.String() != "172.16.0.2:5062" {
			t.Errorf("%+v", s)
		}
		first.Drain(time.Millisecond)
		second.Close()
		grants(t, first, provider40(first, time.Minute), 60)
		if s := stands(f, Registered, ""); s.Address.String() != "172.16.0.1:5060" {
			t.Errorf("%+v", s)
		}
	})
}

// A name without address.
func TestProviderHasNoAddress(t *testing.T) {
	nowhere := func(c *Config) {
		atProvider(func(p *Peer) { p.Host = "itsp.invalid" })(c)
		c.Resolve = func(context.Context, string, int, string) ([]Destination, error) {
			return nil, errors.New("no such host")
		}
	}
	play(t, nowhere, func(f *fixture) {
		time.Sleep(time.Second)
		stands(f, Failed, "itsp.invalid has no address: no such host: check proxy at office.toml:12")
	})
}

// What calls from where we are registered is the peer, though the file names no
// addresses; another port of the same machine is not. What it dialled is in To
// where the Request-URI only repeats who we are.
func TestProviderCalls(t *testing.T) {
	play(t, atProvider(), func(f *fixture) {
		p := provider(f, "172.16.0.1:5060")
		m := p.Expect("REGISTER")
		d := p.Dial("sip:office@127.0.0.1:5060")
		d.Request("INVITE", "To: <sip:+12015550199@itsp.example>", sdpAt(4000))
		d.Ack(p.Expect("407")) // not yet registered
		grants(t, p, m, 3600)
		stands(f, Registered, "")
		for to, dialed := range map[string]string{"<sip:+12015550199@itsp.example>": "+12015550199", "<sip:office@itsp.example>": "office"} {
			d = p.Dial("sip:office@127.0.0.1:5060")
			d.Request("INVITE", "To: "+to, sdpAt(4000))
			e := f.incoming()
			if e.in.Source != (leg.Source{Kind: leg.Peer, Name: "itsp"}) || e.in.Dialed != dialed {
				t.Errorf("%+v", e.in)
			}
			e.Hangup(leg.Busy)
			d.Remote = to
			d.Ack(p.Expect("486"))
		}
		other := provider(f, "172.16.0.1:5061")
		d = other.Dial("sip:office@127.0.0.1:5060")
		d.Request("INVITE", sdpAt(4000))
		d.Ack(other.Expect("407"))
		f.nobody()
	})
}

// Behind NAT the way is held open.
func TestRegistrationThroughNAT(t *testing.T) {
	play(t, atProvider(), func(f *fixture) {
		p := provider(f, "172.16.0.1:5060")
		m := p.Expect("REGISTER")
		var pings atomic.Int32
		synctest.Wait()
		f.net.Fate = func(from, _ netip.AddrPort, data []byte) (fate memnet.Fate) {
			if from.Port() == 5060 && string(data) == "\r\n\r\n" {
				pings.Add(1)
			}
			return fate
		}
		p.Send(strings.Join([]string{"SIP/2.0 200 OK", "Via: " + strings.Replace(m.Get("Via"), ";rport", ";received=203.0.113.7;rport=31007", 1),
			"From: " + m.Get("From"), "To: " + m.Get("To") + ";tag=1", "Call-ID: " + m.Get("Call-ID"), "CSeq: " + m.Get("CSeq"), "", ""}, "\n"))
		stands(f, Registered, "")
		time.Sleep(2 * time.Minute)
		if n := pings.Load(); n != 4 {
			t.Errorf("%d keep-alives in two minutes", n)
		}
	})
}

// Two exchanges: one registers at the other as a phone does, is called there,
// and calls.
func TestRegistersAtAnotherExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, nil)
		defer f.close()
		branch := newLossy(t, f.net, "127.0.0.2", "127.0.0.9")
		branch.agent.Close()
		udp, err := f.net.ListenUDP("127.0.0.2:5060")
		if err != nil {
			t.Fatal(err)
		}
		branch.agent = New(Config{
			Wire: wire.Config{UDP: []wire.Conn{udp}}, Accept: branch, RTP: branch.ports, Silence: time.Hour, Log: f.agent.log,
			Peers: []Peer{{Name: "head office", Host: "127.0.0.1:5060", User: "102", Secret: "secret-102", FromUser: "102", Register: true}},
		})
		synctest.Wait()
		if s := branch.agent.Registrations()[0]; s.State != Registered || len(f.reg.Lookup("102")) != 1 {
			t.Fatalf("%+v; %+v", s, f.reg.Lookup("102"))
		}
		e := f.extension("102")
		in := branch.incoming()
		if in.in.Source != (leg.Source{Kind: leg.Peer, Name: "head office"}) || in.in.Dialed != "102" {
			t.Errorf("%+v", in.in)
		}
		in.Answer()
		e.expect("Trying", "Answered")
		e.Hangup(leg.NormalClearing)
		in.expect("HungUp 16")

		out := &end{f: branch, ladder: new(leg.Ladder)}
		l, err := branch.agent.DialPeer("head office", "101", leg.Outgoing{From: leg.Party{Number: "7"}, Sink: out, Ladder: out.ladder})
		if err != nil {
			t.Fatal(err)
		}
		out.Leg = l
		e = f.incoming()
		if e.in.Source != (leg.Source{Kind: leg.Phone, Name: "102"}) || e.in.Dialed != "101" {
			t.Errorf("%+v", e.in)
		}
		e.Hangup(leg.Busy)
		out.expect("HungUp 17")
		ctx, cancel := contextFor(3 * time.Second)
		defer cancel()
		if err := branch.agent.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if len(f.reg.Lookup("102")) != 0 {
			t.Error("still registered")
		}
	})
}

// A peer that is taken out of the file is left; one whose secret was corrected
// is asked anew; one that is the same is not asked again.
func TestRegistrationsChange(t *testing.T) {
	play(t, atProvider(), func(f *fixture) {
		p, other := provider(f, "172.16.0.1:5060"), provider(f, "172.16.0.2:5060")
		p.Respond(p.Expect("REGISTER"), 200)
		stands(f, Registered, "")
		same := f.agent.known().Peers[1]
		same.Origin = "office.toml:99"
		second := Peer{Name: "second", Host: "172.16.0.2:5060", User: "office", Register: true}
		f.agent.SetParties(Parties{Peers: []Peer{second, same}})
		other.Respond(other.Expect("REGISTER"), 200)
		p.Quiet(time.Second)
		if list := f.agent.Registrations(); len(list) != 2 || list[0].State != Registered || list[1].State != Registered {
			t.Errorf("%+v", list)
		}
		same.Secret = "secret-itsp-2"
		f.agent.SetParties(Parties{Peers: []Peer{same}})
		a, b := p.Expect("REGISTER"), p.Expect("REGISTER") // the old one is taken back
		if a.Get("Call-ID") == b.Get("Call-ID") || a.Get("Expires") == b.Get("Expires") {
			t.Errorf("%s\n%s", a.Text, b.Text)
		}
		for _, m := range []*siptest.Message{a, b} {
			if m.Get("Expires") == "0" {
				p.Respond(m, 200)
			} else {
				p.Respond(m, 403)
			}
		}
		if m := other.Expect("REGISTER"); m.Get("Expires") != "0" {
			t.Error(m.Text)
		} else {
			other.Respond(m, 200)
		}
		stands(f, Failed, "registration refused 403: check user and secret at office.toml:99")
	})
}
