package interop

import (
	"testing"
	"time"
)

// forwardOffice has a number a service in front of the phones of servicesOffice.
const forwardOffice = servicesOffice + `
[[phone]]
extension = "111"
forward   = { always = "102" }
[[phone]]
extension = "112"
sets      = ["103"]
forward   = { busy = "102" }
[[phone]]
extension = "113"
sets      = ["103"]
forward   = { no_answer = "102", after = "1s" }
[[phone]]
extension = "114"
sets      = ["103", "104"]
[[phone]]
extension = "115"
find_me   = ["103", "104", "102"]
`

// TestBaresipIsForwarded: a softphone calls numbers whose phones are baresips:
// forwarding always, on busy and on no answer, ringing together, find-me.
func TestBaresipIsForwarded(t *testing.T) { // RFC 5359 §2.5 to §2.10
	real(t, "baresip")
	x := start(t, forwardOffice)
	caller := x.softphone(t, "101")
	last := x.baresip(t, "102", talk(2, 25)) // the one who answers
	first := x.baresip(t, "103", talk(3, 25))
	second := x.baresip(t, "104", talk(4, 25))
	before := x.status()

	for _, c := range []struct {
		name, number string
		happens      func()
		answers      *baresip
		arrows       []string
	}{
		{"always", "111", func() { last.accepts() }, last, []string{"b2bua -> 102 INVITE", "102 -> b2bua 200"}},
		{"on busy", "112", func() {
			first.expect("CALL_INCOMING")
			first.command("hangup", "") // 486
			last.accepts()
		}, last, []string{"b2bua -> 103 INVITE", "103 -> b2bua 486", "b2bua -> 102 INVITE", "102 -> b2bua 200"}},
		{"on no answer", "113", func() {
			first.expect("CALL_INCOMING")
			first.expect("CALL_CLOSED")
			last.accepts()
		}, last, []string{"b2bua -> 103 INVITE", "b2bua -> 103 CANCEL", "b2bua -> 102 INVITE", "102 -> b2bua 200"}},
		{"together", "114", func() {
			first.expect("CALL_INCOMING")
			second.accepts()
			first.expect("CALL_CLOSED")
		}, second, []string{"b2bua -> 103 INVITE", "104 -> b2bua 200", "b2bua -> 103 CANCEL"}},
		{"find-me", "115", func() {
			first.expect("CALL_INCOMING")
			first.command("hangup", "") // busy
			second.expect("CALL_INCOMING")
			second.expect("CALL_CLOSED") // no answer for two seconds
			last.accepts()
		}, last, []string{"b2bua -> 103 INVITE", "103 -> b2bua 486", "b2bua -> 104 INVITE", "b2bua -> 104 CANCEL", "b2bua -> 102 INVITE", "102 -> b2bua 200"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := caller.Call(t.Context(), c.number)
			if err != nil {
				t.Fatal(err)
			}
			c.happens()
			answered(t, out)
			time.Sleep(1300 * time.Millisecond) // audio is real
			said, who := talk(2, 25), "102"
			if c.answers == second {
				said, who = talk(4, 25), "104"
			}
			hears(t, "the caller hears "+who, said, out.Heard())
			out.Hangup()
			c.answers.expect("CALL_CLOSED")
			first.forget()
			second.forget()
			r := x.record("101", c.number)
			r.says(t, who, 200, "101 hung up")
			r.passed(t, c.arrows...)
		})
	}
	x.settle(before)
}

// TestForwardingSurvivesRestart: what baresip dials with *72 and *78 holds
// after the exchange has been stopped and started again.
func TestForwardingSurvivesRestart(t *testing.T) {
	real(t, "baresip")
	for _, c := range []struct {
		code string
		want func(t *testing.T, x *exchange)
	}{
		{"*72102", func(t *testing.T, x *exchange) {
			target, caller := x.softphone(t, "102"), x.softphone(t, "103")
			out, err := caller.Call(t.Context(), "101")
			if err != nil {
				t.Fatal(err)
			}
			waitForCall(t, target).Answer()
			answered(t, out)
			out.Hangup()
			x.record("103", "101").says(t, "102", 200, "103 hung up")
		}},
		{"*78", func(t *testing.T, x *exchange) {
			caller := x.softphone(t, "103")
			out, err := caller.Call(t.Context(), "101")
			if err != nil {
				t.Fatal(err)
			}
			ended(t, out)
			if out.Err() == nil {
				t.Error("a call to a phone with do not disturb has succeeded")
			}
			x.record("103", "101").says(t, "", 486, "phone 101 does not want to be disturbed")
		}},
	} {
		t.Run(c.code, func(t *testing.T) {
			dir := t.TempDir()
			x := startIn(t, dir, servicesOffice)
			b := x.baresip(t, "101", nil)
			before := x.status()
			b.dials(x, c.code)
			b.expect("CALL_ESTABLISHED")
			b.expect("CALL_CLOSED") // after the confirmation tone
			x.record("101", c.code).says(t, "", 200, "the exchange ended the call: done")
			x.settle(before)
			x.stop()

			x = startIn(t, dir, servicesOffice)
			c.want(t, x)
			x.settle(x.status())
		})
	}
}
