package lab

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/internal/siptest"
)

// Bob transfers Alice to Carol (RFC 5359 §2.4, RFC 5589 §6).
func TestUnattendedTransfer(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.phone("103")
		o.Wire.Mark()
		o.refers(bob, "<sip:103@127.0.0.1>")
		carol := o.rings("103")
		if by := carol.Dialog.Invite.Address("Referred-By"); by != "sip:102@127.0.0.1" {
			o.t.Errorf("Referred-By: %s", by)
		}
		if from := carol.Dialog.Invite.Get("From"); !strings.HasPrefix(from, `"Alice" <sip:101@`) {
			o.t.Errorf("From: %s", from)
		}
		o.notified(bob, 180)
		o.answer(carol)
		o.notified(bob, 200)
		o.ended(bob)
		o.hear(alice, carol)
		o.hangsUp(carol, alice)
		o.Ladder(`
			102   -> b2bua REFER 103
			b2bua -> 102   202
			b2bua -> 102   NOTIFY 100
			102   -> b2bua 200
			b2bua -> 103   INVITE
			103   -> b2bua 180
			b2bua -> 102   NOTIFY 180
			102   -> b2bua 200
			103   -> b2bua 200
			b2bua -> 103   ACK
			b2bua -> 102   NOTIFY 200
			b2bua -> 102   BYE
			102   -> b2bua 200
			102   -> b2bua 200
			103   -> b2bua BYE
			b2bua -> 103   200
			b2bua -> 101   BYE
			101   -> b2bua 200`)
	})
}

// The target fails: Bob is told, and has Alice again.
func TestTransferFails(t *testing.T) {
	for _, c := range []struct {
		name, target string
		status       int
		carol        func(o *office, c *call)
	}{
		{"busy", "103", 486, func(o *office, c *call) { refuses(c, 486) }},
		{"busy everywhere", "103", 600, func(o *office, c *call) { refuses(c, 600) }},
		{"declined", "103", 603, func(o *office, c *call) { refuses(c, 603) }},
		{"no answer", "103", 480, func(o *office, c *call) {
			o.phones["103"].Wait = 4 * time.Minute
			cancelled(c)
		}},
		{"unknown", "177", 404, nil},
		{"not allowed", "7773660", 404, nil},
		{"not registered", "104", 480, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inOffice(t, func(o *office) {
				alice, bob := o.talking("101", "102")
				o.phone("103")
				o.refers(bob, "<sip:"+c.target+"@127.0.0.1>")
				if c.carol != nil {
					carol := o.rings("103")
					o.notified(bob, 180)
					c.carol(o, carol)
				}
				o.notified(bob, c.status)
				o.hear(alice, bob)
				o.hangsUp(alice, bob)
				o.phones["103"].Quiet(time.Second)
			})
		})
	}
}

// refuses ends a call that rings, from the phone's side.
func refuses(c *call, status int) {
	c.Respond(c.Dialog.Invite, status)
	c.Peer.Expect("ACK")
}

// cancelled takes a CANCEL at a phone that rings.
func cancelled(c *call) *siptest.Message {
	cancel := c.Peer.Expect("CANCEL")
	c.Peer.Respond(cancel, 200)
	c.Respond(c.Dialog.Invite, 487)
	c.Peer.Expect("ACK")
	return cancel
}

// Bob hangs up right after the 202: the transfer goes on (RFC 5589 §6).
func TestTransferorHangsUp(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.phone("103")
		o.refers(bob, "<sip:103@127.0.0.1>")
		bob.Request("BYE")
		bob.Peer.Expect("200 BYE")
		carol := o.rings("103")
		o.answer(carol)
		o.hear(alice, carol)
		o.hangsUp(alice, carol)
		bob.Peer.Quiet(time.Second)
	})
}

