package interop

import (
	"testing"
	"time"
)

// TestBaresipThreeWay: baresip has two calls, one on hold, and dials *3: all
// three hear one another. When the one who joined them leaves, the two others
// talk on (RFC 5359 §2.10).
func TestBaresipThreeWay(t *testing.T) {
	real(t, "baresip")
	x := start(t, servicesOffice)
	voice := map[string][]int16{"101": talk(1, 12), "102": talk(2, 12), "103": talk(3, 12)}
	host, first, second := x.baresip(t, "101", voice["101"]), x.baresip(t, "102", voice["102"]), x.baresip(t, "103", voice["103"])
	before := x.status()

	host.dials(x, "102")
	first.accepts()
	host.expect("CALL_ESTABLISHED")
	host.command("hold", "")
	host.expect("CALL_REMOTE_SDP")
	time.Sleep(1100 * time.Millisecond) // its recorder has one file a second
	host.dials(x, "103")
	second.accepts()
	host.expect("CALL_ESTABLISHED")
	time.Sleep(1100 * time.Millisecond)
	host.command("hold", "")
	host.dials(x, "*3")
	host.expect("CALL_CLOSED") // the second call, which the first has taken in
	host.expect("CALL_CLOSED") // the code's own, after the confirmation tone
	time.Sleep(300 * time.Millisecond)
	marks := map[*baresip]int{host: host.ear.mark(), first: first.ear.mark(), second: second.ear.mark()}
	time.Sleep(2 * time.Second) // audio is real
	names := map[*baresip]string{host: "101", first: "102", second: "103"}
	for b, mark := range marks {
		heard := b.ear.since(mark)
		for who, said := range voice {
			if who != names[b] {
				hears(t, names[b]+" hears "+who, said, heard)
			} else {
				hearsNot(t, names[b]+" hears itself", said, heard)
			}
		}
	}

	host.command("hangup", "")
	host.expect("CALL_CLOSED")
	time.Sleep(200 * time.Millisecond)
	mark := first.ear.mark()
	time.Sleep(2 * time.Second)
	hears(t, "102 hears 103 after 101 has left", voice["103"], first.ear.since(mark))
	first.command("hangup", "")
	second.expect("CALL_CLOSED")

	r := x.record("101", "102")
	r.says(t, "103", 200, "102 hung up")
	r.passed(t, "101 -> b2bua INVITE (hold)", "b2bua -> 102 INVITE", "101 -> b2bua BYE", "102 -> b2bua BYE", "b2bua -> 103 BYE")
	x.record("101", "103").says(t, "103", 200, "101 joined it with call "+r.ID)
	x.record("101", "*3").says(t, "", 200, "the exchange ended the call: done")
	x.settle(before)
}

// TestBaresipPressesKeys: keys that are pressed during a call arrive once each,
// at another phone and at the echo service.
func TestBaresipPressesKeys(t *testing.T) { // RFC 4733
	real(t, "baresip")
	x := start(t, servicesOffice)
	b, other := x.baresip(t, "101", nil), x.baresip(t, "102", nil)
	before := x.status()

	b.dials(x, "102")
	other.accepts()
	b.expect("CALL_ESTABLISHED")
	b.command("sndcode", "5*#0")
	other.keys("5*#0")
	b.command("hangup", "")
	other.expect("CALL_CLOSED")
	x.record("101", "102").says(t, "102", 200, "101 hung up")

	b.forget()
	b.dials(x, "*43")
	b.expect("CALL_ESTABLISHED")
	time.Sleep(200 * time.Millisecond) // its own audio must run
	b.command("sndcode", "17")
	b.keys("17")
	b.command("hangup", "")
	x.record("101", "*43").says(t, "", 200, "101 hung up")
	x.settle(before)
}

// keys waits until baresip has told of these keys, each once, and of no more.
func (b *baresip) keys(want string) {
	b.t.Helper()
	got := ""
	late := time.After(10 * time.Second)
	for done := (<-chan time.Time)(nil); ; {
		select {
		case ev := <-b.events:
			if ev.Type == "CALL_DTMF_START" {
				got += ev.Param
			}
			if len(got) == len(want) && done == nil {
				done = time.After(400 * time.Millisecond) // a key that comes twice
			}
		case <-done:
			if got != want {
				b.t.Errorf("the keys %q arrived as %q", want, got)
			}
			return
		case <-late:
			b.t.Fatalf("of the keys %q arrived %q within 10 s", want, got)
		}
	}
}
