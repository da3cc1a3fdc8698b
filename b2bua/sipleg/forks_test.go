package sipleg

import (
	"net/netip"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
)

// A proxy forks: two ring, both answer; the first has the call, the other is
// acknowledged and hung up on.
func TestForkedAnswers(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072")
		invite := p.Expect("INVITE")
		one, two := p.Incoming(invite), p.Incoming(invite)
		one.Respond(invite, 180)
		two.Respond(invite, 183, sdpAt(4002))
		e.expect("Trying", "Ringing", "EarlyMedia")
		one.Respond(invite, 200, sdpAt(4000))
		ack := p.Expect("ACK")
		second := two.Respond(invite, 200, sdpAt(4002))
		ack2, bye := p.Expect("ACK"), p.Expect("BYE")
		if ack.Param("To", "tag") != one.LocalTag || ack2.Param("To", "tag") != two.LocalTag || bye.Param("To", "tag") != two.LocalTag {
			t.Error("ACK and BYE went to the wrong fork")
		}
		two.Respond(bye, 200)
		p.Send(second.Text)
		p.ExpectRepeat(ack2, time.Second)
		e.expect("Answered")
		e.Hangup(leg.NormalClearing)
		one.Respond(p.Expect("BYE"), 200)
		e.expect("HungUp 16")

		// A third one wakes up when the call is over: the tombstone sees to it.
		three := p.Incoming(invite)
		three.Respond(invite, 200, sdpAt(4004))
		if ack := p.Expect("ACK"); ack.Param("To", "tag") != three.LocalTag {
			t.Error(ack.Text)
		}
		three.Respond(p.Expect("BYE"), 200)
	})
}

// The 200 is repeated because our ACK was lost.
func TestAckRepeated(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072")
		invite := p.Expect("INVITE")
		d := p.Incoming(invite)
		ok := d.Respond(invite, 200, sdpAt(4000))
		ack := p.Expect("ACK")
		p.Send(ok.Text)
		p.ExpectRepeat(ack, time.Second)
		d.Request("BYE")
		p.Expect("200 BYE")
		p.Send(ok.Text)
		p.ExpectRepeat(ack, time.Second)
		e.expect("Answered", "HungUp 16")
	})
}

// Each place of a phone is a leg of its own.
func TestPhoneAtTwoPlaces(t *testing.T) {
	fixed := func(c *Config) {
		c.Contacts = func(ext string) []Contact {
			if ext != "102" {
				return nil
			}
			return []Contact{{URI: "sip:UserB@there.com", Address: netip.MustParseAddrPort("127.0.0.1:5081")}}
		}
	}
	play(t, fixed, func(f *fixture) {
		desk, wired := f.phone("102", 5072), f.phone("102", 5081)
		desk.Register()
		e := &end{f: f, ladder: new(leg.Ladder)}
		legs, err := f.agent.DialExtension("102", leg.Outgoing{Sink: e, Ladder: e.ladder})
		if err != nil || len(legs) != 2 {
			t.Fatalf("%d legs, %v", len(legs), err)
		}
		a, b := desk.Expect("INVITE"), wired.Expect("INVITE")
		if b.URI != "sip:UserB@there.com" {
			t.Errorf("Request-URI %s", b.URI)
		}
		d := wired.Incoming(b)
		d.Respond(b, 200, "Contact: <sip:UserB@there.com>", sdpAt(4000))
		wired.Expect("ACK") // there.com means nothing: it goes where the phone is
		desk.Incoming(a).Respond(a, 486)
		desk.Expect("ACK")
		for _, l := range legs {
			l.Hangup(leg.NormalClearing)
		}
		d.Respond(wired.Expect("BYE"), 200)
	})
}
