package sipleg

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/siptest"
	"github.com/emiago/sipgo/sip"
)

const inside = "<urn:alert:source:internal>"

// ringingAs makes an order that says how the callee rings.
func ringingAs(info string) func(*leg.Outgoing) {
	return func(o *leg.Outgoing) { o.Ring = leg.Ring{Name: "inside", Info: info} }
}

// Our phones are told how to ring, and a peer that wants to know; others are not.
func TestWhoIsToldHowToRing(t *testing.T) {
	offices := func(c *Config) {
		c.Contacts = func(ext string) []Contact {
			if ext != "103" {
				return nil
			}
			return []Contact{{URI: "sip:103@there.com", Address: netip.MustParseAddrPort("127.0.0.1:5073")}}
		}
		c.Peers = append(c.Peers, Peer{Name: "branch", Host: "127.0.0.1:5090", AlertInfo: true}, Peer{Name: "other branch", Host: "127.0.0.1:5091", Trusted: true})
	}
	for _, c := range []struct {
		name string
		at   int // port of the callee
		dial func(f *fixture, change func(*leg.Outgoing)) *end
		info string
		want string
	}{
		{"registered phone", 5072, func(f *fixture, c func(*leg.Outgoing)) *end { return f.extension("102", c) }, inside, inside},
		{"phone with a fixed address", 5073, func(f *fixture, c func(*leg.Outgoing)) *end { return f.extension("103", c) }, inside, inside},
		{"as it is written", 5073, func(f *fixture, c func(*leg.Outgoing)) *end { return f.extension("103", c) },
			"<http://office.example/?a=1>;info=door, <urn:alert:source:internal>", "<http://office.example/?a=1>;info=door, <urn:alert:source:internal>"},
		{"no ring", 5072, func(f *fixture, c func(*leg.Outgoing)) *end { return f.extension("102", c) }, "", ""},
		{"two lines", 5072, func(f *fixture, c func(*leg.Outgoing)) *end { return f.extension("102", c) }, inside + "\r\nX-More: 1", ""},
		{"a line feed", 5072, func(f *fixture, c func(*leg.Outgoing)) *end { return f.extension("102", c) }, inside + "\nX-More: 1", ""},
		{"a control character", 5072, func(f *fixture, c func(*leg.Outgoing)) *end { return f.extension("102", c) }, "<urn:alert:\x1b>", ""},
		{"peer that wants it", 5090, func(f *fixture, c func(*leg.Outgoing)) *end { return f.peer("branch", "5551234", c) }, inside, inside},
		{"any other peer", 5091, func(f *fixture, c func(*leg.Outgoing)) *end { return f.peer("other branch", "5551234", c) }, inside, ""},
		{"address", 5072, func(f *fixture, c func(*leg.Outgoing)) *end { return f.dial("sip:102@127.0.0.1:5072", c) }, inside, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, offices, func(f *fixture) {
				p := f.phone("102", c.at)
				if c.at == 5072 {
					p.Register()
				}
				e := c.dial(f, ringingAs(c.info))
				m := p.Expect("INVITE")
				if m.Get("Alert-Info") != c.want || m.Has("X-More", "") {
					t.Errorf("Alert-Info %q, want %q:\n%s", m.Get("Alert-Info"), c.want, m.Text)
				}
				if logged := strings.Contains(f.log.String(), "not told how to ring"); logged != (c.want == "" && oneLine(c.info) != c.info) {
					t.Errorf("logged: %v", logged)
				}
				p.Respond(m, 486)
				p.Expect("ACK")
				e.expect("HungUp 17")
			})
		})
	}
}

// A call that says nothing of how to ring is, but for that header, the same as
// one that does.
func TestAlertInfoIsOneMoreHeader(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		p.Register()
		var ladders []string
		for _, info := range []string{"", inside} {
			e := f.extension("102", ringingAs(info), func(o *leg.Outgoing) { o.From.Withheld, o.ReferredBy = true, "<sip:101@127.0.0.1>" })
			m := p.Expect("INVITE")
			want := strings.Fields("Via Max-Forwards From To Call-ID CSeq Contact User-Agent Allow Supported Session-Expires Min-SE Privacy Referred-By Content-Type Content-Length")
			if info != "" {
				want = slices.Insert(want, slices.Index(want, "Referred-By"), "Alert-Info")
			}
			var got []string
			for _, l := range m.Lines {
				got = append(got, l.Name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("headers %v, want %v", got, want)
			}
			p.Respond(m, 486)
			p.Expect("ACK")
			e.expect("HungUp 17")
			ladders = append(ladders, strings.Join(fold(e.ladder.String()), "\n"))
		}
		if ladders[0] != ladders[1] || !strings.Contains(ladders[0], "b2bua -> 102 INVITE\n") {
			t.Errorf("ladders:\n%s\nand\n%s", ladders[0], ladders[1])
		}
	})
}

