package sipleg

import (
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/siptest"
)

// A trunk challenges; INVITE and BYE are sent again with credentials.
func TestTrunkChallenges(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := siptest.NewPeer(f.t, f.net, "trunk", "127.0.0.1:5080")
		e := &end{f: f, ladder: new(leg.Ladder)}
		l, err := f.agent.DialPeer("trunk", "5551234", leg.Outgoing{From: leg.Party{Number: "103", Withheld: true}, Sink: e, Ladder: e.ladder})
		if err != nil {
			t.Fatal(err)
		}
		e.Leg = l
		first := p.Expect("INVITE")
		if !strings.Contains(first.Get("From"), "anonymous@anonymous.invalid") || first.Get("Privacy") != "id" || !first.Has("P-Asserted-Identity", "sip:103@127.0.0.1") {
			t.Error(first.Text)
		}
		d := p.Incoming(first)
		challenge := `Digest realm="itsp", nonce="abc", algorithm=MD5, qop="auth"`
		d.Respond(first, 407, "Proxy-Authenticate: "+challenge)
		p.Expect("ACK")
		second := p.Expect("INVITE")
		n, _ := second.CSeq()
		a := siptest.DigestParams(second.Get("Proxy-Authorization"))
		if n != 2 || second.Get("Call-ID") != first.Get("Call-ID") || second.Param("Via", "branch") == first.Param("Via", "branch") || a["username"] != "office" || a["nonce"] != "abc" || a["uri"] != second.URI {
			t.Error(second.Text)
		}
		d = p.Incoming(second)
		d.Respond(second, 200, sdpAt(4000))
		ack := p.Expect("ACK")
		if n, _ := ack.CSeq(); n != 2 || ack.Get("Proxy-Authorization") == "" {
			t.Error(ack.Text)
		}
		e.Hangup(leg.NormalClearing)
		bye := p.Expect("BYE")
		d.Respond(bye, 401, "WWW-Authenticate: "+challenge)
		again := p.Expect("BYE")
		if n, _ := again.CSeq(); n != 4 || again.Get("Authorization") == "" {
			t.Error(again.Text)
		}
		d.Respond(again, 200)
		e.expect("Answered", "HungUp 16")
	})
}

// The trunk does not like our credentials.
func TestTrunkRefusesCredentials(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := siptest.NewPeer(f.t, f.net, "trunk", "127.0.0.1:5080")
		e := &end{f: f, ladder: new(leg.Ladder)}
		e.Leg, _ = f.agent.DialPeer("trunk", "5551234", leg.Outgoing{Sink: e, Ladder: e.ladder})
		for range 2 {
			m := p.Expect("INVITE")
			p.Respond(m, 401, `WWW-Authenticate: Digest realm="itsp", nonce="abc", algorithm=MD5, qop="auth"`)
			p.Expect("ACK")
		}
		p.Quiet(time.Second)
		e.expect("HungUp 21")
		if !strings.Contains(f.log.String(), "user name or secret is wrong") {
			t.Error("the log does not say what to do")
		}
	})
}
