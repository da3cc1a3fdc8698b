package lab

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/siptest"
)

// emergencyText is an office with a single line to the town, in which 911 calls
// for help. 103 is told of it.
const emergencyText = `
country = "us"
area = "201"
[[phone]]
extension = "101"
name = "Alice"
secret = "lantern-101"
place = "reception"
[[phone]]
extension = "102"
name = "Bob"
secret = "lantern-102"
contacts = "sip:102@127.0.0.2:5072"
allow = ["internal", "local"]
[[phone]]
extension = "103"
name = "First aid"
secret = "lantern-103"
[[card]]
name = "card1"
port = "sim"
[[line]]
name = "fxo1"
card = "card1"
port = 1
kind = "fxo"
incoming = "103"
[[trunk]]
name = "pstn"
lines = ["fxo1"]
[[rule]]
name = "town"
dial = "9 nxx xxxx"
strip = 1
to = "pstn"
[emergency]
to = "pstn"
notify = "103"
place = "5 Mill Street"
`

// helped waits until the town has answered a call for help.
func helped(t *testing.T, l *Lab, d *siptest.Dialog) {
	t.Helper()
	d.Peer.Wait = 20 * time.Second
	for {
		m := d.Peer.Any()
		switch {
		case m == nil:
			t.Fatalf("nobody answers; the exchange has logged:\n%s", l.Log())
		case m.Status >= 300:
			t.Fatalf("the call for help got %d %s", m.Status, m.Text)
		case m.Status >= 200:
			d.Ack(m)
			return
		}
	}
}

// end hangs a call up.
func end(d *siptest.Dialog) {
	d.Request("BYE")
	d.Peer.Expect("200")
}

// told takes the announcement at 103, and declines to talk.
func told(t *testing.T, p *siptest.Peer, what string) {
	t.Helper()
	m := p.Expect("INVITE")
	if from := m.Get("From"); !strings.Contains(from, what) {
		t.Errorf("103 is shown %s, not %s", from, what)
	}
	d := p.Incoming(m)
	d.Respond(m, 486)
	p.Expect("ACK")
}

// offer is a session description that serves for a test that hears nothing.
var offer = siptest.SDP("127.0.0.1", 4000)

// TestEmergencyFromEveryPhone: with the prefix for an outside line and without
// it, with no permission for any call outside; somebody is told, and from where.
func TestEmergencyFromEveryPhone(t *testing.T) {
	for _, c := range []struct{ from, dialed, told string }{
		{"101", "911", "EMERGENCY 911: reception"},
		{"101", "9911", "EMERGENCY 9911: reception"},
		{"102", "911", "EMERGENCY 911: 5 Mill Street"},
	} {
		t.Run(c.from+" "+c.dialed, func(t *testing.T) {
			Play(t, Config{Text: emergencyText}, func(l *Lab) {
				aid := l.Phone("103", "5103")
				phone := l.Phone(c.from, "5101")
				d := phone.Dial(c.dialed)
				d.Request("INVITE", offer)
				told(t, aid, c.told)
				helped(t, l, d)
				end(d)
				if r := l.Last(); !r.Route.Emergency || r.Answerer != "fxo1" {
					t.Errorf("the record says %+v, answered by %s", r.Route, r.Answerer)
				}
				if log := l.Log(); !strings.Contains(log, "EMERGENCY CALL") {
					t.Error("the log does not tell of it")
				}
			})
		})
	}
}

// TestEmergencyWithoutCredentials: a phone that is known by its address calls
// for help though it has no password, or a wrong one; it calls nothing else so,
// and nobody else does.
func TestEmergencyWithoutCredentials(t *testing.T) {
	Play(t, Config{Text: emergencyText}, func(l *Lab) {
		aid := l.Phone("103", "5103")
		fixed, registered := l.Phone("102"), l.Phone("101", "5101")
		for _, phone := range []*siptest.Peer{registered, fixed} {
			d := phone.Dial("911")
			d.Request("INVITE", offer)
			told(t, aid, "EMERGENCY 911")
			helped(t, l, d)
			end(d)
			if r := l.Last(); r.Source != (leg.Source{Kind: leg.Phone, Name: phone.User}) {
				t.Errorf("the record says that it came from %+v", r.Source)
			}
			time.Sleep(5 * time.Second) // the line rests
			refusedToCall(t, phone, "95551234")
		}

		// It has another name now, but is registered from that very port.
		registered.User = "unknown"
		d := registered.Dial("9911")
		d.Request("INVITE", offer)
		told(t, aid, "EMERGENCY 9911: reception")
		helped(t, l, d)
		end(d)
		time.Sleep(5 * time.Second)
		registered.User, registered.Password = "101", "forgotten"
		d = registered.Dial("911")
		d.Request("INVITE", offer, `Proxy-Authorization: Digest username="101", realm="", nonce="x", uri="sip:911@127.0.0.1", response="0123456789abcdef0123456789abcdef"`)
		told(t, aid, "EMERGENCY 911: reception")
		helped(t, l, d)
		end(d)

		refusedToCall(t, l.Peer("101", "127.0.0.9:5101"), "911") // claims to be 101, from elsewhere
		refusedToCall(t, l.Peer("mallory", "127.0.0.9:5102"), "911")
	})
}

// refusedToCall: without credentials it is challenged.
func refusedToCall(t *testing.T, p *siptest.Peer, number string) {
	t.Helper()
	d := p.Dial(number)
	d.Request("INVITE", offer)
	if m := p.Expect("407"); m != nil {
		d.Ack(m)
	}
}

// TestEmergencyEndsAnotherCall: no line is free; a call on one is ended.
func TestEmergencyEndsAnotherCall(t *testing.T) {
	Play(t, Config{Text: emergencyText}, func(l *Lab) {
		aid := l.Phone("103", "5103")
		alice, bob := l.Phone("101", "5101"), l.Phone("102")
		chat := bob.Invite("97773660", offer)
		helped(t, l, chat)
		synctest.Wait()
		help := alice.Dial("911")
		help.Request("INVITE", offer)
		bye := bob.Expect("BYE")
		if reason := bye.Get("Reason"); !strings.Contains(reason, "cause=8") {
			t.Errorf("Bob is told %q, not Q.850 cause 8", reason)
		}
		chat.Respond(bye, 200)
		told(t, aid, "EMERGENCY 911: reception")
		helped(t, l, help)
		end(help)
		for _, r := range l.Office.Exchange.Ended() {
			if r.Dialed == "97773660" && !strings.Contains(r.Why, "needed for an emergency call") {
				t.Errorf("the record of the call that was ended says %q", r.Why)
			}
		}
	})
}