// Alice hangs up while Carol rings: Carol is cancelled, Bob's call ends.
func TestTransfereeHangsUp(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.phone("103")
		o.refers(bob, "<sip:103@127.0.0.1>")
		carol := o.rings("103")
		o.notified(bob, 180)
		alice.Request("BYE")
		alice.Peer.Expect("200 BYE")
		cancelled(carol)
		o.notified(bob, 487)
		o.ended(bob)
	})
}

// Bob and Alice hang up, one after the other, while Carol rings.
func TestBothLeaveATransfer(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.phone("103")
		o.refers(bob, "<sip:103@127.0.0.1>")
		carol := o.rings("103")
		o.notified(bob, 180)
		bob.Request("BYE")
		bob.Peer.Expect("200 BYE")
		alice.Request("BYE")
		alice.Peer.Expect("200 BYE")
		cancelled(carol)
	})
}

// Bob transfers Alice, then Carol transfers her on to Dave.
func TestChainedTransfer(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.phone("103")
		o.phone("104")
		o.refers(bob, "<sip:103@127.0.0.1>")
		carol := o.rings("103")
		o.notified(bob, 180)
		o.answer(carol)
		o.notified(bob, 200)
		o.ended(bob)
		o.refers(carol, "<sip:104@127.0.0.1>")
		dave := o.rings("104")
		if by := dave.Dialog.Invite.Address("Referred-By"); by != "sip:103@127.0.0.1" {
			o.t.Errorf("Referred-By: %s", by)
		}
		o.notified(carol, 180)
		o.answer(dave)
		o.notified(carol, 200)
		o.ended(carol)
		o.hear(alice, dave)
		o.hangsUp(alice, dave)
	})
}

// consultation: Bob talks to Alice, holds her, and talks to Carol.
func (o *office) consultation() (alice, bob, bob2, carol *call) {
	o.t.Helper()
	alice, bob = o.talking("101", "102")
	o.holds(bob, "a=sendonly")
	o.reinvited(alice, "a=sendonly")
	bob2, carol = o.talking("102", "103")
	return alice, bob, bob2, carol
}

// replaces names a dialog as its phone sees it from the other phone's side:
// the exchange's dialog with that phone (RFC 3891 §3).
func replaces(c *call, more string) string {
	return fmt.Sprintf("%s;to-tag=%s;from-tag=%s%s", c.CallID, c.RemoteTag, c.LocalTag, more)
}

// escaped is Replaces inside of a Refer-To.
func escaped(v string) string {
	return strings.NewReplacer("@", "%40", ";", "%3B", "=", "%3D").Replace(v)
}

// Bob transfers Alice to Carol, whom he talks to (RFC 5359 §2.5, RFC 5589 §7).
func TestAttendedTransfer(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob, bob2, carol := o.consultation()
		o.Wire.Mark()
		o.refers(bob, "<sip:103@127.0.0.1?Replaces="+escaped(replaces(bob2, ""))+">")
		o.reinvited(alice, "") // she is held no more
		for range 3 {
			switch m := bob.Peer.Any(); {
			case m.Is("NOTIFY"):
				bob.Respond(m, 200)
				if !strings.Contains(m.Body, "200") {
					o.t.Errorf("notified of %q", m.Body)
				}
			case m.Is("BYE"):
				bob.Peer.Respond(m, 200)
			default:
				o.t.Errorf("Bob was sent %s", m)
			}
		}
		o.hear(alice, carol)
		o.hangsUp(alice, carol)
	})
}

// Carol has hung up before Bob transfers: she is not rung anew; Bob is told that
// the call to be replaced is not there (RFC 3891 §3), and has Alice on hold as
// before.
func TestAttendedTransferAfterTheConsultation(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob, bob2, carol := o.consultation()
		o.hangsUp(carol, bob2)
		o.refers(bob, "<sip:103@127.0.0.1?Replaces="+escaped(replaces(bob2, ""))+">")
		o.notified(bob, 481)
		o.phone("103").Quiet(time.Second)
		alice.Peer.Quiet(time.Second)
		bob.Request("INVITE", sdp(bob.Peer))
		bob.Ack(bob.Peer.Expect("200 INVITE"))
		o.reinvited(alice, "")
		o.hear(alice, bob)
		o.hangsUp(alice, bob)
	})
}

