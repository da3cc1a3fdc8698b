package sipleg

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/mwi"
	"crosspoint/b2bua/sipleg/wire"
	"crosspoint/internal/siptest"
)

// withMailbox is an exchange with an account at a peer whose messages 101 is shown.
func withMailbox(board *mwi.Board, change ...func(*Peer)) func(*Config) {
	return func(c *Config) {
		withMessages(board)(c)
		p := Peer{Name: "itsp", Host: "172.16.0.1:5060", User: "office", Secret: "secret-itsp", Mailbox: "101", Origin: "office.toml:12"}
		for _, f := range change {
			f(&p)
		}
		c.Peers = append(c.Peers, p)
	}
}

// box compares our only mailbox with what is expected.
func box(f *fixture, state MailboxState, problem string) Mailbox {
	f.t.Helper()
	synctest.Wait()
	list := f.agent.Mailboxes()
	if len(list) != 1 || list[0].Peer != "itsp" || list[0].Extension != "101" || list[0].State != state || list[0].Problem != problem {
		f.t.Fatalf("mailboxes: %+v; want %v %q", list, state, problem)
	}
	return list[0]
}

// takes lets us subscribe for that many seconds, and returns the dialog.
func takes(t *testing.T, p *siptest.Peer, m *siptest.Message, seconds int) *siptest.Dialog {
	t.Helper()
	d := p.Incoming(m)
	d.Respond(m, 200, fmt.Sprintf("Expires: %d", seconds))
	return d
}

// tells sends a NOTIFY of n new messages in our subscription.
func tells(d *siptest.Dialog, state string, n int) {
	d.Request("NOTIFY", "Event: message-summary", "Subscription-State: "+state, fmt.Sprintf("body %s\nMessages-Waiting: %s\nVoice-Message: %d/0\n", mwi.ContentType, map[bool]string{true: "yes", false: "no"}[n > 0], n))
	d.Peer.Expect("200 NOTIFY")
}

// Subscribed with credentials, renewed in the dialog before the time granted is
// over, and given up when the exchange is stopped.
func TestSubscribesToAMailbox(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMailbox(board), func(f *fixture) {
		p := provider(f, "172.16.0.1:5060")
		box(f, Subscribing, "")
		m := p.Expect("SUBSCRIBE")
		if m.URI != "sip:office@172.16.0.1:5060" || m.Address("To") != "sip:office@172.16.0.1" || m.Address("From") != "sip:office@172.16.0.1" || m.Param("From", "tag") == "" ||
			m.Get("Contact") != "<sip:office@127.0.0.1:5060>" || m.Get("Expires") != "3600" || m.Get("Event") != "message-summary" || m.Get("Accept") != mwi.ContentType {
			t.Error(m.Text)
		}
		p.Respond(m, 401, fmt.Sprintf(providersChallenge, 1))
		again := p.Expect("SUBSCRIBE")
		answer := siptest.DigestParams(again.Get("Authorization"))
		if s, _ := again.CSeq(); s != 2 || again.Get("Call-ID") != m.Get("Call-ID") || answer["username"] != "office" || answer["uri"] != again.URI {
			t.Error(again.Text)
		}
		d := takes(t, p, again, 120)
		if s := box(f, Subscribed, ""); time.Until(s.Until) != 120*time.Second || s.Address.String() != "172.16.0.1:5060" {
			t.Errorf("%+v", s)
		}
		began := time.Now()
		tells(d, "active;expires=120", 2)
		if s := board.Of("101"); s != (mwi.Summary{Waiting: true, New: 2}) {
			t.Errorf("the board has %v", s)
		}
		p.Wait = 100 * time.Second
		m = p.Expect("SUBSCRIBE")
		if time.Since(began) != 90*time.Second || m.Param("To", "tag") != d.LocalTag || m.URI != "sip:office@172.16.0.1:5060" || m.Get("Expires") != "3600" {
			t.Errorf("renewed after %v:\n%s", time.Since(began), m.Text)
		}
		d.Respond(m, 200, "Expires: 600")
		tells(d, "active;expires=60", 0) // less than the answer said
		if s := box(f, Subscribed, ""); time.Until(s.Until) != time.Minute || board.Of("101").Waiting {
			t.Errorf("%+v, and the board has %v", s, board.Of("101"))
		}
		done := make(chan error)
		go func() { done <- f.agent.Shutdown(context.Background()) }()
		m = p.Expect("SUBSCRIBE")
		if m.Get("Expires") != "0" || m.Param("To", "tag") != d.LocalTag {
			t.Error(m.Text)
		}
		d.Respond(m, 200, "Expires: 0")
		tells(d, "terminated;reason=timeout", 5)
		began = time.Now()
		if <-done; time.Since(began) > 100*time.Millisecond || board.Of("101").Waiting {
			t.Errorf("stopped after %v, and the board has %v", time.Since(began), board.Of("101"))
		}
		box(f, Unsubscribed, "")
	})
}

