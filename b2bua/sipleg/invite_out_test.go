package sipleg

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/siptest"
	"crosspoint/media/g711"
)

func TestCallAPhone(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		p.Register()
		e := f.extension("102")
		invite := p.Expect("INVITE")
		for _, h := range [][2]string{
			{"From", `"Carol" <sip:103@127.0.0.1>`}, {"To", "<sip:102@127.0.0.1>"}, {"Max-Forwards", "70"}, {"Contact", "<sip:103@127.0.0.1:5060>"},
			{"Supported", "100rel"}, {"Allow", "UPDATE"}, {"Session-Expires", "1800"}, {"Content-Type", "application/sdp"}, {"Via", ";rport"},
		} {
			if !invite.Has(h[0], h[1]) {
				t.Errorf("no %s with %q in\n%s", h[0], h[1], invite.Text)
			}
		}
		if invite.URI != "sip:102@127.0.0.1:5072" {
			t.Errorf("Request-URI %s", invite.URI)
		}
		d := p.Incoming(invite)
		d.Respond(invite, 100)
		e.expect("Trying")
		d.Respond(invite, 180)
		d.Respond(invite, 180, "X-Again: 1")
		e.expect("Ringing")
		time.Sleep(3 * time.Second)
		d.Respond(invite, 200, sdpAt(4002))
		ack := p.Expect("ACK")
		if seq, _ := ack.CSeq(); seq != 1 || ack.URI != "sip:102@127.0.0.1:5072" {
			t.Error(ack.Text)
		}
		e.expect("Answered")
		if e.Party().Number != "102" || e.Name() != "102" {
			t.Errorf("party %v, name %s", e.Party(), e.Name())
		}
		e.Hangup(leg.NormalClearing)
		d.Respond(p.Expect("BYE"), 200)
		e.expect("HungUp 16")
		e.passed(`
			b2bua -> 102 INVITE
			102 -> b2bua 100
			102 -> b2bua 180
			102 -> b2bua 200
			b2bua -> 102 ACK
			b2bua -> 102 BYE
			102 -> b2bua 200`)
	})
}

// extension calls a phone of ours that has one place.
func (f *fixture) extension(number string, change ...func(*leg.Outgoing)) *end {
	f.t.Helper()
	e := &end{f: f, ladder: new(leg.Ladder)}
	o := leg.Outgoing{Call: "c1", From: leg.Party{Number: "103", Name: "Carol"}, To: leg.Party{Number: number}, Sink: e, Ladder: e.ladder}
	for _, c := range change {
		c(&o)
	}
	legs, err := f.agent.DialExtension(number, o)
	if err != nil || len(legs) != 1 {
		f.t.Fatalf("dialling %s: %d legs, %v", number, len(legs), err)
	}
	e.Leg = legs[0]
	return e
}

func TestNotRegistered(t *testing.T) {
	play(t, nil, func(f *fixture) {
		_, err := f.agent.DialExtension("102", leg.Outgoing{})
		if c, ok := err.(leg.Cause); !ok || c.Q850 != 20 || c.Hint == "" {
			t.Errorf("%v", err)
		}
		if _, err := f.agent.DialURI("not an address", leg.Outgoing{}); err == nil {
			t.Error("dialled what is no address")
		}
		if _, err := f.agent.DialURI("sip:101@127.0.0.1:5060", leg.Outgoing{}); err == nil {
			t.Error("dialled ourselves")
		}
		if l, err := f.agent.DialPeer("nobody", "1", leg.Outgoing{}); err == nil || l != nil {
			t.Error("dialled a peer that does not exist")
		}
	})
}

// Every failure of the callee keeps its meaning.
func TestCalleeRefuses(t *testing.T) {
	for _, c := range []struct {
		status int
		extra  []string
		q850   int
		text   string
	}{
		{486, nil, 17, "user busy"},
		{600, nil, 17, "user busy"},
		{480, nil, 18, "no user responding"},
		{404, nil, 1, "no such number"},
		{403, nil, 21, "Because"}, // a phrase of the callee's own,
		{603, nil, 21, "call rejected"},
		{488, nil, 65, "no codec in common"},
		{503, []string{"Retry-After: 9 (soon)"}, 41, "temporary failure"},
		{500, []string{`Reason: SIP;cause=1, Q.850;cause=34;text="all trunks busy"`, `Reason: Q.850;cause=34;text="all trunks busy"`}, 34, "all trunks busy"},
		{305, []string{"Contact: <sip:104@127.0.0.1>"}, 23, "moved to sip:104@127.0.0.1"},
	} {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.phone("102", 5072)
				e := f.dial("sip:102@127.0.0.1:5072")
				invite := p.Expect("INVITE")
				d := p.Incoming(invite)
				d.Respond(invite, 180)
				refusal := d.Respond(invite, c.status, c.extra...)
				ack := p.Expect("ACK")
				if ack.Get("Via") != invite.Get("Via") || ack.URI != invite.URI || ack.Param("To", "tag") != d.LocalTag {
					t.Errorf("ACK does not fit:\n%s", ack.Text)
				}
				e.expect("Trying", "Ringing", fmt.Sprintf("HungUp %d", c.q850))
				why := e.cause()
				if why.Text != c.text || why.Status != c.status || why.By != "127.0.0.1" || c.status == 503 && why.RetryAfter != 9*time.Second {
					t.Errorf("cause %+v", why)
				}
				p.Send(refusal.Text) // repeated, to the tombstone
				p.ExpectRepeat(ack, time.Second)
				e.passed(strings.ReplaceAll(`
					b2bua -> 127.0.0.1 INVITE
					127.0.0.1 -> b2bua 180
					127.0.0.1 -> b2bua STATUS
					b2bua -> 127.0.0.1 ACK`, "STATUS", fmt.Sprint(c.status)))
			})
		})
	}
}

