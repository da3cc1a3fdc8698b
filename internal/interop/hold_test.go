package interop

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"crosspoint/internal/witness"
)

// TestBaresipHolds: baresip puts a phone on hold by re-INVITE and takes it back.
// The held phone hears the office's music, the holder gets no packet.
func TestBaresipHolds(t *testing.T) { // RFC 5359 §2.1
	real(t, "baresip")
	music := talk(7, 4)
	file := filepath.Join(t.TempDir(), "music.wav")
	witness.Save(t, file, music)
	x := start(t, servicesOffice+fmt.Sprintf("[music]\nfile = %q\n", file))
	phone := x.softphone(t, "102")
	b := x.baresip(t, "101", talk(4, 8))
	before := x.status()

	b.dials(x, "102")
	in := waitForCall(t, phone)
	first, second, third := talk(1, 1), talk(2, 1), talk(3, 2)
	in.Answer()
	b.expect("CALL_ESTABLISHED")
	time.Sleep(300 * time.Millisecond) // audio is real
	in.Say(first)
	time.Sleep(1300 * time.Millisecond)

	b.command("hold", "")
	b.expect("CALL_REMOTE_SDP")
	mark := len(in.Heard())
	in.Say(second)
	time.Sleep(200 * time.Millisecond)
	got := b.packets()
	time.Sleep(1200 * time.Millisecond)
	if n := b.packets() - got; n != 0 {
		t.Errorf("the holder got %d packets in 1.2 s of hold", n)
	}
	held := since(mark, in.Heard())

	b.command("resume", "")
	b.expect("CALL_REMOTE_SDP")
	time.Sleep(200 * time.Millisecond)
	mark = len(in.Heard())
	in.Say(third)
	time.Sleep(2500 * time.Millisecond)
	if b.packets() == got {
		t.Error("no packet came to the holder after it had taken the call back")
	}
	back := since(mark, in.Heard())
	b.command("hangup", "")
	ended(t, in)

	hears(t, "the held phone hears music", music, held)
	hearsNot(t, "the held phone hears music after it was taken back", music, back)
	hearsNot(t, "the held phone hears its holder", talk(4, 8), held)
	hears(t, "the phone hears baresip again", talk(4, 8), back)
	heard := b.ear.heard()
	hears(t, "baresip hears the phone after the hold", third, heard)
	hearsNot(t, "baresip hears what was said during the hold", second, heard)

	r := x.record("101", "102")
	r.says(t, "102", 200, "101 hung up")
	r.passed(t, "101 -> b2bua INVITE", "101 -> b2bua INVITE (hold)", "101 -> b2bua INVITE", "101 -> b2bua BYE")
	x.settle(before)
}
