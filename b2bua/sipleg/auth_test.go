package sipleg

import (
	"fmt"
	"testing"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/siptest"
)

// Who the caller is, whatever its From says.
func TestIdentity(t *testing.T) {
	for _, c := range []struct {
		name   string
		from   string
		refuse bool
		status int // 0: comes in
		want   leg.Party
	}{
		{name: "own", from: `"Ally" <sip:101@127.0.0.1>`, want: leg.Party{Number: "101", Name: "Alice"}},
		{name: "another's, replaced", from: `"Boss" <sip:102@127.0.0.1>`, want: leg.Party{Number: "101", Name: "Alice"}},
		{name: "another's, refused", from: `"Boss" <sip:102@127.0.0.1>`, refuse: true, status: 403},
		{name: "own, strict", from: `<sip:101@127.0.0.1>`, refuse: true, want: leg.Party{Number: "101", Name: "Alice"}},
		{name: "anonymous", from: `"Anonymous" <sip:anonymous@anonymous.invalid>`, refuse: true, want: leg.Party{Number: "101", Name: "Alice", Withheld: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, func(cfg *Config) { cfg.RefuseForeignIdentity = c.refuse }, func(f *fixture) {
				p := f.phone("101", 5071)
				d := p.Dial("102")
				d.Local = c.from
				d.Request("INVITE", sdpAt(4000))
				m := p.Expect("407")
				d.Ack(m)
				d.Request("INVITE", p.Authorize(m, "INVITE", d.Target), sdpAt(4000))
				if c.status != 0 {
					d.Ack(p.Expect(fmt.Sprint(c.status)))
					f.nobody()
					return
				}
				e := f.incoming()
				if e.in.Caller != c.want || e.in.Source.Kind != leg.Phone {
					t.Errorf("caller %+v (%v), want %+v", e.in.Caller, e.in.Source, c.want)
				}
				e.Hangup(leg.Busy)
				d.Ack(p.Expect("486"))
			})
		})
	}
}

func TestWrongPassword(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("101", 5071)
		p.Password = "wrong"
		d := p.Invite("102", sdpAt(4000))
		d.Ack(p.Expect("407"))
		f.nobody()
	})
}

// Strangers are challenged like everybody, or let in as what they are; an
// address of ours is believed of nobody without credentials.
func TestStrangers(t *testing.T) {
	open := func(cfg *Config) { cfg.Strangers = true }
	for _, c := range []struct {
		name   string
		change func(*Config)
		from   string
		answer string
	}{
		{"closed", nil, "<sip:eve@elsewhere.example>", "407"},
		{"nobody can prove anything", func(cfg *Config) { cfg.Digest = nil }, "<sip:eve@elsewhere.example>", "403"},
		{"claims to be ours", open, "<sip:101@127.0.0.1>", "407"},
		{"claims to be ours, unknown user", open, "<sip:999@127.0.0.1>", "407"},
		{"open", open, `"Eve" <sip:eve@elsewhere.example>`, ""},
		{"open, and no phone has a secret", func(cfg *Config) { open(cfg); cfg.Digest = nil }, `"Eve" <sip:eve@elsewhere.example>`, ""},
		{"open, no phone has a secret, claims to be ours", func(cfg *Config) { open(cfg); cfg.Digest = nil }, "<sip:101@127.0.0.1>", "403"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, c.change, func(f *fixture) {
				p := siptest.NewPeer(f.t, f.net, "eve", "192.0.2.9:5060")
				d := p.Dial("101")
				d.Local = c.from
				d.Request("INVITE", sdpAt(4000))
				if c.answer != "" {
					d.Ack(p.Expect(c.answer))
					f.nobody()
					return
				}
				e := f.incoming()
				if e.in.Source != (leg.Source{}) || e.in.Caller != (leg.Party{Number: "eve", Name: "Eve", Host: "elsewhere.example"}) {
					t.Errorf("incoming: %+v", e.in)
				}
				e.Hangup(leg.Rejected)
				d.Ack(p.Expect("403"))
			})
		})
	}
}

func TestPeerByAddress(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("sip:7773660;phone-context=p1234@127.0.0.1;user=phone")
		d.Request("INVITE", sdpAt(4000), `P-Asserted-Identity: "Joe" <sip:+15551234@10.0.0.1>`, "Privacy: id", "Max-Forwards: 12",
			`Diversion: "B, the first" <sip:102@127.0.0.1>;reason=user-busy, <sip:103@x.example>;reason=no-answer`)
		e := f.incoming()
		if e.in.Source != (leg.Source{Kind: leg.Peer, Name: "trunk"}) || e.in.Dialed != "7773660;phone-context=p1234" || e.in.Hops != 12 {
			t.Errorf("incoming: %+v", e.in)
		}
		if want := (leg.Party{Number: "+15551234", Name: "Joe", Host: "10.0.0.1", Withheld: true}); e.in.Caller != want {
			t.Errorf("caller %+v, want %+v", e.in.Caller, want)
		}
		want := []leg.Diversion{{By: leg.Party{Number: "102", Name: "B, the first"}, Reason: "user-busy"}, {By: leg.Party{Number: "103", Host: "x.example"}, Reason: "no-answer"}}
		if fmt.Sprint(e.in.Diversions) != fmt.Sprint(want) {
			t.Errorf("diversions %+v, want %+v", e.in.Diversions, want)
		}
		e.Hangup(leg.Busy)
		d.Ack(p.Expect("486"))
	})
}