// Each INVITE that may make a telephone ring says how: to all places of a phone,
// with credentials, with a longer session interval. A re-INVITE makes none ring.
func TestEachInviteTellsHowToRing(t *testing.T) {
	play(t, func(c *Config) { c.Peers[0].AlertInfo = true }, func(f *fixture) {
		desk, mobile := f.phone("102", 5072), f.phone("102", 5073)
		desk.Register()
		mobile.Register("Call-ID: another")
		e := &end{f: f, ladder: new(leg.Ladder)}
		legs, err := f.agent.DialExtension("102", leg.Outgoing{Sink: e, Ladder: e.ladder, Ring: leg.Ring{Name: leg.RingInside, Info: inside}})
		if err != nil || len(legs) != 2 {
			t.Fatal(legs, err)
		}
		tells := func(m *siptest.Message, want string) *siptest.Message {
			t.Helper()
			if got := strings.Join(m.All("Alert-Info"), " and "); got != want {
				t.Errorf("Alert-Info %q, want %q:\n%s", got, want, m.Text)
			}
			return m
		}
		for _, p := range []*siptest.Peer{desk, mobile} {
			m := tells(p.Expect("INVITE"), inside)
			p.Respond(m, 422, "Min-SE: 2000")
			p.Expect("ACK")
			p.Respond(tells(p.Expect("INVITE"), inside), 486)
			p.Expect("ACK")
		}
		e.expect("HungUp 17", "HungUp 17")

		trunk := siptest.NewPeer(f.t, f.net, "trunk", "127.0.0.1:5080")
		e = f.peer("trunk", "5551234", ringingAs(inside))
		trunk.Respond(tells(trunk.Expect("INVITE"), inside), 407, `Proxy-Authenticate: Digest realm="itsp", nonce="abc", algorithm=MD5, qop="auth"`)
		trunk.Expect("ACK")
		m := tells(trunk.Expect("INVITE"), inside)
		d := trunk.Incoming(m)
		d.Respond(m, 200, sdpAt(4000))
		tells(trunk.Expect("ACK"), "")
		e.Hold()
		again := tells(trunk.Expect("INVITE"), "")
		d.Respond(again, 200, sdpAt(4000, "a=recvonly"))
		trunk.Expect("ACK")
		e.Hangup(leg.NormalClearing)
		d.Respond(tells(trunk.Expect("BYE"), ""), 200)
	})
}

// Who may say how telephones ring: our phones, and peers of whom the file says so.
func TestWhoAsksToRing(t *testing.T) {
	office := func(c *Config) {
		c.Strangers = true
		c.Emergency = func(_, dialed string) bool { return dialed == "911" }
		c.Peers = append(c.Peers, Peer{Name: "branch", Addresses: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}, AlertInfo: true})
	}
	play(t, office, func(f *fixture) {
		phone := f.phone("101", 5071)
		phone.Register()
		helpless := f.phone("102", 5072)
		helpless.Register()
		branch := siptest.NewPeer(f.t, f.net, "5551234", "10.9.0.1:5060")
		stranger := siptest.NewPeer(f.t, f.net, "mallory", "127.0.0.1:5099")
		stranger.Domain = "elsewhere.example"
		invited := func(p *siptest.Peer, to string) *siptest.Dialog {
			d := p.Dial(to)
			d.Request("INVITE", "Alert-Info: "+inside, sdpAt(4000))
			return d
		}
		for _, c := range []struct {
			name string
			call func() (*siptest.Peer, *siptest.Dialog)
			from leg.SourceKind
			want string
		}{
			{"phone", func() (*siptest.Peer, *siptest.Dialog) {
				return phone, phone.Invite("102", "Alert-Info: "+inside, sdpAt(4000))
			}, leg.Phone, inside},
			{"phone without credentials calls for help", func() (*siptest.Peer, *siptest.Dialog) {
				return helpless, invited(helpless, "911")
			}, leg.Phone, ""},
			{"peer that may", func() (*siptest.Peer, *siptest.Dialog) { return branch, invited(branch, "102") }, leg.Peer, inside},
			{"any other peer", func() (*siptest.Peer, *siptest.Dialog) { p := f.trunk(); return p, invited(p, "102") }, leg.Peer, ""},
			{"stranger", func() (*siptest.Peer, *siptest.Dialog) { return stranger, invited(stranger, "sip:102@127.0.0.1") }, leg.Stranger, ""},
		} {
			p, d := c.call()
			e := f.incoming()
			if e.in.Source.Kind != c.from || e.in.AlertInfo != c.want {
				t.Errorf("%s: a call from a %v that asks for %q, want %v and %q", c.name, e.in.Source.Kind, e.in.AlertInfo, c.from, c.want)
			}
			e.Hangup(leg.Busy)
			d.Ack(p.Expect("486"))
		}
		for line := range strings.Lines(f.log.String()) {
			if strings.Contains(line, "urn:alert") && !strings.Contains(line, "level=DEBUG") {
				t.Errorf("who may not ask is heard of: %s", line)
			}
		}
	})
}

