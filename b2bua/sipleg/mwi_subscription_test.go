package sipleg

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/mwi"
	"crosspoint/internal/siptest"
)

// withMessages is an exchange whose phones are told of messages.
func withMessages(board *mwi.Board, change ...func(*Config)) func(*Config) {
	return func(c *Config) {
		c.Messages = board
		c.Extension = func(name string) bool { return name == "101" || name == "102" || name == "103" }
		for _, f := range change {
			f(c)
		}
	}
}

// messages notes that an extension has that many new messages.
func messages(t *testing.T, board *mwi.Board, extension string, n int) {
	t.Helper()
	if err := board.Set(extension, mwi.Summary{Waiting: n > 0, New: n}); err != nil {
		t.Error(err)
	}
	synctest.Wait()
}

var subscribeHeaders = []string{"Event: message-summary", "Accept: application/simple-message-summary"}

// subscribes has a phone subscribe to an extension's messages, and returns its
// dialog and the final response.
func subscribes(p *siptest.Peer, extension string, extra ...string) (*siptest.Dialog, *siptest.Message) {
	d := p.Dial(extension)
	extra = append(append([]string(nil), subscribeHeaders...), extra...)
	d.Request("SUBSCRIBE", extra...)
	m := p.Any()
	if m != nil && m.Status == 401 {
		d.Request("SUBSCRIBE", append(extra, p.Authorize(m, "SUBSCRIBE", d.Target))...)
		m = p.Any()
	}
	if m != nil && m.Status == 200 {
		d.Established(m)
	}
	return d, m
}

// told takes a NOTIFY with that state ("active": for however long) and number of new messages, and answers it.
func told(t *testing.T, p *siptest.Peer, state string, n int) *siptest.Message {
	t.Helper()
	m := p.Expect("NOTIFY")
	want := "Messages-Waiting: no\r\nMessage-Account: sip:" + p.User + "@127.0.0.1\r\n"
	if n > 0 {
		want = fmt.Sprintf("Messages-Waiting: yes\r\nMessage-Account: sip:%s@127.0.0.1\r\nVoice-Message: %d/0 (0/0)\r\n", p.User, n)
	}
	got := m.Get("Subscription-State")
	if state == "active" {
		got, _, _ = strings.Cut(got, ";")
	}
	if got != state || m.Body != want || m.Get("Content-Type") != mwi.ContentType {
		t.Errorf("want %s and %q:\n%s", state, want, m.Text)
	}
	p.Respond(m, 200)
	return m
}

