package sipleg

import (
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/mwi"
	"crosspoint/internal/siptest"
)

// A phone whose connection has ended is told by the one by which it has registered
// since; without one it has no subscription any more.
func TestSubscriberByTCP(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMessages(board), func(f *fixture) {
		connect := func(from string) *siptest.Peer {
			p := siptest.NewTCPPeer(f.t, f.net, "101", from, "127.0.0.1:5060")
			p.Password, p.Host = "secret-101", "10.9.9.9:5071" // behind NAT
			return p
		}
		p := connect("127.0.0.1:40001")
		p.Register()
		subscribes(p, "101")
		told(t, p, "active;expires=3600", 0)
		time.Sleep(time.Minute)
		p.Close()
		synctest.Wait()
		p = connect("127.0.0.1:40002")
		p.Register()
		messages(t, board, "101", 1)
		told(t, p, "active;expires=3540", 1)
		time.Sleep(time.Minute)
		messages(t, board, "101", 2)
		p.Expect("NOTIFY")
		p.Close() // before it answers
		synctest.Wait()
		if n := f.agent.Stats().Watchers; n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
		p = connect("127.0.0.1:40003")
		p.Wait = 3 * time.Second
		p.Register() // with the Call-ID of before
		told(t, p, unsolicitedState, 2)
		messages(t, board, "101", 3)
		p.Expect("NOTIFY")
		p.Close()
		time.Sleep(time.Minute)
	})
}

// A phone behind a proxy and NAT: NOTIFYs go by the proxy; a refresh from another
// port turns them there.
func TestSubscriberElsewhere(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMessages(board), func(f *fixture) {
		p, proxy := f.phone("101", 5071), f.phone("101", 5099)
		d, ok := subscribes(p, "101", "Record-Route: <sip:127.0.0.1:5099;lr>")
		if ok.Get("Record-Route") != "<sip:127.0.0.1:5099;lr>" {
			t.Error(ok.Text)
		}
		m := told(t, proxy, "active;expires=3600", 0)
		if m.Get("Route") != "<sip:127.0.0.1:5099;lr>" || m.URI != "sip:101@127.0.0.1:5071" {
			t.Error(m.Text)
		}
		d.Request("SUBSCRIBE", append(subscribeHeaders, "Expires: 0")...)
		p.Expect("200")
		told(t, proxy, "terminated;reason=timeout", 0)

		p.Host = "10.9.9.9:5060"
		d, _ = subscribes(p, "101")
		told(t, p, "active;expires=3600", 0)
		moved := f.phone("101", 40404)
		d.Peer, moved.Host = moved, p.Host
		d.Request("SUBSCRIBE", subscribeHeaders...)
		moved.Expect("200")
		told(t, moved, "active;expires=3600", 0)
		p.Quiet(time.Second)
	})
}

// A phone that is taken out of the file is told so as it refreshes, and nothing of
// the messages.
func TestSubscriberIsTakenOut(t *testing.T) {
	board := mwi.NewBoard(nil)
	gone := false
	without := func(c *Config) {
		account := c.Account
		c.Account = func(user string) (Account, bool) {
			a, ok := account(user)
			return a, ok && !gone
		}
	}
	play(t, withMessages(board, without), func(f *fixture) {
		p := f.phone("101", 5071)
		d, _ := subscribes(p, "101")
		told(t, p, "active;expires=3600", 0)
		gone = true
		synctest.Wait()
		d.Request("SUBSCRIBE", subscribeHeaders...)
		p.Expect("403")
		m := p.Expect("NOTIFY")
		if m.Get("Subscription-State") != "terminated;reason=rejected" || m.Body != "" {
			t.Error(m.Text)
		}
		p.Respond(m, 200)
		synctest.Wait()
		if n := f.agent.Stats().Watchers; n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

// Messages are lost on the way: what is repeated is answered as before, and told
// once.
func TestSubscriptionOverALossyWay(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMessages(board), func(f *fixture) {
		p := f.phone("101", 5071)
		d, ok := subscribes(p, "101")
		first := p.Expect("NOTIFY")
		p.Send(d.Last.Text) // its 200 was lost
		p.ExpectRepeat(ok, time.Second)
		p.ExpectRepeat(first, time.Second) // and so was the NOTIFY
		p.Respond(first, 200)
		p.Silent(30 * time.Second)
		if n := f.agent.Stats().Watchers; n != 1 {
			t.Errorf("%d subscriptions", n)
		}
		refresh := d.Request("SUBSCRIBE", append(subscribeHeaders, "Expires: 0")...)
		ok = p.Expect("200")
		told(t, p, "terminated;reason=timeout", 0)
		p.Send(refresh.Text)
		p.ExpectRepeat(ok, time.Second)
	})
}

// A peer by TCP: as the connection ends, we subscribe anew. It wants its own domain
// in From and To.
func TestMailboxByTCP(t *testing.T) {
	board := mwi.NewBoard(nil)
	byTCP := func(p *Peer) { p.Transport, p.FromDomain = "tcp", "itsp.example" }
	play(t, withMailbox(board, byTCP), func(f *fixture) {
		listener, err := f.net.ListenTCP("172.16.0.1:5060")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		accept := func() *siptest.Peer {
			conn, err := listener.Accept()
			if err != nil {
				f.t.Fatal(err)
			}
			p := siptest.NewPeerOnTCP(f.t, "office", conn)
			p.Wait = 10 * time.Second
			return p
		}
		p := accept()
		m := p.Expect("SUBSCRIBE")
		if m.URI != "sip:office@itsp.example" || m.Address("To") != "sip:office@itsp.example" || m.Address("From") != "sip:office@itsp.example" {
			t.Error(m.Text)
		}
		tells(takes(t, p, m, 3600), "active", 1)
		box(f, Subscribed, "")
		p.Close()
		box(f, Subscribing, "")
		p = accept()
		again := p.Expect("SUBSCRIBE")
		if again.Get("Call-ID") == m.Get("Call-ID") || again.Param("To", "tag") != "" {
			t.Error(again.Text)
		}
		tells(takes(t, p, again, 3600), "active", 2)
		if n := board.Of("101").New; n != 2 {
			t.Errorf("%d messages", n)
		}
		f.agent.SetParties(Parties{})
		p.Expect("SUBSCRIBE")
		p.Close() // it is given up unheard
		synctest.Wait()
	})
}
