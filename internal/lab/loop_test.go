package lab

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"crosspoint/b2bua"
	"crosspoint/dialplan"
	"crosspoint/internal/siptest"
)

// set is what users have set from their phones.
type set struct {
	mu sync.Mutex
	of map[string]dialplan.Settings
}

func (s *set) Settings(extension string) dialplan.Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[extension]
}

func (s *set) Change(extension string, to func(*dialplan.Settings)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.of[extension]
	to(&now)
	s.of[extension] = now
	return nil
}

const coded = forwardingOffice + `
[features]
forward_always = "*72"
`

// Two users forward their phones to each other by code: who calls either gets
// 482 with the circle in words, and so does the log, with the line.
func TestForwardedToEachOtherByCode(t *testing.T) {
	Play(t, Config{Text: coded, Calls: b2bua.Config{Users: &set{of: map[string]dialplan.Settings{}}}}, func(l *Lab) {
		alice, bob, carol := l.Phone("101", "5071"), l.Phone("102", "5072"), l.Phone("103", "5073")
		for p, dials := range map[*siptest.Peer]string{bob: "*72103", carol: "*72102"} {
			d := p.Invite("sip:"+dials+"@office.example", siptest.SDP("127.0.0.1", 4000))
			d.Ack(p.Expect("200 INVITE"))
			d.Respond(p.Expect("BYE"), 200)
		}
		synctest.Wait() // the calls of the codes are over before the next begins
		d := alice.Invite("sip:102@office.example", siptest.SDP("127.0.0.1", 4000))
		m := alice.Expect("482")
		d.Ack(m)
		const circle = "the call is forwarded in a circle: 102 to 103 to 102"
		if !strings.Contains(m.Get("Reason"), circle) {
			t.Error(m.Text)
		}
		if why := l.Last().Why; !strings.Contains(why, circle+": office.toml:") || !strings.Contains(l.Log(), circle) {
			t.Errorf("why: %s", why)
		}
	})
}

const mirrored = forwardingOffice + `
[[peer]]
name = "mirror"
proxy = "sip:10.9.9.9:5060"
addresses = "10.9.9.9"
context = "office"
[[trunk]]
name = "mirror"
peer = "mirror"
[[rule]]
dial = "900"
to = "mirror"
class = "internal"
[emergency]
none = "a test: nobody is here"
`

// Another exchange sends each call back to us: it goes round until Max-Forwards
// is used up (RFC 7332), then all of it ends with 483.
func TestLoopThroughAnotherExchange(t *testing.T) {
	Play(t, Config{Text: mirrored}, func(l *Lab) {
		alice, mirror := l.Phone("101", "5071"), l.Peer("mirror", "10.9.9.9:5060")
		d := alice.Invite("sip:900@office.example", siptest.SDP("127.0.0.1", 4000))
		rounds := reflects(t, mirror)
		if rounds < 20 || rounds > 35 {
			t.Errorf("%d rounds", rounds)
		}
		d.Ack(alice.Expect("483"))
		if !strings.Contains(l.Log(), "is used up: some exchange sends the call in a circle") {
			t.Error("the log does not say why")
		}
		if why := l.Last().Why; !strings.Contains(why, "routed by 900, office.toml:") {
			t.Errorf("why: %s", why)
		}
	})
}

// reflects sends each call back to where it came from, and passes the refusal
// on. It returns how many calls it had.
func reflects(t *testing.T, mirror *siptest.Peer) (calls int) {
	t.Helper()
	type call struct {
		in  *siptest.Message
		out *siptest.Dialog
	}
	var open []call
	for calls == 0 || len(open) > 0 {
		m := mirror.Any()
		switch {
		case m == nil:
			t.Fatalf("nothing comes any more; %d calls are open", len(open))
		case m.Method == "INVITE":
			calls++
			hops, _ := strconv.Atoi(m.Get("Max-Forwards"))
			out := mirror.Dial("sip:900@office.example")
			out.Request("INVITE", fmt.Sprintf("Max-Forwards: %d", hops-1), siptest.SDP("10.9.9.9", 4000))
			open = append(open, call{m, out})
		case m.Status == 483:
			last := open[len(open)-1]
			open = open[:len(open)-1]
			last.out.Ack(m)
			mirror.Respond(last.in, 483)
		case m.Status > 200:
			t.Fatalf("refused otherwise:\n%s", m.Text)
		}
	}
	return calls
}