func TestCalleeSilent(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072")
		// Timer A: 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5; timer B at 32 s.
		if n := total(p.Repeats(33 * time.Second)); n != 7 {
			t.Errorf("%d INVITEs", n)
		}
		e.expect("HungUp 18")
	})
}

// 180 and 200 back to back arrive in order.
func TestRingingBeforeAnswer(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		for range 20 {
			e := f.dial("sip:102@127.0.0.1:5072")
			invite := p.Expect("INVITE")
			d := p.Incoming(invite)
			d.Respond(invite, 180)
			d.Respond(invite, 200, sdpAt(4000))
			d.Request("BYE")
			p.Expect("ACK")
			p.Expect("200 BYE")
			e.expect("Trying", "Ringing", "Answered", "HungUp 16")
		}
	})
}

// The answer makes no sense: acknowledged, then ended.
func TestAnswerWithoutUse(t *testing.T) {
	for name, extra := range map[string][]string{
		"no description": nil,
		"refused stream": {sdpAt(0)},
		"no codec":       {strings.Replace(sdpAt(4000), "RTP/AVP 0 8 101", "RTP/AVP 9", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.phone("102", 5072)
				e := f.dial("sip:102@127.0.0.1:5072")
				invite := p.Expect("INVITE")
				d := p.Incoming(invite)
				d.Respond(invite, 200, extra...)
				p.Expect("ACK")
				d.Respond(p.Expect("BYE"), 200)
				e.expect("HungUp 65")
			})
		})
	}
}

func TestEarlyMediaFromCallee(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072")
		invite := p.Expect("INVITE")
		d := p.Incoming(invite)
		d.Respond(invite, 183)
		e.expect("Trying")
		d.Respond(invite, 183, sdpAt(4000))
		e.expect("EarlyMedia")
		d.Respond(invite, 200, sdpAt(4000))
		p.Expect("ACK")
		e.expect("Answered")
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// Names: resolved, tried one after the other, or not found.
func TestHostNames(t *testing.T) {
	resolve := func(c *Config) {
		c.Resolve = func(_ context.Context, host string, port int, transport string) ([]Destination, error) {
			if host != "carrier.example" {
				return nil, errors.New("no such host")
			}
			return []Destination{
				{wire.UDP, netip.MustParseAddrPort("127.0.0.1:5091")},
				{wire.UDP, netip.MustParseAddrPort("127.0.0.1:5092")},
			}, nil
		}
	}
	play(t, resolve, func(f *fixture) {
		one, two := f.phone("1", 5091), f.phone("2", 5092)
		e := f.dial("sip:5551234@carrier.example")
		m := one.Expect("INVITE")
		one.Respond(m, 503)
		one.Expect("ACK")
		m = two.Expect("INVITE")
		d := two.Incoming(m)
		d.Respond(m, 200, "Contact: <sip:gw@carrier.example>", sdpAt(4000))
		two.Expect("ACK")
		e.expect("Answered")
		e.Hangup(leg.NormalClearing)
		d.Respond(two.Expect("BYE"), 200)
		e.expect("HungUp 16")

		gone := f.dial("sip:x@nowhere.example")
		gone.expect("HungUp 38")
		late := f.dial("sip:5551234@carrier.example")
		one.Expect("INVITE")
		one.Close()
		time.Sleep(33 * time.Second) // timer B, then the next address
		m = two.Expect("INVITE")
		two.Respond(m, 486)
		two.Expect("ACK")
		late.expect("HungUp 17")
	})
}

// The callee wants a longer session interval.
func TestSessionIntervalTooSmall(t *testing.T) {
	play(t, func(c *Config) { c.SessionExpires = 120 * time.Second }, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072")
		m := p.Expect("INVITE")
		p.Respond(m, 422, "Min-SE: 600")
		p.Expect("ACK")
		m = p.Expect("INVITE")
		if m.Get("Session-Expires") != "600" || m.Get("Min-SE") != "600" {
			t.Error(m.Text)
		}
		p.Respond(m, 486)
		p.Expect("ACK")
		e.expect("HungUp 17")
	})
}

