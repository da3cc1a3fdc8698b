package sipleg

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/mwi"
	"crosspoint/internal/siptest"
)

// Messages about messages that are wrong in one way or more: of phones that may
// subscribe, of voice mail, and of a peer where we have a mailbox.
func TestHostileNotices(t *testing.T) {
	board := mwi.NewBoard(nil)
	change := func(c *Config) {
		withVoiceMail(c)
		withMailbox(board)(c)
	}
	play(t, change, func(f *fixture) {
		random := rand.New(rand.NewPCG(5, 6))
		phone, vm, peer := f.phone("101", 5071), f.trunk(), provider(f, "172.16.0.1:5060")
		phone.Register()
		phone.Wait, peer.Wait = 50*time.Millisecond, 50*time.Millisecond
		events := []string{"Event: message-summary;id=7", "Accept: application/*;q=0.1, */*", "Expires: 300", "Record-Route: <sip:127.0.0.1:5099;lr>"}
		summary := "body " + mwi.ContentType + "\nMessages-Waiting: yes\nMessage-Account: sip:102@127.0.0.1\nVoice-Message: 2/8 (0/2)\n"
		for i := range 150 {
			d := phone.Dial("101")
			d.Request("SUBSCRIBE", events...)
			if m := phone.Any(); m != nil && m.Status == 401 {
				text := silently(phone, func() string {
					return d.Request("SUBSCRIBE", append(events, phone.Authorize(m, "SUBSCRIBE", d.Target))...).Text
				})
				if i%2 == 0 { // every other one is granted
					phone.Send(text)
					if ok := phone.Any(); ok != nil && ok.Status == 200 {
						d.Established(ok)
					}
				} else {
					phone.SendRaw([]byte(mangle(random, text)))
				}
			}
			if err := board.Set("101", mwi.Summary{Waiting: true, New: i}); err != nil {
				t.Error(err)
			}
			for m := phone.Any(); m != nil; m = phone.Any() {
				if m.Method == "NOTIFY" {
					text := silently(phone, func() string { return d.Respond(m, []int{200, 481, 503}[i%3], "Retry-After: 1").Text })
					phone.SendRaw([]byte(mangle(random, text)))
				}
			}
			text := silently(phone, func() string { return d.Request("SUBSCRIBE", events...).Text })
			phone.SendRaw([]byte(mangle(random, text)))
			text = silently(vm, func() string {
				return vm.Request("NOTIFY", "102", "Event: message-summary", "Subscription-State: active", summary).Text
			})
			vm.SendRaw([]byte(mangle(random, text)))
			vm.Drain(time.Millisecond)
			for m := peer.Any(); m != nil; m = peer.Any() {
				if m.Method == "SUBSCRIBE" {
					spoil(random, peer, m, summary)
				}
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		if err := board.Set("101", mwi.Summary{}); err != nil { // those who have subscribed are there still
			t.Error(err)
		}
		f.agent.SetParties(Parties{})
		time.Sleep(time.Hour)
		if n := f.agent.Stats().Watchers; n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
		peer.Drain(time.Millisecond)
	})
}

// spoil answers our SUBSCRIBE with what is mangled, and sends mangled NOTIFYs before
// and after.
func spoil(random *rand.Rand, peer *siptest.Peer, m *siptest.Message, summary string) {
	d := peer.Incoming(m)
	state := []string{"active;expires=60", "terminated;reason=deactivated", "terminated;reason=probation;retry-after=1"}[random.IntN(3)]
	for range 2 {
		text := silently(peer, func() string {
			return d.Request("NOTIFY", "Event: message-summary", "Subscription-State: "+state, summary).Text
		})
		peer.SendRaw([]byte(mangle(random, text)))
		text = silently(peer, func() string {
			return d.Respond(m, []int{200, 200, 401, 423, 481}[random.IntN(5)], fmt.Sprintf(providersChallenge, random.IntN(9)), "Min-Expires: 90", "Expires: 60", "Record-Route: <sip:172.16.0.1:5060;lr>").Text
		})
		peer.SendRaw([]byte(mangle(random, text)))
	}
}
