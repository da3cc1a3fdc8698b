package lab

import (
	"strings"
	"testing"

	"crosspoint/internal/siptest"
)

// Phones on TCP are served as those on UDP: Alice calls Bob, whose phone has
// registered by its connection, is held, and hangs up.
func TestPhonesOnTCP(t *testing.T) {
	for _, legacy := range []bool{false, true} {
		inOffice(t, func(o *office) {
			alice := siptest.NewTCPPeer(o.t, o.Net, "101", "127.0.0.1:41001", siptest.Exchange)
			bob := siptest.NewTCPPeer(o.t, o.Net, "102", "127.0.0.1:41002", siptest.Exchange)
			alice.Password, bob.Password, alice.Legacy = "lantern-101", "lantern-102", legacy
			bob.Register()
			call := alice.Invite("102", siptest.SDP("127.0.0.1", 30000))
			invite := bob.Expect("INVITE")
			in := bob.Incoming(invite)
			in.Respond(invite, 180)
			alice.Expect("180")
			in.Respond(invite, 200, siptest.SDP("127.0.0.1", 30002))
			bob.Expect("ACK")
			call.Ack(alice.Expect("200 INVITE"))
			in.Request("INVITE", siptest.SDP("127.0.0.1", 30002, "a=sendonly"))
			in.Ack(bob.Expect("200 INVITE"))
			held := alice.Expect("INVITE")
			if zero := strings.Contains(held.Body, "c=IN IP4 0.0.0.0"); zero != legacy {
				o.t.Errorf("a phone of 1999: %v; it is held by\n%s", legacy, held.Body)
			}
			alice.Respond(held, 200, siptest.SDP("127.0.0.1", 30000, "a=recvonly"))
			alice.Expect("ACK")
			call.Request("BYE")
			alice.Expect("200 BYE")
			in.Respond(bob.Expect("BYE"), 200)
		})
	}
}
