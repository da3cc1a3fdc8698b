package sipleg

import (
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/memnet"
	"net/netip"
)

// Requests in a call follow the route set of the dialog: all of it as Route
// towards loose routers, the first in the Request-URI towards a strict one.
func TestRouteSets(t *testing.T) {
	for _, c := range []struct {
		name    string
		records []string // as the proxies wrote them, the nearest to us first
		uri     string
		routes  []string
	}{
		{"loose", []string{"<sip:127.0.0.1:5090;lr>", "<sip:far.example;lr>"}, "sip:joe@10.0.0.7:5066", []string{"<sip:127.0.0.1:5090;lr>", "<sip:far.example;lr>"}},
		{"strict", []string{"<sip:127.0.0.1:5090>", "<sip:far.example;lr>"}, "sip:127.0.0.1:5090", []string{"<sip:far.example;lr>", "<sip:joe@10.0.0.7:5066>"}},
	} {
		t.Run(c.name+", incoming", func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				caller, proxy := f.trunk(), f.phone("proxy", 5090)
				d := caller.Dial("101")
				extra := []string{"Contact: <sip:joe@10.0.0.7:5066>", sdpAt(4000)}
				for _, r := range c.records {
					extra = append(extra, "Record-Route: "+r)
				}
				d.Request("INVITE", extra...)
				e := f.incoming()
				e.Answer()
				ok := caller.Expect("200 INVITE")
				if strings.Join(ok.All("Record-Route"), "|") != strings.Join(c.records, "|") {
					t.Error(ok.Text)
				}
				d.Ack(ok)
				e.Hangup(leg.NormalClearing)
				bye := proxy.Expect("BYE")
				if bye.URI != c.uri || strings.Join(bye.All("Route"), "|") != strings.Join(c.routes, "|") {
					t.Errorf("want %s by %v:\n%s", c.uri, c.routes, bye.Text)
				}
				proxy.Respond(bye, 200)
				e.expect("HungUp 16")
			})
		})
		t.Run(c.name+", outgoing", func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				callee, proxy := f.phone("102", 5072), f.phone("proxy", 5090)
				e := f.dial("sip:102@127.0.0.1:5072")
				invite := callee.Expect("INVITE")
				d := callee.Incoming(invite)
				extra := []string{"Contact: <sip:joe@10.0.0.7:5066>", sdpAt(4000)}
				for i := range c.records { // seen from the caller the last one is the nearest
					extra = append(extra, "Record-Route: "+c.records[len(c.records)-1-i])
				}
				d.Respond(invite, 200, extra...)
				ack := proxy.Expect("ACK")
				if ack.URI != c.uri || strings.Join(ack.All("Route"), "|") != strings.Join(c.routes, "|") {
					t.Errorf("want %s by %v:\n%s", c.uri, c.routes, ack.Text)
				}
				d.Request("BYE")
				callee.Expect("200 BYE")
				e.expect("Answered", "HungUp 16")
			})
		})
	}
}

// A re-INVITE moves the remote target (RFC 3261 §12.2): our requests follow.
func TestTargetRefresh(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p, moved := f.trunk(), f.phone("moved", 5079)
		d, e := f.talking(p)
		d.Request("INVITE", "Contact: <sip:joe@127.0.0.1:5079>", sdpAt(4000))
		d.Ack(p.Expect("200 INVITE"))
		e.Hangup(leg.NormalClearing)
		bye := moved.Expect("BYE")
		if bye.URI != "sip:joe@127.0.0.1:5079" {
			t.Error(bye.URI)
		}
		moved.Respond(bye, 200)
		e.expect("HungUp 16")
	})
}

// behind puts a phone behind a NAT: we see it at another address and port, and
// what we send there reaches it.
func behind(n *memnet.Network, inside, outside string) {
	in, out := netip.MustParseAddrPort(inside), netip.MustParseAddrPort(outside)
	n.Fate = func(from, to netip.AddrPort, _ []byte) memnet.Fate {
		fate := memnet.Fate{}
		if from == in {
			fate.From = out
		}
		if to == out {
			fate.To = in
		}
		return fate
	}
}

// A phone behind NAT registers, is called where it registered from, and gets
// all requests of the call there; it calls, and the same is true.
func TestPhoneBehindNAT(t *testing.T) {
	play(t, nil, func(f *fixture) {
		behind(f.net, "127.0.0.1:5071", "203.0.113.7:31007")
		p := f.phone("101", 5071)
		p.Host = "192.168.1.20:5060"
		ok := p.Register()
		if ok.Param("Via", "received") != "203.0.113.7" || ok.Param("Via", "rport") != "31007" {
			t.Error(ok.Get("Via"))
		}
		e := f.extension("101")
		invite := p.Expect("INVITE")
		if invite.URI != "sip:101@192.168.1.20:5060" {
			t.Error(invite.URI)
		}
		d := p.Incoming(invite)
		d.Respond(invite, 200, sdpAt(4000))
		p.Expect("ACK")
		e.expect("Answered")
		e.Hold()
		d.Respond(p.Expect("INVITE"), 200, sdpAt(4000, "a=recvonly"))
		p.Expect("ACK")
		e.Hangup(leg.NormalClearing)
		d.Respond(p.Expect("BYE"), 200)
		e.expect("HungUp 16")

		d = p.Invite("102", sdpAt(4000))
		e = f.incoming()
		e.Answer()
		d.Ack(p.Expect("200 INVITE"))
		e.Hangup(leg.NormalClearing)
		d.Respond(p.Expect("BYE"), 200)
		e.expect("HungUp 16")
	})
}

// The NAT gives the phone another port in the middle of a call: its re-INVITE
// shows it, and our requests follow.
func TestNATMoves(t *testing.T) {
	play(t, nil, func(f *fixture) {
		behind(f.net, "127.0.0.1:5071", "203.0.113.7:31007")
		p := f.phone("101", 5071)
		p.Host = "192.168.1.20:5060"
		d := p.Invite("102", sdpAt(4000))
		e := f.incoming()
		e.Answer()
		d.Ack(p.Expect("200 INVITE"))
		time.Sleep(time.Second)
		behind(f.net, "127.0.0.1:5071", "203.0.113.7:31999")
		d.Request("INVITE", sdpAt(4000))
		d.Ack(p.Expect("200 INVITE"))
		e.Hangup(leg.NormalClearing)
		d.Respond(p.Expect("BYE"), 200)
		e.expect("HungUp 16")
	})
}