// What call control says about the call stands in the INVITE.
func TestInviteTells(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072", func(o *leg.Outgoing) {
			o.From = leg.Party{Number: `10"1`, Name: "A\"l\r\nice"}
			o.To = leg.Party{Number: "200", Host: "there.example:5070"}
			o.Hops = 12
			o.Law = g711.ALaw
			o.ReferredBy, o.Replaces = "<sip:103@127.0.0.1>", "abc;to-tag=1;from-tag=2"
			o.Diversions = []leg.Diversion{{By: leg.Party{Number: "200", Name: "Sales"}, Reason: "user-busy"}, {By: leg.Party{Number: "201", Withheld: true}, Reason: "no-answer"}}
		})
		m := p.Expect("INVITE")
		for _, h := range [][2]string{
			{"From", `"Alice" <sip:10%221@127.0.0.1>`}, {"To", "<sip:200@there.example:5070>"}, {"Max-Forwards", "12"}, {"Referred-By", "<sip:103@127.0.0.1>"},
			{"Replaces", "abc;to-tag=1;from-tag=2"}, {"Diversion", `"Sales" <sip:200@127.0.0.1>;reason=user-busy`}, {"Diversion", "<sip:201@127.0.0.1>;reason=no-answer;privacy=full"},
		} {
			if !m.Has(h[0], h[1]) {
				t.Errorf("no %s with %q in\n%s", h[0], h[1], m.Text)
			}
		}
		if !strings.Contains(m.Body, "RTP/AVP 8 0 101") {
			t.Errorf("A-law is not preferred:\n%s", m.Body)
		}
		p.Respond(m, 486)
		p.Expect("ACK")
		e.expect("HungUp 17")
	})
}

// The callee's TCP connection can't be opened.
func TestConnectionRefused(t *testing.T) {
	play(t, nil, func(f *fixture) {
		e := f.dial("sip:102@127.0.0.1:5999;transport=tcp")
		time.Sleep(5 * time.Second)
		e.expect("HungUp 38")
	})
}

// A phone with a TCP connection is called on it; the connection breaks.
func TestConnectionBreaks(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := siptest.NewTCPPeer(f.t, f.net, "102", "127.0.0.1:43210", siptest.Exchange)
		p.Password = "secret-102"
		p.Register()
		e := f.extension("102")
		m := p.Expect("INVITE")
		if !strings.Contains(m.Get("Via"), "SIP/2.0/TCP") {
			t.Error(m.Get("Via"))
		}
		p.Close()
		time.Sleep(time.Second)
		e.expect("HungUp 38")
		if f.reg.Count() != 0 {
			t.Error("the phone is still registered on a connection that is no more")
		}
	})
}

// The phone's connection has ended in the middle of a call, and it has
// registered anew: the BYE goes there.
func TestConnectionRenewed(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := siptest.NewTCPPeer(f.t, f.net, "102", "127.0.0.1:43210", siptest.Exchange)
		p.Password = "secret-102"
		p.Host = "192.168.1.20:5060"
		p.Register()
		e := f.extension("102")
		m := p.Expect("INVITE")
		d := p.Incoming(m)
		d.Respond(m, 200, sdpAt(4000))
		p.Expect("ACK")
		p.Close()
		time.Sleep(time.Second)
		e.expect("Answered")
		again := siptest.NewTCPPeer(f.t, f.net, "102", "127.0.0.1:43211", siptest.Exchange)
		again.Password, again.Host = "secret-102", p.Host
		again.Register()
		e.Hangup(leg.NormalClearing)
		again.Respond(again.Expect("BYE"), 200)
		e.expect("HungUp 16")
	})
}

// A callee that answers on hold.
func TestAnsweredOnHold(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072")
		m := p.Expect("INVITE")
		d := p.Incoming(m)
		d.Respond(m, 200, sdpAt(4000, "a=sendonly"))
		p.Expect("ACK")
		e.expect("Answered", "Held")
		d.Request("BYE")
		p.Expect("200 BYE")
		in := f.trunk().Dial("101")
		in.Request("INVITE", sdpAt(4000, "a=inactive"))
		e = f.incoming()
		e.Answer()
		in.Ack(in.Peer.Expect("200 INVITE"))
		e.expect("Held")
		in.Request("BYE")
		in.Peer.Expect("200 BYE")
	})
}
