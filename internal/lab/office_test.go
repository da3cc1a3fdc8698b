package lab

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"crosspoint/b2bua"
	"crosspoint/internal/siptest"
)

// officeText is an office of modern phones that register, one phone of 1999
// and two analog ones, with a line to the town.
const officeText = `
country  = "us"
area     = "201"
timezone = "UTC"
[sip]
realm = "office"
[features]
pickup = "*8"
pickup_directed = "*88"
park = "*70"
retrieve = "*71"
redial = "*66"
call_back = "*65"
three_way = "*3"
[[phone]]
extension = "101"
name = "Alice"
secret = "lantern-101"
allow = ["internal", "local"]
[[phone]]
extension = "102"
name = "Bob"
secret = "lantern-102"
[[phone]]
extension = "103"
name = "Carol"
secret = "lantern-103"
[[phone]]
extension = "104"
name = "Dave"
secret = "lantern-104"
[[phone]]
extension = "199"
name = "Old Bill"
secret = "lantern-199"
contacts = "sip:199@127.0.0.1:5199"
[[phone]]
extension = "160"
forward = { always = "103" }
[[phone]]
extension = "161"
sets = ["103"]
forward = { busy = "104" }
[[phone]]
extension = "162"
sets = ["103"]
forward = { no_answer = "104", after = "10s" }
[[phone]]
extension = "163"
find_me = ["102", "103", "104"]
[[phone]]
extension = "164"
sets = ["102", "103"]
`

// linesText are the office's analog telephones and its line.
const linesText = `
[[phone]]
extension = "131"
name = "Kitchen"
[[phone]]
extension = "132"
name = "Hall"
[[card]]
name = "card1"
port = "sim"
[[line]]
name = "fxo1"
card = "card1"
port = 1
kind = "fxo"
incoming = "131"
[[line]]
name = "fxs1"
card = "card1"
port = 2
kind = "fxs"
extension = "131"
[[line]]
name = "fxs2"
card = "card1"
port = 3
kind = "fxs"
extension = "132"
[[trunk]]
name = "pstn"
lines = ["fxo1"]
[[rule]]
dial = "777xxxx"
to = "pstn"
class = "local"
[emergency]
to = "pstn"
place = "here"
`

// An office is a lab with that file, and with the phones that a test has named.
type office struct {
	*Lab
	phones map[string]*siptest.Peer
}

func inOffice(t *testing.T, script func(o *office)) {
	inOfficeWith(t, officeText, b2bua.Config{}, script)
}

func inOfficeWith(t *testing.T, text string, calls b2bua.Config, script func(o *office)) {
	t.Helper()
	Play(t, Config{Text: text, Calls: calls}, func(l *Lab) {
		script(&office{Lab: l, phones: map[string]*siptest.Peer{}})
	})
}

// phone is the extension's phone, registered; that of 1999 has its fixed address.
func (o *office) phone(extension string) *siptest.Peer {
	o.t.Helper()
	if o.phones[extension] == nil {
		p := o.Phone(extension, "5"+extension)
		if extension == "199" {
			p.Legacy, p.Host = true, "old.example"
		}
		o.phones[extension] = p
	}
	return o.phones[extension]
}

// able is what a phone of today says in its INVITE and its 200.
var able = []string{"Allow: INVITE, ACK, CANCEL, BYE, REFER, NOTIFY, INFO", "Supported: replaces, 100rel"}

// rtpOf is where a phone listens.
func rtpOf(p *siptest.Peer) netip.AddrPort {
	at := netip.MustParseAddrPort(p.Addr())
	return netip.AddrPortFrom(at.Addr(), 20000+2*at.Port())
}

// sdp is a phone's description.
func sdp(p *siptest.Peer, extra ...string) string {
	return siptest.SDP("127.0.0.1", int(rtpOf(p).Port()), extra...)
}

// says are what a phone adds to an INVITE or a 200: its description, and if it
// is of today what it can.
func says(p *siptest.Peer, extra ...string) []string {
	if p.Legacy {
		return []string{sdp(p, extra...)}
	}
	return append([]string{sdp(p, extra...)}, able...)
}

// A call is one phone's part in a call.
type call struct {
	*siptest.Dialog
	to netip.AddrPort // where the exchange listens
}

