package lab

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/gateway/linesim"
	"crosspoint/internal/siptest"
	"crosspoint/media/g711"
)

// timeslotText is a T1 with two E&M timeslots to another exchange.
const timeslotText = `
[[card]]
name = "t1"
port = "sim"
[[line]]
name = "t1-1"
card = "t1"
port = 1
kind = "tdm"
signalling = "wink-start"
[[line]]
name = "t1-2"
card = "t1"
port = 2
kind = "tdm"
signalling = "wink-start"
[[trunk]]
name = "pstn"
lines = ["t1-1", "t1-2"]
hunt = "descending"
[[rule]]
dial = "777xxxx"
to = "pstn"
class = "local"
[[incoming]]
dialed = "2101"
to = "101"
[[incoming]]
dialed = "2102"
to = "102"
[emergency]
to = "pstn"
place = "here"
`

// TestTimeslotTrunk: a SIP phone calls out over a timeslot, and a caller of the
// other exchange dials straight through to an extension. Either end hangs up.
func TestTimeslotTrunk(t *testing.T) {
	town := linesim.Config{
		Cards:       []linesim.CardConfig{{Name: "t1", Timeslots: make([]linesim.TimeslotConfig, 2)}},
		Subscribers: []linesim.Subscriber{{Number: "7773660", Name: "Bob", Plays: linesim.Signal(4 * time.Second)}},
	}
	Play(t, Config{Text: officeText + timeslotText, Town: town}, func(l *Lab) {
		o := &office{Lab: l, phones: map[string]*siptest.Peer{}}
		line := func(name string) *linesim.Line { return o.Town.Town().Line(name) }
		state := func(name, want string) {
			t.Helper()
			synctest.Wait()
			for _, s := range o.Office.Gateway.Lines() {
				if s.Line == name && s.State != want {
					t.Errorf("%s is %q, want %q", name, s.State, want)
				}
			}
		}
		// Out: 101 calls Bob, who hangs up.
		alice := o.dials("101", "7773660")
		time.Sleep(2 * time.Second) // the wink, and seven digits
		o.phone("101").Expect("183")
		o.connected(alice)
		state("t1-2", "talking with 7773660")
		if got := line("tdm2").Status(); got.Dialed != "7773660" || got.State != "talking" {
			t.Errorf("the town: %+v", got)
		}
		time.Sleep(time.Second)
		heard := record(t, o, alice, 400*time.Millisecond)
		if at := strings.Index(codes(linesim.Signal(4*time.Second)), heard); at < 0 {
			t.Error("what the phone hears is not, code for code, what the far end says")
		}
		line("tdm2").HangUp()
		o.ended(alice)
		state("t1-2", "idle")
		if r := o.Last(); r.Cause.Filled().Q850 != 16 || !strings.Contains(r.Ladder.String(), "wink") {
			t.Errorf("record: %v\n%v", r.Cause, r.Ladder)
		}
		// In: a caller dials 2102.
		o.phone("102")
		if err := o.Town.Town().Ring("tdm1", linesim.Subscriber{Number: "5551234", Dials: "2102"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		bob := o.rings("102")
		time.Sleep(time.Second)
		if line("tdm1").Status().State == "talking" {
			t.Error("answered before the phone was")
		}
		o.answer(bob)
		time.Sleep(time.Second)
		state("t1-1", "talking with unknown")
		if got := line("tdm1").Status(); got.State != "talking" {
			t.Errorf("the town: %+v", got)
		}
		bob.Request("BYE")
		o.phone("102").Expect("200")
		time.Sleep(2 * time.Second)
		state("t1-1", "idle")
		if got := line("tdm1").Status(); got.State != "idle" {
			t.Errorf("the town: %+v", got)
		}
		// In: a number that nobody has is refused by tone, and not answered.
		if err := o.Town.Town().Ring("tdm1", linesim.Subscriber{Number: "5551234", Dials: "2999"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * time.Second)
		state("t1-1", "seized by the far end, which hears congestion tone")
		line("tdm1").HangUp()
		time.Sleep(time.Second)
		state("t1-1", "idle")
	})
}

func codes(pcm []int16) string {
	b := make([]byte, len(pcm))
	g711.MuLaw.Encode(b, pcm)
	return strings.ReplaceAll(string(b), "\x7f", "\xff")
}

// record is what a phone hears for a while, as µ-law codes.
func record(t *testing.T, o *office, c *call, d time.Duration) string {
	t.Helper()
	u, err := o.Net.ListenUDP(rtpOf(c.Peer).String())
	o.must(err)
	defer u.Close()
	var heard []byte
	packet := make([]byte, 1500)
	for n := 0; n < int(d/(20*time.Millisecond)); n++ {
		size, _, err := u.ReadFromUDPAddrPort(packet)
		o.must(err)
		if size != 12+160 || packet[1]&0x7f != 0 {
			t.Fatalf("a packet of %d octets, payload type %d", size, packet[1]&0x7f)
		}
		heard = append(heard, packet[12:size]...)
	}
	return strings.ReplaceAll(string(heard), "\x7f", "\xff")
}