// A phone is told at once and with each change, but not more than once a second;
// it refreshes, and gives up.
func TestPhoneSubscribes(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMessages(board), func(f *fixture) {
		messages(t, board, "101", 2)
		p := f.phone("101", 5071)
		d, ok := subscribes(p, "101", "Expires: 7200")
		if ok == nil || ok.Status != 200 || ok.Get("Expires") != "3600" || ok.Get("Contact") != "<sip:101@127.0.0.1:5060>" || ok.Param("To", "tag") == "" {
			t.Fatalf("not granted: %v", ok)
		}
		m := told(t, p, "active;expires=3600", 2)
		if m.URI != "sip:101@127.0.0.1:5071" || m.Get("Event") != "message-summary" || m.Get("Call-ID") != d.CallID ||
			m.Param("From", "tag") != d.RemoteTag || m.Param("To", "tag") != d.LocalTag || m.Get("Contact") == "" {
			t.Error(m.Text)
		}
		time.Sleep(10 * time.Second)
		began := time.Now()
		messages(t, board, "101", 3)
		told(t, p, "active;expires=3590", 3)
		if time.Since(began) != 0 {
			t.Errorf("told after %v", time.Since(began))
		}
		for n := range 5 { // within a second: the latest wins
			messages(t, board, "101", 10+n)
		}
		messages(t, board, "102", 7) // not hers
		told(t, p, "active;expires=3589", 14)
		if time.Since(began) != time.Second {
			t.Errorf("told again after %v", time.Since(began))
		}
		p.Quiet(30 * time.Second)
		d.Request("SUBSCRIBE", append(subscribeHeaders, "Expires: 120")...)
		if m := p.Expect("200"); m.Get("Expires") != "120" {
			t.Error(m.Text)
		}
		told(t, p, "active;expires=120", 14)
		d.Seq -= 2
		d.Request("SUBSCRIBE", append(subscribeHeaders, "Expires: 120")...)
		p.Expect("500") // out of order
		d.Seq++
		d.Request("SUBSCRIBE", append(subscribeHeaders, "Expires: 0")...)
		p.Expect("200")
		told(t, p, "terminated;reason=timeout", 14)
		messages(t, board, "101", 0)
		p.Quiet(time.Minute)
		d.Request("SUBSCRIBE", subscribeHeaders...)
		p.Expect("481")
		if n := f.agent.Stats().Watchers; n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

// One who only asks, one whose time is over, and one who says which of its
// subscriptions it is.
func TestSubscriptionEnds(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMessages(board), func(f *fixture) {
		p := f.phone("101", 5071)
		_, ok := subscribes(p, "101", "Expires: 0")
		if ok.Get("Expires") != "0" {
			t.Error(ok.Text)
		}
		told(t, p, "terminated;reason=timeout", 0)
		d, _ := subscribes(p, "101", "Expires: 60", "Event: message-summary;id=a7")
		m := told(t, p, "active;expires=60", 0)
		if m.Get("Event") != "message-summary;id=a7" {
			t.Error(m.Text)
		}
		d.Request("SUBSCRIBE", append(subscribeHeaders, "Event: message-summary;id=a8")...)
		p.Expect("489")
		d.Request("OPTIONS")
		p.Expect("405")
		began := time.Now()
		p.Wait = 61 * time.Second
		told(t, p, "terminated;reason=timeout", 0)
		if time.Since(began) != time.Minute {
			t.Errorf("over after %v", time.Since(began))
		}
		p.Quiet(time.Minute)
		if n := f.agent.Stats().Watchers; n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

// Who may not, or asks for what we don't have.
func TestSubscriptionRefused(t *testing.T) {
	board := mwi.NewBoard(nil)
	for _, c := range []struct {
		name, to, answer string
		extra            []string
		has              [2]string
	}{
		{"another extension", "102", "403", nil, [2]string{}},
		{"no extension", "*97", "404", nil, [2]string{}},
		{"another domain", "sip:101@elsewhere.example", "404", nil, [2]string{}},
		{"another event", "101", "489", []string{"Event: presence"}, [2]string{"Allow-Events", "message-summary, refer"}},
		{"no event", "101", "489", []string{"Event:"}, [2]string{"Allow-Events", "message-summary"}},
		{"another body", "101", "406", []string{"Accept: application/pidf+xml"}, [2]string{"Accept", mwi.ContentType}},
		{"any other body", "101", "406", []string{"Accept: */*, application/simple-message-summary;q=0"}, [2]string{"Accept", mwi.ContentType}},
		{"too short", "101", "423", []string{"Expires: 5"}, [2]string{"Min-Expires", "60"}},
		{"needs an extension", "101", "420", []string{"Require: eventlist"}, [2]string{"Unsupported", "eventlist"}},
		{"no contact", "101", "400", []string{"Contact:"}, [2]string{}},
		{"no password", "101", "401", []string{"From: <sip:104@127.0.0.1>;tag=1"}, [2]string{"WWW-Authenticate", "office"}},
		{"its own, in any type", "101", "200", []string{"Accept: application/*;q=0.5, text/plain"}, [2]string{}},
		{"its own, in what it does not say", "101", "200", []string{"Accept:"}, [2]string{}},
		{"its own, to nobody", "sip:127.0.0.1", "200", nil, [2]string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, withMessages(board), func(f *fixture) {
				p := f.phone("101", 5071)
				if c.answer == "401" {
					p.Password = "x"
				}
				_, m := subscribes(p, c.to, c.extra...)
				if m == nil || fmt.Sprint(m.Status) != c.answer || c.has[0] != "" && !m.Has(c.has[0], c.has[1]) {
					t.Fatalf("want %s and %q: %v", c.answer, c.has, m.Text)
				}
				if m.Status == 200 {
					told(t, p, "active;expires=3600", 0)
				} else if n := f.agent.Stats().Watchers; n != 0 {
					t.Errorf("%d subscriptions nevertheless", n)
				}
			})
		})
	}
}

// Without a board there is no message waiting.
func TestNoMessages(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("101", 5071)
		if _, m := subscribes(p, "101"); m.Status != 489 || m.Get("Allow-Events") != "refer" {
			t.Error(m.Text)
		}
		f.trunk().Request("NOTIFY", "101", "Event: message-summary", "body "+mwi.ContentType+"\nMessages-Waiting: yes\n")
		p.Request("NOTIFY", "101", "Event: message-summary")
		p.Expect("481")
		p.Request("OPTIONS", us)
		if m := p.Expect("200"); m.Has("Allow", "SUBSCRIBE") {
			t.Error(m.Text)
		}
	})
}