// What comes in the dialog and is no news of messages; and news that comes before
// the answer to our SUBSCRIBE.
func TestMailboxIsToldOddly(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMailbox(board), func(f *fixture) {
		p := provider(f, "172.16.0.1:5060")
		m := p.Expect("SUBSCRIBE")
		d := p.Incoming(m)
		tells(d, "active", 3) // first
		d.Respond(m, 200, "Expires: 3600")
		box(f, Subscribed, "")
		if n := board.Of("101").New; n != 3 {
			t.Errorf("%d messages", n)
		}
		summary := "body " + mwi.ContentType + "\nMessages-Waiting: no\n"
		for _, c := range []struct {
			answer string
			extra  []string
		}{
			{"400", []string{"Event: message-summary", "body " + mwi.ContentType + "\nMessages: many\n"}},
			{"415", []string{"Event: message-summary", "body text/plain\nMessages-Waiting: no\n"}},
			{"489", []string{"Event: presence", summary}},
			{"481", []string{"Event: message-summary", "From: <sip:office@172.16.0.1>;tag=another", summary}},
			{"500", []string{"Event: message-summary", "CSeq: 1 NOTIFY", summary}},
			{"420", []string{"Event: message-summary", "Require: eventlist", summary}},
			{"200", []string{"Event: message-summary", "Subscription-State: pending"}}, // does not know yet
		} {
			d.Request("NOTIFY", c.extra...)
			p.Expect(c.answer + " NOTIFY")
		}
		d.Request("BYE")
		p.Expect("405")
		if n := board.Of("101").New; n != 3 {
			t.Errorf("%d messages", n)
		}
		last := d.Request("NOTIFY", "Event: message-summary", "Subscription-State: active", summary)
		ok := p.Expect("200")
		p.Send(last.Text)
		p.ExpectRepeat(ok, time.Second)
		p.Quiet(35 * time.Second) // we have heard: there is nothing to complain of
		box(f, Subscribed, "")
		stray := p.Dial("sip:office@127.0.0.1:5060")
		stray.Request("NOTIFY", "Event: message-summary", "body "+mwi.ContentType+"\nMessages-Waiting: yes\nVoice-Message: 9/9\n")
		p.Expect("200") // for our own user, out of the dialog
		if n := board.Of("101").New; n != 9 {
			t.Errorf("%d messages", n)
		}
		stray = p.Dial("sip:102@127.0.0.1:5060")
		stray.Request("NOTIFY", "Event: message-summary", summary)
		p.Expect("403") // not its business
	})
}

// A peer that ends the subscription is asked again when it may be (RFC 6665 §4.1.3).
func TestMailboxIsEnded(t *testing.T) {
	for _, c := range []struct {
		state    string
		after    time.Duration // how long the subscription has lasted
		min, max time.Duration // until the next SUBSCRIBE
		problem  string
	}{
		{"terminated;reason=deactivated", 2 * time.Minute, 0, 0, ""},
		{"Terminated ; reason=timeout", 2 * time.Minute, 0, 0, ""},
		{"terminated", time.Second, 2 * time.Second, 10 * time.Second, ""},
		{"terminated;reason=probation;retry-after=100", time.Second, 100 * time.Second, 200 * time.Second, "the peer has ended the subscription to messages for a while (probation)"},
		{"terminated;reason=giveup", time.Second, 15 * time.Second, 30 * time.Second, "the peer has ended the subscription to messages for a while (giveup)"},
		{"terminated;reason=rejected", time.Second, 12 * time.Hour, 24 * time.Hour, "the peer has ended the subscription to messages (rejected): check user and mailbox at office.toml:12"},
		{"terminated;reason=noresource", time.Second, 12 * time.Hour, 24 * time.Hour, "the peer has ended the subscription to messages (noresource): check user and mailbox at office.toml:12"},
	} {
		t.Run(c.state, func(t *testing.T) {
			play(t, withMailbox(mwi.NewBoard(nil)), func(f *fixture) {
				p := provider(f, "172.16.0.1:5060")
				m := p.Expect("SUBSCRIBE")
				d := takes(t, p, m, 3600)
				tells(d, "active", 0)
				time.Sleep(c.after)
				began := time.Now()
				tells(d, c.state, 0)
				if c.problem != "" {
					box(f, NotSubscribed, c.problem)
				}
				p.Wait = 25 * time.Hour
				next := p.Expect("SUBSCRIBE")
				if wait := time.Since(began); wait < c.min || wait > c.max {
					t.Errorf("subscribed again after %v", wait)
				}
				if next.Get("Call-ID") == m.Get("Call-ID") || next.Param("To", "tag") != "" || next.Param("From", "tag") == m.Param("From", "tag") {
					t.Errorf("the same dialog:\n%s", next.Text)
				}
				tells(takes(t, p, next, 3600), "active", 0)
				box(f, Subscribed, "")
			})
		})
	}
}

