package interop

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"crosspoint/internal/softphone"
	"crosspoint/media/measure"
)

// servicesOffice has four phones and all feature codes. Nobody rings for more
// than two seconds.
const servicesOffice = `
country = "us"
ring    = "2s"

[[phone]]
extension = "101"
secret    = "Kestrel-over-Mill-101"
[[phone]]
extension = "102"
secret    = "Kestrel-over-Mill-102"
[[phone]]
extension = "103"
secret    = "Kestrel-over-Mill-103"
[[phone]]
extension = "104"
secret    = "Kestrel-over-Mill-104"

[features]
pickup             = "*8"
park               = "*70"
retrieve           = "*71"
forward_always     = "*72"
forward_off        = "*73"
do_not_disturb     = "*78"
do_not_disturb_off = "*79"
three_way          = "*3"
echo               = "*43"
`

// baresip starts a baresip as a phone of servicesOffice and registers it.
func (x *exchange) baresip(t *testing.T, extension string, pcm []int16) *baresip {
	t.Helper()
	b := runBaresip(t, fmt.Sprintf("<sip:%s@%s;transport=udp>;auth_user=%[1]s;auth_pass=Kestrel-over-Mill-%[1]s;regint=120;audio_codecs=PCMU/8000/1,PCMA/8000/1",
		extension, x.udp), pcm, "alsa,ear")
	x.registers(extension)
	return b
}

// softphone is a phone of servicesOffice that keeps all that it hears.
func (x *exchange) softphone(t *testing.T, extension string) *softphone.Phone {
	t.Helper()
	return phone(t, softphone.Config{User: extension, Secret: "Kestrel-over-Mill-" + extension, Server: x.udp})
}

// at is how a baresip dials a number of the exchange.
func at(number string, x netip.AddrPort) string { return fmt.Sprintf("sip:%s@%s", number, x) }

// dials has a baresip dial a number.
func (b *baresip) dials(x *exchange, number string) { b.command("dial", at(number, x.udp)) }

// accepts has a baresip answer the call that rings.
func (b *baresip) accepts() {
	b.t.Helper()
	b.expect("CALL_INCOMING")
	b.command("accept", "")
	b.expect("CALL_ESTABLISHED")
}

// forget drops the events that nobody has waited for.
func (b *baresip) forget() {
	for {
		select {
		case <-b.events:
		default:
			return
		}
	}
}

// ask gives a command and waits for an answer that matches.
func (b *baresip) ask(name string, answer *regexp.Regexp) []string {
	b.t.Helper()
	b.command(name, "")
	late := time.After(5 * time.Second)
	for {
		select {
		case text := <-b.said:
			if m := answer.FindStringSubmatch(text); m != nil {
				return m
			}
		case <-late:
			b.t.Fatalf("baresip's answer to %s does not match %s within 5 s", name, answer)
		}
	}
}

var received = regexp.MustCompile(`psent=\d+ rcvd=(\d+)`)

