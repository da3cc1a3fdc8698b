package sipleg

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/registrar"
	"crosspoint/internal/siptest"
)

const us = "sip:127.0.0.1"

func TestRegister(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("101", 5071)
		p.Request("REGISTER", us)
		challenge := p.Expect("401")
		if !challenge.Has("WWW-Authenticate", `realm="office"`) || !challenge.Has("WWW-Authenticate", `qop="auth"`) {
			t.Error(challenge.Text)
		}
		if f.reg.Count() != 0 {
			t.Error("registered without credentials")
		}
		again := p.Request("REGISTER", us, p.Authorize(challenge, "REGISTER", us), "Expires: 600")
		ok := p.Expect("200 REGISTER")
		if ok.Get("Contact") != "<sip:101@127.0.0.1:5071>;expires=600" || ok.Get("Date") == "" {
			t.Error(ok.Text)
		}
		p.Send(again.Text) // its 200 was lost: the same answer, though the nonce count is used up
		p.ExpectRepeat(ok, time.Second)
		p.Request("REGISTER", us, "Authorization: "+again.Get("Authorization")) // a replay
		if m := p.Expect("401"); !m.Has("WWW-Authenticate", "stale=true") {
			t.Error(m.Text)
		}
		p.Register("Contact:") // only asks
		time.Sleep(590 * time.Second)
		if len(f.reg.Lookup("101")) != 1 {
			t.Error("gone before its time")
		}
		time.Sleep(11 * time.Second)
		if len(f.reg.Lookup("101")) != 0 {
			t.Error("still there after its time")
		}
	})
}

// Credentials of another, or of none.
func TestRegisterRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *siptest.Peer)
		uri    string
		extra  []string
		answer string
	}{
		{"wrong password", func(p *siptest.Peer) { p.Password = "x" }, us, nil, "401"},
		{"another's extension", nil, us, []string{"To: <sip:102@127.0.0.1>"}, "403"},
		{"too short", nil, us, []string{"Expires: 10"}, "423"},
		{"star with more", nil, us, []string{"Contact: *", "Expires: 10"}, "400"},
		{"unknown extension", nil, us, []string{"Require: path"}, "420"},
		{"not our domain", nil, "sip:elsewhere.example", nil, "404"},
		{"no SIP contact", nil, us, []string{"Contact: <mailto:joe@example.com>"}, "400"},
		{"malformed credentials", nil, us, []string{`Authorization: Digest username="101", realm="office"`}, "400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.phone("101", 5071)
				if c.change != nil {
					c.change(p)
				}
				p.Request("REGISTER", c.uri, c.extra...)
				m := p.Any()
				if m.Status == 401 {
					p.Request("REGISTER", c.uri, append([]string{p.Authorize(m, "REGISTER", c.uri)}, c.extra...)...)
					m = p.Any()
				}
				if m == nil || fmt.Sprint(m.Status) != c.answer {
					t.Fatalf("want %s:\n%v", c.answer, m.Text)
				}
				if m.Status == 423 && m.Get("Min-Expires") != "60" {
					t.Error(m.Text)
				}
				if f.reg.Count() != 0 {
					t.Error("registered nevertheless")
				}
			})
		})
	}
}

func TestRegisterWithoutRegistrar(t *testing.T) {
	play(t, func(c *Config) { c.Registrar = nil }, func(f *fixture) {
		p := f.phone("101", 5071)
		p.Request("REGISTER", us)
		if m := p.Expect("405"); m.Has("Allow", "REGISTER") {
			t.Error(m.Text)
		}
	})
}

// SHA-256 beside MD5 (RFC 8760).
func TestRegisterSHA256(t *testing.T) {
	sha := func(c *Config) {
		account := c.Account
		c.Digest = registrar.NewDigest(registrar.DigestConfig{Realm: "office", Algorithms: []string{"SHA-256", "MD5"}, Secret: func(user string) (string, bool) {
			a, ok := account(user)
			return a.Secret, ok
		}})
	}
	play(t, sha, func(f *fixture) {
		p := f.phone("101", 5071)
		p.Request("REGISTER", us)
		m := p.Expect("401")
		if all := m.All("WWW-Authenticate"); len(all) != 2 || !strings.Contains(all[0], "SHA-256") || !strings.Contains(all[1], "MD5") {
			t.Error(m.Text)
		}
		p.Register()
		d := p.Invite("102", sdpAt(4000))
		e := f.incoming()
		d.Cancel()
		p.Expect("200 CANCEL")
		d.Ack(p.Expect("487"))
		e.expect("HungUp 16")
	})
}

// Several contacts, all of them taken back by a star; a phone that comes from a
// new address is rung there and nowhere else.
func TestContacts(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("101", 5071)
		p.Register()
		p.Register("Contact: <sip:101@127.0.0.1:5079>;q=0.5", "Call-ID: another")
		ok := p.Register("Contact:")
		if all := ok.All("Contact"); len(all) != 2 {
			t.Errorf("%q", all)
		}
		p.Register("Contact: *", "Expires: 0")
		if f.reg.Count() != 0 {
			t.Error("star left something")
		}
		p.Register()
		moved := f.phone("101", 5099)
		moved.Register(`Contact: <sip:101@127.0.0.1:5099>`, "Call-ID: REGISTER-101@127.0.0.1:5071", "CSeq: 50 REGISTER")
		e := f.extension("101")
		m := moved.Expect("INVITE")
		moved.Respond(m, 486)
		moved.Expect("ACK")
		e.expect("HungUp 17")
		p.Silent(time.Second)
	})
}

// A phone without NAT is called where its Contact says, though it sends from
// another port.
func TestContactWithoutNAT(t *testing.T) {
	play(t, nil, func(f *fixture) {
		sends, listens := f.phone("101", 5071), f.phone("101", 5072)
		sends.Register("Contact: <sip:101@127.0.0.1:5072>")
		e := f.extension("101")
		m := listens.Expect("INVITE")
		listens.Respond(m, 486)
		listens.Expect("ACK")
		e.expect("HungUp 17")
	})
}