// dials is a call that is not answered yet.
func (o *office) dials(from, number string, extra ...string) *call {
	o.t.Helper()
	p := o.phone(from)
	return &call{Dialog: p.Invite(number, append(says(p), extra...)...)}
}

// rings takes the INVITE at a phone, and rings.
func (o *office) rings(extension string) *call {
	o.t.Helper()
	p := o.phone(extension)
	invite := p.Expect("INVITE")
	c := &call{Dialog: p.Incoming(invite), to: described(invite.Body)}
	c.Respond(invite, 180)
	return c
}

// talking is a call between two phones.
func (o *office) talking(from, to string) (caller, callee *call) {
	o.t.Helper()
	o.phone(to)
	caller = o.dials(from, to)
	callee = o.rings(to)
	o.phone(from).Expect("180")
	o.answer(callee)
	o.connected(caller)
	return caller, callee
}

// answer answers, and waits for the ACK.
func (o *office) answer(c *call) {
	o.t.Helper()
	c.Respond(c.Dialog.Invite, 200, says(c.Peer)...)
	c.Peer.Expect("ACK")
}

// connected takes the 200 at the caller.
func (o *office) connected(c *call) {
	o.t.Helper()
	ok := c.Peer.Expect("200 INVITE")
	c.to = described(ok.Body)
	c.Ack(ok)
}

// hear: what each says comes to the other one.
func (o *office) hear(a, b *call) {
	o.t.Helper()
	for _, way := range [][2]*call{{a, b}, {b, a}} {
		from, to := way[0], way[1]
		before := o.Wire.Heard(rtpOf(to.Peer))
		o.speak(rtpOf(from.Peer), from.to, 10)
		if n := o.Wire.Heard(rtpOf(to.Peer)) - before; n < 8 || n > 12 {
			o.t.Errorf("of 10 packets from %s %d have come to %s", from.Peer.User, n, to.Peer.User)
		}
	}
}

// hangsUp ends a call from one side; the other takes the BYE.
func (o *office) hangsUp(who, other *call) {
	o.t.Helper()
	who.Request("BYE")
	who.Peer.Expect("200 BYE")
	other.Respond(other.Peer.Expect("BYE"), 200)
}

// ended takes the exchange's BYE.
func (o *office) ended(c *call) *siptest.Message {
	o.t.Helper()
	bye := c.Peer.Expect("BYE")
	c.Respond(bye, 200)
	return bye
}

// notified takes NOTIFYs of a referral with these states, and confirms them.
func (o *office) notified(c *call, states ...int) {
	o.t.Helper()
	for _, want := range states {
		m := c.Peer.Expect("NOTIFY")
		synctest.Wait() // what else the exchange sends comes before the phone's answer
		c.Respond(m, 200)
		if !strings.HasPrefix(m.Body, fmt.Sprintf("SIP/2.0 %d ", want)) {
			o.t.Fatalf("%s is notified of %q, not %d", c.Peer.User, m.Body, want)
		}
	}
}

// refers sends REFER, which is accepted.
func (o *office) refers(c *call, target string, extra ...string) {
	o.t.Helper()
	c.Request("REFER", append([]string{"Refer-To: " + target}, extra...)...)
	c.Peer.Expect("202")
	o.notified(c, 100)
}

// reinvited takes a re-INVITE of the exchange whose description has these words.
func (o *office) reinvited(c *call, words string) {
	o.t.Helper()
	m := c.Peer.Expect("INVITE")
	if !strings.Contains(m.Body, words) || words == "" && strings.Contains(m.Body, "a=sendonly") {
		o.t.Errorf("%s is offered, without %q,\n%s", c.Peer.User, words, m.Body)
	}
	answer := sdp(c.Peer)
	if strings.Contains(m.Body, "a=sendonly") {
		answer = sdp(c.Peer, "a=recvonly")
	}
	c.Respond(m, 200, answer)
	c.Peer.Expect("ACK")
}

// holds puts the exchange's party on hold by a re-INVITE, or takes it back.
func (o *office) holds(c *call, attribute string) {
	o.t.Helper()
	c.Request("INVITE", sdp(c.Peer, attribute))
	c.Ack(c.Peer.Expect("200 INVITE"))
}
