package interop

import (
	"testing"
	"time"
)

// TestBaresipParks: baresip parks its call by a transfer to the park code,
// another one takes it up by the retrieve code (RFC 5359 §2.17).
func TestBaresipParks(t *testing.T) {
	real(t, "baresip")
	x := start(t, servicesOffice)
	caller := x.softphone(t, "102")
	parker := x.baresip(t, "101", talk(1, 8))
	other := x.baresip(t, "103", talk(3, 8))
	before := x.status()

	out, err := caller.Call(t.Context(), "101")
	if err != nil {
		t.Fatal(err)
	}
	parker.accepts()
	answered(t, out)
	parker.command("transfer", at("*701", x.udp))
	if ev := parker.expect("CALL_CLOSED"); ev.Param != "Call transfered" {
		t.Errorf("the one who parks has its call ended by %q, not as transferred", ev.Param)
	}
	words := talk(2, 2)
	other.dials(x, "*711")
	other.expect("CALL_ESTABLISHED")
	time.Sleep(500 * time.Millisecond) // audio is real
	mark := len(out.Heard())
	out.Say(words)
	time.Sleep(1900 * time.Millisecond)
	hears(t, "the parked party hears who took it up", talk(3, 8), since(mark, out.Heard()))
	other.command("hangup", "")
	ended(t, out)
	hears(t, "who took it up hears the parked party", words, other.ear.heard())

	r := x.record("102", "101")
	r.says(t, "103", 200, "103 hung up")
	r.passed(t, "101 -> b2bua REFER *701", "b2bua -> 101 NOTIFY 200", "b2bua -> 103 200", "103 -> b2bua BYE", "b2bua -> 102 BYE")
	x.record("103", "*711").says(t, "", 200, "103 took over call "+r.ID)
	x.settle(before)
}

// TestBaresipPicksUp: baresip picks a call up that rings at another one (RFC
// 5359 §2.11), which then stops ringing.
func TestBaresipPicksUp(t *testing.T) {
	real(t, "baresip")
	x := start(t, servicesOffice)
	caller := x.softphone(t, "102")
	called := x.baresip(t, "101", talk(1, 5))
	picker := x.baresip(t, "103", talk(3, 5))
	before := x.status()

	picker.dials(x, "*8") // too early
	if ev := picker.expect("CALL_CLOSED"); ev.Param[:3] != "404" {
		t.Errorf("a pickup where nothing rings ends with %q, not 404", ev.Param)
	}
	x.record("103", "*8").says(t, "", 404, "there is no call to pick up")

	out, err := caller.Call(t.Context(), "101")
	if err != nil {
		t.Fatal(err)
	}
	called.expect("CALL_INCOMING")
	picker.dials(x, "*8")
	picker.expect("CALL_ESTABLISHED")
	answered(t, out)
	called.expect("CALL_CLOSED")
	time.Sleep(1400 * time.Millisecond) // audio is real
	hears(t, "the caller hears who picked up", talk(3, 5), out.Heard())
	out.Hangup()
	picker.expect("CALL_CLOSED")
	r := x.record("102", "101")
	r.says(t, "103", 200, "102 hung up")
	r.passed(t, "b2bua -> 101 INVITE", "101 -> b2bua 180", "b2bua -> 103 200", "102 -> b2bua BYE", "b2bua -> 103 BYE")
	x.settle(before)
}
