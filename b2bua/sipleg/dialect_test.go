package sipleg

import (
	"strings"
	"testing"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/siptest"
)

// Who transferred is told to a phone of 1999 in Requested-By, to others in
// Referred-By (RFC 3892), to one that nobody has heard yet in both.
func TestWhoTransferred(t *testing.T) {
	for _, c := range []struct {
		name                string
		speaks              func(f *fixture, p *siptest.Peer) // before the call
		by                  string
		referred, requested string
	}{
		{"registered", func(_ *fixture, p *siptest.Peer) { p.Register() }, "<sip:101@here.com>", "<sip:101@here.com>", ""},
		{"registered, of 1999", func(_ *fixture, p *siptest.Peer) { p.Legacy = true; p.Register() }, "<sip:101@here.com>", "", "<sip:101@here.com>"},
		{"replaced by a newer phone", func(_ *fixture, p *siptest.Peer) {
			p.Legacy = true
			p.Register()
			p.Legacy = false
			p.Register()
		}, "<sip:101@here.com>", "<sip:101@here.com>", ""},
		{"called before, of 1999", func(f *fixture, p *siptest.Peer) {
			p.Legacy = true
			d := p.Invite("sip:101@there.com", sdpAt(4000))
			f.incoming().Hangup(leg.Busy)
			d.Ack(p.Expect("486"))
		}, "<sip:101@here.com>", "", "<sip:101@here.com>"},
		{"answered before, without a tag", func(f *fixture, p *siptest.Peer) {
			e := f.extension("102")
			m := p.Expect("INVITE")
			p.Respond(m, 200, "To: "+m.Get("To"), sdpAt(4000))
			p.Expect("ACK")
			e.Hangup(leg.NormalClearing)
			p.Respond(p.Expect("BYE"), 200)
		}, "<sip:101@here.com>", "", "<sip:101@here.com>"},
		{"never heard", func(*fixture, *siptest.Peer) {}, "<sip:101@here.com>", "<sip:101@here.com>", "<sip:101@here.com>"},
		{"never heard, by a telephone", func(*fixture, *siptest.Peer) {}, "103", "<sip:103@wcom.com>", "<sip:103@wcom.com>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, legacyOffice, func(f *fixture) {
				p := f.phone("102", 5072)
				p.Domain = "there.com"
				c.speaks(f, p)
				f.reg.Remove("102", "") // the fixed address alone
				e := f.extension("102", func(o *leg.Outgoing) { o.ReferredBy = c.by })
				m := p.Expect("INVITE")
				if m.Get("Referred-By") != c.referred || m.Get("Requested-By") != c.requested {
					t.Errorf("Referred-By %q, Requested-By %q; want %q, %q", m.Get("Referred-By"), m.Get("Requested-By"), c.referred, c.requested)
				}
				if legacy := c.referred == ""; legacy == strings.Contains(m.Get("Via"), "rport") {
					t.Errorf("legacy %v: Via: %s", legacy, m.Get("Via"))
				}
				p.Respond(m, 486)
				p.Expect("ACK")
				e.expect("HungUp 17")
			})
		})
	}
}

// Two phones of one extension, of either time: each is told what it can read.
func TestTwoPhonesOfOneExtension(t *testing.T) {
	play(t, nil, func(f *fixture) {
		old, modern := f.phone("102", 5072), f.phone("102", 5073)
		old.Legacy = true
		old.Register()
		modern.Register("Call-ID: another")
		legs, err := f.agent.DialExtension("102", leg.Outgoing{Sink: &end{f: f}, ReferredBy: "<sip:101@127.0.0.1>"})
		if err != nil || len(legs) != 2 {
			t.Fatal(legs, err)
		}
		for p, header := range map[*siptest.Peer]string{old: "Requested-By", modern: "Referred-By"} {
			m := p.Expect("INVITE")
			if m.Get(header) == "" || m.Get("Requested-By") != "" && m.Get("Referred-By") != "" {
				t.Errorf("want only %s:\n%s", header, m.Text)
			}
			p.Respond(m, 486)
			p.Expect("ACK")
		}
	})
}