// What the headers of an INVITE ask for, in all the ways that it is written.
func TestAlertInfo(t *testing.T) {
	long := "<http://office.example/" + strings.Repeat("x", 300) + ">"
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{inside}, inside},
		{[]string{"<urn:alert:source:internal>,<urn:alert:priority:high>"}, "<urn:alert:source:internal>, <urn:alert:priority:high>"},
		{[]string{inside, "<http://a.example/b,c> ; info=\"door, bell\"", ""}, inside + `, <http://a.example/b,c> ; info="door, bell"`},
		{[]string{"<Bellcore-dr2>"}, "<Bellcore-dr2>"},
		{[]string{"Bellcore-dr2"}, "Bellcore-dr2"},
		{[]string{"info=alert-internal"}, "info=alert-internal"},
		{[]string{"<http://127.0.0.1/Bellcore-dr2>;\tx=1"}, "<http://127.0.0.1/Bellcore-dr2>; x=1"},
		{[]string{" , ,", inside + ", ,"}, inside},
		{[]string{"<urn:alert:\x1b[2J>", inside, "<\xff>", "<\u202e>", "<\u0085>"}, inside},
		{[]string{`"<never, closed`, inside}, `"<never, closed, ` + inside},
		{[]string{"<never closed, " + inside}, "<never closed, " + inside},
		{[]string{long, long, inside}, long + ", " + inside},
		{[]string{long + long, inside}, inside},
	} {
		req := sip.NewRequest(sip.INVITE, sip.Uri{})
		for _, l := range c.lines {
			req.AppendHeader(sip.NewHeader("Alert-Info", l))
		}
		if got := alertInfo(req); got != c.want {
			t.Errorf("%q: %q, want %q", c.lines, got, c.want)
		}
	}
}

func FuzzAlertInfo(f *testing.F) {
	f.Add(inside, "<Bellcore-dr2>;x=\"a, b\"")
	f.Add("Bellcore-dr2,,", "\"<\\\"")
	f.Add("<", "\xff>, \x00")
	f.Fuzz(func(t *testing.T, first, second string) {
		req := sip.NewRequest(sip.INVITE, sip.Uri{})
		req.AppendHeader(sip.NewHeader("Alert-Info", first))
		req.AppendHeader(sip.NewHeader("Alert-Info", second))
		info := alertInfo(req)
		if len(info) > maxAlertInfo || !utf8.ValidString(info) || strings.ContainsFunc(info, unicode.IsControl) || oneLine(info) != info {
			t.Errorf("%q", info)
		}
	})
}

// A callee may say what the caller is to hear while it rings (RFC 3261 §20.4).
// The caller hears what call control lets it hear.
func TestRingbackIsNotTheCallees(t *testing.T) {
	play(t, nil, func(f *fixture) {
		caller, callee := f.trunk(), f.phone("102", 5072)
		d := caller.Dial("102")
		d.Request("INVITE", sdpAt(4000))
		in := f.incoming()
		out := f.dial("sip:102@127.0.0.1:5072")
		m := callee.Expect("INVITE")
		to := callee.Incoming(m)
		to.Respond(m, 180, "Alert-Info: <http://ring.example/back.wav>", "Alert-Info: Bellcore-dr3, \"<")
		out.expect("Trying", "Ringing")
		in.Ringing()
		if res := caller.Expect("180"); res.Has("Alert-Info", "") {
			t.Error(res.Text)
		}
		to.Respond(m, 200, "Alert-Info: <http://ring.example/back.wav>", sdpAt(4002))
		callee.Expect("ACK")
		out.expect("Answered")
		in.Answer()
		ok := caller.Expect("200 INVITE")
		if ok.Has("Alert-Info", "") {
			t.Error(ok.Text)
		}
		d.Ack(ok)
		out.Hangup(leg.NormalClearing)
		to.Respond(callee.Expect("BYE"), 200)
		in.Hangup(leg.NormalClearing)
		d.Respond(caller.Expect("BYE"), 200)
	})
}