// The call to be replaced is at another exchange, at which Bob has an account
// too: Alice is sent there in its place (RFC 3891 §4), or, if it has ended there,
// Bob has her again.
func TestAttendedTransferElsewhere(t *testing.T) {
	const elsewhere = "allow = [\"internal\", \"sip\"]"
	text := strings.Replace(officeText, "name = \"Bob\"", "name = \"Bob\"\n"+elsewhere, 1)
	for _, status := range []int{200, 481} {
		inOfficeWith(t, text, b2bua.Config{}, func(o *office) {
			alice, bob := o.talking("101", "102")
			zoe := o.Peer("zoe", "127.0.0.2:5060")
			o.refers(bob, "<sip:zoe@127.0.0.2?Replaces="+escaped("there;to-tag=1;from-tag=2")+">")
			m := zoe.Expect("INVITE")
			if m.Get("Replaces") != "there;to-tag=1;from-tag=2" || !m.Has("Require", "replaces") {
				t.Errorf("Zoe is not told whose place it is:\n%s", m.Text)
			}
			there := &call{Dialog: zoe.Incoming(m), to: described(m.Body)}
			if status == 481 {
				refuses(there, 481)
				o.notified(bob, 481)
				o.hear(alice, bob)
				o.hangsUp(alice, bob)
				return
			}
			there.Respond(m, 200, siptest.SDP("127.0.0.2", int(rtpOf(zoe).Port())))
			zoe.Expect("ACK")
			o.notified(bob, 200)
			o.ended(bob)
			o.hear(alice, there)
			o.hangsUp(there, alice)
		})
	}
}

// Carol rings still when Bob transfers: she answers Alice (RFC 5589 §7.2).
func TestTransferBeforeTheAnswer(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.holds(bob, "a=sendonly")
		o.reinvited(alice, "a=sendonly")
		o.phone("103")
		bob2 := o.dials("102", "103")
		carol := o.rings("103")
		bob2.Established(bob.Peer.Expect("180"))
		o.refers(bob, "<sip:103@127.0.0.1?Replaces="+escaped(replaces(bob2, ""))+">")
		o.reinvited(alice, "")
		for range 2 { // the consultation's INVITE is over, the referral goes on
			switch m := bob.Peer.Any(); {
			case m.Is("NOTIFY"):
				bob.Respond(m, 200)
			case m.Status >= 300:
				bob2.Ack(m)
			case m.Is("BYE"):
				bob.Respond(m, 200)
			}
		}
		o.answer(carol)
		bob.Peer.Drain(time.Second)
		o.hear(alice, carol)
		o.hangsUp(carol, alice)
	})
}

// Dave takes over Carol's call with Alice: INVITE with Replaces (RFC 3891).
func TestTakesACallOver(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, carol := o.talking("101", "103")
		o.phone("104")
		o.Wire.Mark()
		// Carol has told Dave, by other means, which dialog she has.
		dave := o.dials("104", "103", "Replaces: "+fmt.Sprintf("%s;to-tag=%s;from-tag=%s", carol.CallID, carol.RemoteTag, carol.LocalTag), "Require: replaces")
		o.connected(dave)
		o.ended(carol)
		o.hear(alice, dave)
		o.hangsUp(alice, dave)
	})
}

// A dialog that is answered is not one to pick up early (RFC 3891 §3), and one
// that is not there can't be replaced.
func TestTakeOverRefused(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, carol := o.talking("101", "103")
		dave := o.dials("104", "103", "Replaces: "+replaces(carol, ";early-only"))
		dave.Ack(o.phone("104").Expect("486"))
		dave = o.dials("104", "103", "Replaces: nowhere;to-tag=1;from-tag=2")
		dave.Ack(o.phone("104").Expect("481"))
		o.hear(alice, carol)
		o.hangsUp(alice, carol)
	})
}
