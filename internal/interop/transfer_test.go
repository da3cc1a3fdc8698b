package interop

import (
	"strings"
	"testing"
	"time"
)

// TestBaresipTransfers: baresip transfers its call by REFER (RFC 5359 §2.4): to
// a phone that answers, to one that is busy, to one that nobody answers. Where
// it fails, baresip is told why, and hangs up itself: version 1.0 does not take
// the call back. TestSippTransfers does.
func TestBaresipTransfers(t *testing.T) {
	real(t, "baresip")
	x := start(t, servicesOffice+"[[phone]]\nextension = \"116\"\nfind_me = [\"103\"]\n") // 116 rings for two seconds
	transferee := x.softphone(t, "102")
	transferor := x.baresip(t, "101", talk(1, 8))
	target := x.baresip(t, "103", talk(3, 8))
	before := x.status()

	for i, c := range []struct {
		name    string
		to      string
		happens func()
		status  string
		arrows  []string
	}{
		{"busy", "103", func() {
			target.expect("CALL_INCOMING")
			target.command("hangup", "")
		}, "486", []string{"103 -> b2bua 486", "b2bua -> 101 NOTIFY 486", "101 -> b2bua BYE"}},
		{"no answer", "116", func() {
			target.expect("CALL_INCOMING")
			target.expect("CALL_CLOSED") // after the two seconds that it may ring
		}, "480", []string{"b2bua -> 101 NOTIFY 180", "b2bua -> 103 CANCEL", "b2bua -> 101 NOTIFY 480", "101 -> b2bua BYE"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			transferor.dials(x, "102")
			in := waitForCall(t, transferee)
			in.Answer()
			transferor.expect("CALL_ESTABLISHED")
			transferor.command("transfer", at(c.to, x.udp))
			c.happens()
			if ev := transferor.expect("TRANSFER_FAILED"); !strings.HasPrefix(ev.Param, c.status) {
				t.Errorf("baresip is told %q, not %s", ev.Param, c.status)
			}
			ended(t, in)
			r := x.nth(i+1, "101", "102")
			r.says(t, "102", 200, "101 hung up")
			r.passed(t, append([]string{"101 -> b2bua REFER", "b2bua -> 101 202", "b2bua -> 101 NOTIFY 100", "b2bua -> 103 INVITE"}, c.arrows...)...)
		})
	}
	t.Run("answered", func(t *testing.T) {
		target.forget()
		transferor.dials(x, "102")
		in := waitForCall(t, transferee)
		in.Answer()
		transferor.expect("CALL_ESTABLISHED")
		transferor.command("transfer", at("103", x.udp))
		target.accepts()
		if ev := transferor.expect("CALL_CLOSED"); ev.Param != "Call transfered" { // its own spelling
			t.Errorf("baresip's call is over by %q, not because it is transferred", ev.Param)
		}
		mark, words := len(in.Heard()), talk(2, 2)
		in.Say(words)
		time.Sleep(2300 * time.Millisecond) // audio is real
		after := since(mark, in.Heard())
		target.command("hangup", "")
		ended(t, in)
		hears(t, "the transferee hears the target", talk(3, 8), after)
		hears(t, "the target hears the transferee", words, target.ear.heard())
		r := x.nth(3, "101", "102")
		r.says(t, "102", 200, "103 hung up") // 102 had answered the call
		// A NOTIFY waits for the answer to the one before: it may come after what it tells of.
		r.passed(t, "101 -> b2bua REFER", "b2bua -> 101 202", "b2bua -> 101 NOTIFY 100", "b2bua -> 101 NOTIFY 180", "b2bua -> 101 NOTIFY 200", "b2bua -> 101 BYE")
		r.passed(t, "101 -> b2bua REFER", "b2bua -> 103 INVITE", "103 -> b2bua 180", "103 -> b2bua 200", "b2bua -> 101 NOTIFY 200", "103 -> b2bua BYE", "b2bua -> 102 BYE")
	})
	x.settle(before)
}