// packets is how many RTP packets baresip has received in its only call, as
// its RTP stack counts them.
func (b *baresip) packets() int {
	b.t.Helper()
	n, err := strconv.Atoi(b.ask("audio_debug", received)[1])
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// A record is what the exchange keeps of a call.
type record struct {
	call
	Ladder []struct{ From, To, Text string }
	Trail  string
	Figure string
}

// record waits until the only call from one number to another is over, and is
// what is kept of it.
func (x *exchange) record(from, dialed string) record {
	x.t.Helper()
	return x.nth(1, from, dialed)
}

// nth is record of the last of so many.
func (x *exchange) nth(count int, from, dialed string) record {
	x.t.Helper()
	var r record
	eventually(x.t, "the call from "+from+" to "+dialed+" is over", 10*time.Second, func() bool {
		var last call
		n := 0
		for _, c := range x.calls() {
			if c.From != from || c.Dialed != dialed {
				continue
			}
			if n++; c.State != "ended" {
				return false
			}
			if n == 1 || !c.Began.Before(last.Began) {
				last = c
			}
		}
		if n > count {
			x.t.Fatalf("there are %d calls from %s to %s, not %d", n, from, dialed, count)
		}
		return n == count && x.ask("/call?id="+url.QueryEscape(last.ID), &r) == nil
	})
	return r
}

// says checks what a record says of how the call ended. Empty is not checked.
func (r record) says(t *testing.T, answerer string, status int, why string) {
	t.Helper()
	if r.Answerer != answerer || r.Status != status || !strings.Contains(r.Why, why) {
		t.Errorf("the record of %s to %s says answered by %q, status %d, %q; want %q, %d, %q\n%s",
			r.From, r.Dialed, r.Answerer, r.Status, r.Why, answerer, status, why, r.Figure)
	}
}

// passed checks that some arrows stand in the record's ladder, in this order:
// "101 -> b2bua REFER". What else stands between them is not looked at.
func (r record) passed(t *testing.T, arrows ...string) {
	t.Helper()
	var order []string
	for _, a := range arrows {
		if !strings.HasSuffix(a, " CANCEL") {
			order = append(order, a)
		} else if invite := r.place(strings.TrimSuffix(a, "CANCEL") + "INVITE"); invite < 0 || r.place(a) < invite {
			// It follows its own INVITE; to what another dialog does next it has no order.
			t.Errorf("the ladder of %s to %s has no %q\n%s", r.From, r.Dialed, a, r.Figure)
		}
	}
	rest := order
	for _, rung := range r.Ladder {
		if len(rest) > 0 && strings.HasPrefix(rung.From+" -> "+rung.To+" "+rung.Text, rest[0]) {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		t.Errorf("the ladder of %s to %s has no %q after %q\n%s", r.From, r.Dialed, rest[0], order[:len(order)-len(rest)], r.Figure)
	}
}

// place is where the ladder has an arrow for the first time; -1: it has none.
func (r record) place(arrow string) int {
	for i, rung := range r.Ladder {
		if strings.HasPrefix(rung.From+" -> "+rung.To+" "+rung.Text, arrow) {
			return i
		}
	}
	return -1
}

// hears checks that for 600 ms at least what was said was heard, perhaps below
// another voice: a machine that has other things to do loses some.
func hears(t *testing.T, what string, said, heard []int16) {
	t.Helper()
	r := measure.Compare(said, heard)
	t.Logf("%s: %d ms, gain %+.2f dB", what, 20*(r.Segments-r.Lost), r.Gain)
	if r.Segments-r.Lost < 30 {
		t.Errorf("%s: only %d ms of it were heard", what, 20*(r.Segments-r.Lost))
	}
	if r.Heard() && (r.Gain < -1.5 || r.Gain > 1.5) {
		t.Errorf("%s: gain %+.1f dB", what, r.Gain)
	}
}

// hearsNot checks that nothing of what was said was heard.
func hearsNot(t *testing.T, what string, said, heard []int16) {
	t.Helper()
	if r := measure.Compare(said, heard); r.Segments-r.Lost > 5 {
		t.Errorf("%s: %d ms of it were heard", what, 20*(r.Segments-r.Lost))
	}
}

// talk is a voice of so many seconds.
func talk(seed uint64, seconds int) []int16 {
	pcm := make([]int16, seconds*8000)
	measure.NewSignal(seed, -16).Read(pcm)
	return pcm
}

// since is what was heard after a mark.
func since(mark int, heard []int16) []int16 { return slices.Clone(heard[min(mark, len(heard)):]) }

// answered waits until a call that a softphone has placed is answered.
func answered(t *testing.T, c *softphone.Call) {
	t.Helper()
	select {
	case <-c.Answered():
	case <-c.Done():
		t.Fatalf("the call failed: %v", c.Err())
	case <-time.After(10 * time.Second):
		t.Fatal("the call was not answered within 10 s")
	}
}

// ended waits until a softphone's call is over.
func ended(t *testing.T, c *softphone.Call) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the call was not ended within 10 s")
	}
}
