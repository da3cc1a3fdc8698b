package lab

import (
	"strings"
	"testing"
	"time"

	"crosspoint/internal/siptest"
)

// An office in which everything about forwarding can be tried: phones that
// register, a provider, and a phone of 1999.
const forwardingOffice = `
country = "us"
area = "201"
[sip]
listen = "udp:127.0.0.1:5060"
domains = "office.example"
[[phone]]
extension = "101"
secret = "secret-of-101"
allow = ["internal", "sip"]
[[phone]]
extension = "102"
secret = "secret-of-102"
[[phone]]
extension = "103"
secret = "secret-of-103"
[[phone]]
extension = "104"
contacts = "sip:104@127.0.0.1:5074"
secret = "secret-of-104"
`

// A phone answers 302: the caller hears the place to which it forwards, and
// that place is told by whom the call was forwarded.
func TestPhoneRedirectsOnTheWire(t *testing.T) {
	Play(t, Config{Text: forwardingOffice}, func(l *Lab) {
		alice, bob, carol := l.Phone("101", "5071"), l.Phone("102", "5072"), l.Phone("103", "5073")
		from := len(l.Wire.Rungs())
		d := alice.Invite("sip:102@office.example", siptest.SDP("127.0.0.1", 4000))
		m := bob.Expect("INVITE")
		bob.Respond(m, 302, "Contact: <sip:103@office.example>")
		bob.Expect("ACK")
		m = carol.Expect("INVITE")
		for header, want := range map[string]string{
			"To":           "<sip:102@office.example>",
			"Diversion":    "<sip:102@office.example>;reason=unconditional",
			"History-Info": "<sip:102@office.example>;index=1, <sip:103@office.example;cause=302>;index=1.1;mp=1, <sip:103@127.0.0.1:5073>;index=1.1.1;rc=1.1",
		} {
			if got := m.Get(header); got != want {
				t.Errorf("%s: %s, want %s", header, got, want)
			}
		}
		in := carol.Incoming(m)
		in.Respond(m, 180)
		alice.Expect("180")
		in.Respond(m, 200, siptest.SDP("127.0.0.1", 4004))
		carol.Expect("ACK")
		d.Ack(alice.Expect("200 INVITE"))
		d.Request("BYE")
		alice.Expect("200 BYE")
		in.Respond(carol.Expect("BYE"), 200)
		l.same(from, `
			101 -> b2bua INVITE
			b2bua -> 101 407
			101 -> b2bua ACK
			101 -> b2bua INVITE
			b2bua -> 102 INVITE
			102 -> b2bua 302
			b2bua -> 102 ACK
			b2bua -> 103 INVITE
			103 -> b2bua 180
			b2bua -> 101 100
			b2bua -> 101 180
			103 -> b2bua 200
			b2bua -> 103 ACK
			b2bua -> 101 200
			101 -> b2bua ACK
			101 -> b2bua BYE
			b2bua -> 101 200
			b2bua -> 103 BYE
			103 -> b2bua 200`)
	})
}

// Two phones, each forwarded to the other at the phone itself: the caller gets
// 482, and the log names both.
func TestPhonesForwardToEachOther(t *testing.T) {
	Play(t, Config{Text: forwardingOffice}, func(l *Lab) {
		alice, bob, carol := l.Phone("101", "5071"), l.Phone("102", "5072"), l.Phone("103", "5073")
		d := alice.Invite("sip:102@office.example", siptest.SDP("127.0.0.1", 4000))
		bob.Respond(bob.Expect("INVITE"), 302, "Contact: <sip:103@office.example>")
		bob.Expect("ACK")
		carol.Respond(carol.Expect("INVITE"), 302, "Contact: <sip:102@office.example>")
		carol.Expect("ACK")
		d.Ack(alice.Expect("482"))
		if why := l.Last().Why; !strings.Contains(why, "the call is sent in a circle: 102 to 103 to 102") {
			t.Errorf("why: %s", why)
		}
		if !strings.Contains(l.Log(), `msg="not redirected"`) {
			t.Error("the log does not tell of it")
		}
	})
}

// A phone of 1999 sends its calls elsewhere in the writing of its time.
func TestLegacyPhoneRedirects(t *testing.T) {
	Play(t, Config{Text: forwardingOffice}, func(l *Lab) {
		alice, bob, old := l.Phone("101", "5071"), l.Phone("102", "5072"), l.Phone("104")
		d := alice.Invite("sip:104@office.example", siptest.SDP("127.0.0.1", 4000))
		m := old.Expect("INVITE")
		old.Respond(m, 302, "To: "+m.Get("To"), "Contact: sip: 102@office.example")
		old.Expect("ACK")
		m = bob.Expect("INVITE")
		if !strings.Contains(m.Get("Diversion"), "104@office.example") {
			t.Error(m.Text)
		}
		bob.Respond(m, 486)
		bob.Expect("ACK")
		d.Ack(alice.Expect("486"))
	})
}

// same compares what has passed on the wire, from the given arrow on.
func (l *Lab) same(from int, want string) {
	l.t.Helper()
	time.Sleep(time.Second)
	var got []string
	for _, r := range l.Wire.Rungs()[from:] {
		got = append(got, r.From+" -> "+r.To+" "+r.Text)
	}
	var expected []string
	for line := range strings.Lines(want) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			expected = append(expected, line)
		}
	}
	if g, w := strings.Join(got, "\n"), strings.Join(expected, "\n"); g != w {
		l.t.Errorf("on the wire:\n%s\nwant:\n%s", g, w)
	}
}