// A phone that does not know its subscription any more is dropped, and so is one
// that is gone; one that has no time is asked later.
func TestSubscriberDoesNotAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(p *siptest.Peer, m *siptest.Message)
		after  time.Duration // when there is no subscription any more; 0: there is
	}{
		{"481", func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 481) }, time.Millisecond},
		{"404", func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 404) }, time.Millisecond},
		{"nothing", func(*siptest.Peer, *siptest.Message) {}, 33 * time.Second},
		{"500 later", func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 500, "Retry-After: 7") }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			board := mwi.NewBoard(nil)
			play(t, withMessages(board), func(f *fixture) {
				p := f.phone("101", 5071)
				subscribes(p, "101")
				told(t, p, "active;expires=3600", 0)
				time.Sleep(2 * time.Second)
				messages(t, board, "101", 1)
				m := p.Expect("NOTIFY")
				c.answer(p, m)
				if c.after == 0 {
					p.Quiet(6 * time.Second)
					told(t, p, "active;expires=3591", 1)
					return
				}
				messages(t, board, "101", 2) // waits for the answer to the one before
				time.Sleep(c.after)
				synctest.Wait()
				if n := f.agent.Stats().Watchers; n != 0 {
					t.Errorf("%d subscriptions are left", n)
				}
				p.Drain(time.Millisecond)
				p.Quiet(time.Minute)
			})
		})
	}
}

// A phone that was started anew has one subscription, not two; an account has ten
// at most, and the one that would end first makes room.
func TestSubscriptionsOfOneAccount(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMessages(board), func(f *fixture) {
		var phones []*siptest.Peer
		for i := range maxSubscriptions {
			p := f.phone("101", 5071+i)
			phones = append(phones, p)
			subscribes(p, "101", fmt.Sprintf("Expires: %d", 3600-i))
			told(t, p, fmt.Sprintf("active;expires=%d", 3600-i), 0)
		}
		subscribes(phones[0], "101", "Expires: 3000") // again, in another dialog
		told(t, phones[0], "active;expires=3000", 0)
		if n := f.agent.Stats().Watchers; n != maxSubscriptions {
			t.Errorf("%d subscriptions", n)
		}
		more := f.phone("101", 5099)
		subscribes(more, "101")
		told(t, more, "active;expires=3600", 0)
		told(t, phones[0], "terminated;reason=probation;retry-after=3600", 0)
		synctest.Wait()
		if n := f.agent.Stats().Watchers; n != maxSubscriptions {
			t.Errorf("%d subscriptions", n)
		}
		messages(t, board, "101", 1)
		time.Sleep(time.Second)
		for _, p := range append(phones[1:], more) {
			told(t, p, "active", 1)
		}
		phones[0].Quiet(time.Second)
	})
}