// A peer that refuses, or does not do what it has said, is told of in words.
func TestMailboxRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(p *siptest.Peer, m *siptest.Message)
		after  time.Duration
		want   string
		status int
	}{
		{"forbidden", func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 403) }, 0,
			"subscription to messages refused 403: check user and secret at office.toml:12", 403},
		{"bad event", func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 489) }, 0,
			"the peer tells nobody of messages: take mailbox out at office.toml:12", 489},
		{"overloaded", func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 503) }, 0,
			"subscription to messages failed 503 Service Unavailable at 172.16.0.1:5060", 503},
		{"no NOTIFY", func(p *siptest.Peer, m *siptest.Message) { p.Respond(m, 200, "Expires: 3600") }, 33 * time.Second,
			"the peer takes our subscription to messages, but sends no NOTIFY: check that SIP from it reaches us", 0},
		{"no answer", func(*siptest.Peer, *siptest.Message) {}, 33 * time.Second,
			"no answer from 172.16.0.1:5060: check proxy at office.toml:12, and that nothing on the way holds SIP back", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, withMailbox(mwi.NewBoard(nil)), func(f *fixture) {
				p := provider(f, "172.16.0.1:5060")
				var waits []time.Duration
				p.Wait = time.Hour
				for range 3 {
					began := time.Now()
					m := p.Expect("SUBSCRIBE")
					waits = append(waits, time.Since(began))
					c.answer(p, m)
					time.Sleep(c.after)
					if s := box(f, NotSubscribed, c.want); s.Status != c.status || !s.Next.After(time.Now()) {
						t.Errorf("%+v", s)
					}
				}
				if waits[0] > time.Second || waits[1] < 10*time.Second || waits[2] < 20*time.Second {
					t.Errorf("tried after %v", waits)
				}
				if want := `msg="peer itsp: ` + c.want + `"`; !strings.Contains(f.log.String(), want) {
					t.Errorf("the log does not say %s", want)
				}
			})
		})
	}
}

// A peer that has forgotten us is asked anew at once; what it has granted stands
// while a renewal is refused for another reason; a longer time is asked for where
// the peer wants it.
func TestMailboxRenewalFails(t *testing.T) {
	play(t, withMailbox(mwi.NewBoard(nil)), func(f *fixture) {
		p := provider(f, "172.16.0.1:5060")
		p.Wait = time.Hour
		m := p.Expect("SUBSCRIBE")
		p.Respond(m, 423, "Min-Expires: 7200")
		if m = p.Expect("SUBSCRIBE"); m.Get("Expires") != "7200" {
			t.Error(m.Text)
		}
		d := takes(t, p, m, 60)
		tells(d, "active", 0)
		m = p.Expect("SUBSCRIBE")
		p.Respond(m, 481)
		next := p.Expect("SUBSCRIBE")
		if next.Param("To", "tag") != "" || next.Get("Call-ID") == m.Get("Call-ID") {
			t.Error(next.Text)
		}
		d = takes(t, p, next, 60)
		tells(d, "active", 0)
		p.Wait = time.Hour
		m = p.Expect("SUBSCRIBE")
		p.Respond(m, 403)
		box(f, Subscribed, "subscription to messages refused 403: check user and secret at office.toml:12")
		for again := 0; m.Param("To", "tag") != ""; again++ { // in the dialog while it stands
			if m = p.Expect("SUBSCRIBE"); again == 0 && m.Param("To", "tag") != d.LocalTag {
				t.Error(m.Text)
			}
			p.Respond(m, 403)
		}
		box(f, NotSubscribed, "subscription to messages refused 403: check user and secret at office.toml:12")
	})
}

