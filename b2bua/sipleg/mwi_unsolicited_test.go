package sipleg

import (
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/mwi"
	"crosspoint/b2bua/sipleg/wire"
	"net/netip"
)

const unsolicitedState = "terminated;reason=noresource"

// A phone that registers and does not subscribe is told unasked: after it has
// registered if messages wait, and of each change.
func TestToldUnsolicited(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMessages(board), func(f *fixture) {
		p := f.phone("101", 5071)
		p.Wait = 3 * time.Second
		p.Register()
		p.Quiet(10 * time.Second) // there is nothing to tell
		messages(t, board, "101", 1)
		m := told(t, p, unsolicitedState, 1)
		if m.URI != "sip:101@127.0.0.1:5071" || m.Get("Event") != "message-summary" || m.Param("To", "tag") != "" || m.Address("To") != "sip:101@127.0.0.1" {
			t.Error(m.Text)
		}
		began := time.Now()
		messages(t, board, "101", 2)
		messages(t, board, "101", 3)
		told(t, p, unsolicitedState, 3)
		if time.Since(began) != time.Second {
			t.Errorf("told again after %v", time.Since(began))
		}
		p.Register() // only refreshed
		p.Quiet(10 * time.Second)
		p.Register("Call-ID: after-the-power-failure")
		began = time.Now()
		told(t, p, unsolicitedState, 3)
		if time.Since(began) != unsolicitedAfter {
			t.Errorf("told %v after it was started", time.Since(began))
		}
		p.Register("Call-ID: once-more")
		subscribes(p, "101")
		told(t, p, "active", 3)
		p.Quiet(10 * time.Second) // who has subscribed is not told twice
		messages(t, board, "101", 0)
		told(t, p, "active", 0)
		p.Quiet(10 * time.Second)
	})
}

// A phone that does not want to be told unasked is not, until it is started anew;
// one of the same account is. A phone that is not registered any more is forgotten.
func TestUnsolicitedRefused(t *testing.T) {
	board := mwi.NewBoard(nil)
	play(t, withMessages(board), func(f *fixture) {
		deaf, hears := f.phone("101", 5071), f.phone("101", 5072)
		deaf.Wait = 3 * time.Second
		deaf.Register()
		hears.Register()
		messages(t, board, "101", 1)
		deaf.Respond(deaf.Expect("NOTIFY"), 489)
		told(t, hears, unsolicitedState, 1)
		time.Sleep(2 * time.Second)
		messages(t, board, "101", 2)
		told(t, hears, unsolicitedState, 2)
		deaf.Register()
		deaf.Quiet(10 * time.Second)
		deaf.Register("Call-ID: anew")
		deaf.Respond(deaf.Expect("NOTIFY"), 405)
		hears.Register("Expires: 0")
		messages(t, board, "101", 3)
		hears.Quiet(2 * time.Second)
		deaf.Quiet(2 * time.Second)
		deaf.Register("Contact: *", "Expires: 0", "Call-ID: anew")
		messages(t, board, "101", 4)
		count := make(chan int)
		f.agent.desk.in.Put(deskItem{do: func() { count <- len(f.agent.desk.notifier.others) }})
		if n := <-count; n != 0 {
			t.Errorf("the phones of %d extensions are remembered", n)
		}
	})
}

// A phone that has not answered is told the next time; one at a fixed address is
// told as well, and never again if it refuses.
func TestUnsolicitedToOthers(t *testing.T) {
	board := mwi.NewBoard(nil)
	fixed := func(c *Config) {
		c.Contacts = func(extension string) []Contact {
			if extension != "102" {
				return nil
			}
			return []Contact{{"sip:UserB@there.example", wire.UDP, netip.MustParseAddrPort("127.0.0.1:5079")}}
		}
	}
	play(t, withMessages(board, fixed), func(f *fixture) {
		p, old := f.phone("101", 5071), f.phone("102", 5079)
		p.Register()
		messages(t, board, "101", 1)
		time.Sleep(33 * time.Second)
		p.Drain(time.Millisecond)
		messages(t, board, "101", 2)
		told(t, p, unsolicitedState, 2)
		messages(t, board, "102", 1)
		m := old.Expect("NOTIFY")
		if m.URI != "sip:UserB@there.example" {
			t.Error(m.Text)
		}
		old.Respond(m, 501)
		time.Sleep(2 * time.Second)
		messages(t, board, "102", 2)
		old.Quiet(10 * time.Second)
		synctest.Wait()
	})
}
