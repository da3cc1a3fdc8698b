package softphone

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"crosspoint/media/g711"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair starts two telephones, the first of which calls the second directly.
// The time that passes is real: so are the sockets.
func pair(t *testing.T) (alice, bob *Phone) {
	t.Helper()
	bob, err := New(Config{User: "102", Name: "Bob", Server: netip.MustParseAddrPort("127.0.0.1:9")})
	if err != nil {
		t.Fatal(err)
	}
	alice, err = New(Config{User: "101", Name: "Alice", Server: bob.Addr(), Law: g711.ALaw})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(alice.Close(), bob.Close()); err != nil {
			t.Error(err)
		}
	})
	return alice, bob
}

func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(5 * time.Second):
		t.Fatalf("nothing after 5 s: %s", what)
	}
}

func rung(t *testing.T, p *Phone) *Call {
	t.Helper()
	select {
	case c := <-p.Incoming():
		return c
	case <-time.After(5 * time.Second):
		t.Fatal("the telephone did not ring within 5 s")
		return nil
	}
}

func TestCallTalkHangUp(t *testing.T) {
	alice, bob := pair(t)
	out, err := alice.Call(context.Background(), "7773660;phone-context=p1234")
	if err != nil {
		t.Fatal(err)
	}
	in := rung(t, bob)
	if in.Number != "101" || in.Name != "Alice" {
		t.Errorf("bob sees %q %q, not 101 Alice", in.Number, in.Name)
	}
	wait(t, "ringing at alice", out.Ringing())
	in.Answer()
	wait(t, "answer at alice", out.Answered())
	wait(t, "confirmation at bob", in.Answered())
	if out.Law() != g711.MuLaw || in.Law() != g711.MuLaw { // bob, who answers, chooses
		t.Errorf("alice speaks %v and bob %v", out.Law(), in.Law())
	}

	said := make([]int16, 1600)
	for i := range said {
		said[i] = int16(8000 - 10*i)
	}
	out.Say(said)
	deadline := time.Now().Add(5 * time.Second)
	for !holds(in.Heard(), said) {
		if time.Now().After(deadline) {
			t.Fatalf("bob has not heard what alice said; %d packets, %d samples", in.Packets(), len(in.Heard()))
		}
		time.Sleep(20 * time.Millisecond)
	}
	in.Hangup()
	wait(t, "end at alice", out.Done())
	wait(t, "end at bob", in.Done())
	if out.Err() != nil || in.Err() != nil {
		t.Errorf("ended with %v and %v", out.Err(), in.Err())
	}
}

// holds tells whether the signal is in what was heard, as near as companding lets it.
func holds(heard, said []int16) bool {
next:
	for at := 0; at+len(said) <= len(heard); at++ {
		for i, s := range said {
			if d := int(heard[at+i]) - int(s); d > 600 || d < -600 {
				continue next
			}
		}
		return true
	}
	return false
}

func TestRefused(t *testing.T) {
	alice, bob := pair(t)
	out, err := alice.Call(context.Background(), "102")
	if err != nil {
		t.Fatal(err)
	}
	rung(t, bob).Reject(486, "Busy Here")
	wait(t, "end at alice", out.Done())
	if refused := (Refused{}); !errors.As(out.Err(), &refused) || refused.Status != 486 {
		t.Errorf("ended with %v, not 486", out.Err())
	}
}

func TestCallerGivesUp(t *testing.T) {
	alice, bob := pair(t)
	out, err := alice.Call(context.Background(), "102")
	if err != nil {
		t.Fatal(err)
	}
	in := rung(t, bob)
	wait(t, "ringing at alice", out.Ringing())
	out.Hangup()
	wait(t, "end at bob", in.Done())
	if in.Err() == nil {
		t.Error("bob's call ended as if it had been answered")
	}
}

func TestNobodyThere(t *testing.T) {
	alice, _ := pair(t)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	alice.cfg.Server = netip.MustParseAddrPort("127.0.0.1:9")
	if err := alice.Register(ctx); err == nil {
		t.Error("registered where nobody listens")
	}
}

func TestReadSession(t *testing.T) {
	for name, c := range map[string]struct {
		sdp    string
		remote string
		law    g711.Law
		bad    bool
	}{
		"own":          {string(describe(netip.MustParseAddrPort("127.0.0.1:4000"), g711.ALaw, g711.MuLaw)), "127.0.0.1:4000", g711.ALaw, false},
		"media c=":     {"v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 5 RTP/AVP 0\r\nc=IN IP4 10.0.0.2\r\n", "10.0.0.2:5", g711.MuLaw, false},
		"video first":  {"c=IN IP4 10.0.0.1\nm=video 7 RTP/AVP 96\nm=audio 5 RTP/AVP 8 0\n", "10.0.0.1:5", g711.ALaw, false},
		"no G.711":     {"c=IN IP4 10.0.0.1\nm=audio 5 RTP/AVP 96\n", "", 0, true},
		"refused":      {"c=IN IP4 10.0.0.1\nm=audio 0 RTP/AVP 0\n", "", 0, true},
		"empty":        {"", "", 0, true},
		"no such host": {"c=IN IP4 nowhere\nm=audio 5 RTP/AVP 0\n", "", 0, true},
	} {
		s, err := readSession([]byte(c.sdp))
		if (err != nil) != c.bad {
			t.Errorf("%s: %v", name, err)
		} else if err == nil && (s.remote.String() != c.remote || s.laws[0] != c.law) {
			t.Errorf("%s: %v %v, not %s %v", name, s.remote, s.laws, c.remote, c.law)
		}
	}
}