// The peer's name leads to two servers: the first is dead, the second takes us. When
// that one dies, we subscribe anew at the first, which can't know the dialog.
func TestMailboxFailsOver(t *testing.T) {
	board := mwi.NewBoard(nil)
	named := func(c *Config) {
		withMailbox(board, func(p *Peer) { p.Host = "itsp.example" })(c)
		c.Resolve = func(context.Context, string, int, string) ([]Destination, error) {
			return []Destination{{wire.UDP, netip.MustParseAddrPort("172.16.0.1:5060")}, {wire.UDP, netip.MustParseAddrPort("172.16.0.2:5060")}}, nil
		}
	}
	play(t, named, func(f *fixture) {
		first, second := provider(f, "172.16.0.1:5060"), provider(f, "172.16.0.2:5060")
		m := second.Expect("SUBSCRIBE")
		if m.URI != "sip:office@itsp.example" {
			t.Error(m.Text)
		}
		tells(takes(t, second, m, 60), "active", 1)
		first.Drain(time.Millisecond)
		second.Close()
		first.Wait = time.Minute
		again := first.Expect("SUBSCRIBE")
		if again.Param("To", "tag") != "" || again.Get("Call-ID") == m.Get("Call-ID") {
			t.Error(again.Text)
		}
		tells(takes(t, first, again, 60), "active", 2)
		if s := box(f, Subscribed, ""); s.Address.String() != "172.16.0.1:5060" || board.Of("101").New != 2 {
			t.Errorf("%+v, and the board has %v", s, board.Of("101"))
		}
	})
}

// A peer that is taken out of the file is left; one that is the same is not asked
// again; a mailbox of another extension is another subscription.
func TestMailboxesChange(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMailbox(board), func(f *fixture) {
		p := provider(f, "172.16.0.1:5060")
		d := takes(t, p, p.Expect("SUBSCRIBE"), 3600)
		tells(d, "active", 0)
		same := f.agent.known().Peers[1]
		same.Origin = "office.toml:99"
		f.agent.SetParties(Parties{Peers: []Peer{same}})
		p.Quiet(time.Second)
		same.Mailbox = "102"
		f.agent.SetParties(Parties{Peers: []Peer{same}})
		a, b := p.Expect("SUBSCRIBE"), p.Expect("SUBSCRIBE")
		for _, m := range []*siptest.Message{a, b} {
			if m.Get("Expires") == "0" {
				d.Respond(m, 200)
				tells(d, "terminated;reason=timeout", 0)
			} else {
				tells(takes(t, p, m, 3600), "active", 4)
			}
		}
		synctest.Wait()
		if list := f.agent.Mailboxes(); len(list) != 1 || list[0].Extension != "102" || list[0].State != Subscribed || board.Of("102").New != 4 {
			t.Errorf("%+v; %v", list, board.Of("102"))
		}
	})
}

// One exchange is the voice mail of another: an extension of the first has its
// lamp lit by the second.
func TestMailboxAtAnotherExchange(t *testing.T) {
	head, branch := mwi.NewBoard(nil), mwi.NewBoard(nil)
	play(t, withMessages(head), func(f *fixture) {
		other := newBranch(f, branch)
		defer other.Close()
		synctest.Wait()
		messages(t, head, "102", 6)
		time.Sleep(notifyEvery)
		synctest.Wait()
		if s := branch.Of("7"); s.New != 6 {
			t.Errorf("the branch has %v; %+v", s, other.Mailboxes())
		}
		ctx, cancel := contextFor(3 * time.Second)
		defer cancel()
		began := time.Now()
		if err := other.Shutdown(ctx); err != nil || time.Since(began) > 100*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		synctest.Wait()
		if n := f.agent.Stats().Watchers; n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

// newBranch is an exchange whose extension 7 is shown what waits for 102 at the
// fixture's.
func newBranch(f *fixture, board *mwi.Board) *Agent {
	udp, err := f.net.ListenUDP("127.0.0.2:5060")
	if err != nil {
		f.t.Fatal(err)
	}
	return New(Config{
		Wire: wire.Config{UDP: []wire.Conn{udp}}, Accept: f, RTP: f.ports, Log: f.agent.log, Messages: board,
		Peers: []Peer{{Name: "head office", Host: "127.0.0.1:5060", User: "102", Secret: "secret-102", Mailbox: "7"}},
	})
}

// Phones are told that their subscriptions end when the exchange is stopped, and
// when to come again; nobody waits long for one that does not answer.
func TestPhonesArePartedWith(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMessages(board), func(f *fixture) {
		answers, gone := f.phone("101", 5071), f.phone("102", 5072)
		subscribes(answers, "101")
		told(t, answers, "active", 0)
		subscribes(gone, "102")
		told(t, gone, "active", 0)
		time.Sleep(5 * time.Second)
		began := time.Now()
		done := make(chan error)
		go func() { done <- f.agent.Shutdown(context.Background()) }()
		told(t, answers, "terminated;reason=probation;retry-after=30", 0)
		gone.Expect("NOTIFY")
		if _, m := subscribes(answers, "101"); m.Status != 503 {
			t.Error(m.Text)
		}
		if <-done; time.Since(began) > 2*time.Second {
			t.Errorf("it took %v", time.Since(began))
		}
	})
}
