package lab

import (
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua"
)

// Dave takes the call that rings at Carol's (RFC 5359 §2.16).
func TestPickup(t *testing.T) {
	for _, code := range []string{"*88103", "*8"} {
		t.Run(code, func(t *testing.T) {
			inOffice(t, func(o *office) {
				o.phone("103")
				alice := o.dials("101", "103")
				carol := o.rings("103")
				alice.Peer.Expect("180")
				dave := o.dials("104", code)
				o.connected(dave)
				cancelled(carol)
				o.connected(alice)
				o.hear(alice, dave)
				o.hangsUp(alice, dave)
			})
		})
	}
}

// Nothing rings: there is nothing to pick up.
func TestPickupOfNothing(t *testing.T) {
	inOffice(t, func(o *office) {
		dave := o.dials("104", "*88103")
		m := dave.Peer.Any()
		dave.Ack(m)
		if m.Status < 400 {
			o.t.Errorf("Dave was sent %s", m.Start)
		}
	})
}

// Bob parks Alice; Dave retrieves her at another phone (RFC 5359 §2.17).
func TestPark(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.Wire.Mark()
		o.refers(bob, "<sip:*701@127.0.0.1>")
		o.notified(bob, 200)
		o.ended(bob)
		taken := o.dials("103", "*702") // only a call is parked; a code alone is no call
		taken.Ack(taken.Peer.Any())
		dave := o.dials("104", "*711")
		o.connected(dave)
		o.hear(alice, dave)
		o.hangsUp(dave, alice)
	})
}

// Alice hangs up while she is parked; nobody is there to be retrieved.
func TestParkedPartyLeaves(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.refers(bob, "<sip:*701@127.0.0.1>")
		o.notified(bob, 200)
		o.ended(bob)
		alice.Request("BYE")
		alice.Peer.Expect("200 BYE")
		synctest.Wait()
		dave := o.dials("104", "*711")
		m := dave.Peer.Any()
		dave.Ack(m)
		if m.Status != 404 {
			o.t.Errorf("Dave was sent %s", m.Start)
		}
	})
}

// Nobody retrieves Alice: Bob, who parked her, is called back.
func TestParkedForTooLong(t *testing.T) {
	inOfficeWith(t, officeText, b2bua.Config{ParkFor: time.Minute}, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.refers(bob, "<sip:*701@127.0.0.1>")
		o.notified(bob, 200)
		o.ended(bob)
		bob.Peer.Wait = 2 * time.Minute
		again := o.rings("102")
		o.answer(again)
		o.hear(alice, again)
		o.hangsUp(again, alice)
	})
}

// Bob joins Alice and Carol, whom he has in two calls, into one (RFC 5359 §2.10).
// When he leaves, the others talk on, or all ends, as the office wants it.
func TestThreeWay(t *testing.T) {
	for _, ends := range []bool{false, true} {
		inOfficeWith(t, officeText, b2bua.Config{HostEndsConference: ends}, func(o *office) {
			alice, bob, bob2, carol := o.consultation()
			code := o.dials("102", "*3")
			var joined *call // the one of Bob's calls that stays
			for range 4 {
				m := bob.Peer.Any()
				switch {
				case m == nil:
				case m.Is("200 INVITE"):
					code.Ack(m)
				case m.Is("BYE"):
					bob.Peer.Respond(m, 200)
					if m.Get("Call-ID") == bob.CallID {
						joined = bob2
					} else if m.Get("Call-ID") == bob2.CallID {
						joined = bob
					}
				case m.Is("INVITE"):
					bob.Peer.Respond(m, 200, sdp(bob.Peer))
				}
			}
			if joined == nil {
				o.t.Fatal("neither of Bob's two calls has ended")
			}
			takesReinvites(o, alice, carol)
			if joined == bob {
				bob.Request("INVITE", sdp(bob.Peer)) // his phone takes the call that it held
				bob.Ack(bob.Peer.Expect("200 INVITE"))
			}
			takesReinvites(o, alice, carol)
			for _, way := range [][2]*call{{alice, carol}, {carol, alice}, {joined, alice}, {joined, carol}} {
				hearsMix(o, way[0], way[1])
			}
			joined.Request("BYE")
			bob.Peer.Expect("200 BYE")
			if ends {
				o.ended(alice)
				o.ended(carol)
				return
			}
			o.hear(alice, carol)
			o.hangsUp(alice, carol)
		})
	}
}

// takesReinvites answers what re-INVITEs have come.
func takesReinvites(o *office, calls ...*call) {
	for _, c := range calls {
		c.Peer.Wait = 100 * time.Millisecond
		for m := c.Peer.Any(); m != nil; m = c.Peer.Any() {
			if m.Is("INVITE") {
				c.Respond(m, 200, sdp(c.Peer))
			}
		}
		c.Peer.Wait = 2 * time.Second
	}
}

// hearsMix: what one says arrives in what the other hears, which never pauses.
func hearsMix(o *office, from, to *call) {
	o.t.Helper()
	before := o.Wire.Heard(rtpOf(to.Peer))
	o.speak(rtpOf(from.Peer), from.to, 50)
	if n := o.Wire.Heard(rtpOf(to.Peer)) - before; n < 45 || n > 55 {
		o.t.Errorf("while %s spoke for a second, %s was sent %d packets", from.Peer.User, to.Peer.User, n)
	}
}

// Alice calls Carol, who is busy, and wants to be called when Carol is free
// (RFC 5359 §2.18).
func TestCallBack(t *testing.T) {
	inOffice(t, func(o *office) {
		bob, carol := o.talking("102", "103")
		alice := o.dials("101", "103")
		m := carol.Peer.Expect("INVITE")
		carol.Peer.Respond(m, 486)
		carol.Peer.Expect("ACK")
		alice.Ack(alice.Peer.Expect("486"))
		code := o.dials("101", "*65")
		o.connected(code)
		o.ended(code)
		o.hangsUp(bob, carol)
		alice.Peer.Wait = 5 * time.Second
		again := o.rings("101")
		o.answer(again)
		second := o.rings("103")
		o.answer(second)
		o.hear(again, second)
		o.hangsUp(second, again)
	})
}

// Alice calls the last number again.
func TestRedial(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.hangsUp(alice, bob)
		again := o.dials("101", "*66")
		bob = o.rings("102")
		alice.Peer.Expect("180")
		o.answer(bob)
		o.connected(again)
		o.hangsUp(bob, again)
	})
}

// A program has Bob and Carol connected (RFC 5359 §2.19).
func TestClickToDial(t *testing.T) {
	inOffice(t, func(o *office) {
		o.phone("102")
		o.phone("103")
		o.Wire.Mark()
		if _, err := o.Office.Exchange.Originate("102", "103"); err != nil {
			o.t.Fatal(err)
		}
		bob := o.rings("102")
		o.answer(bob)
		carol := o.rings("103")
		o.answer(carol)
		o.hear(bob, carol)
		o.hangsUp(carol, bob)
		o.Ladder(`
			b2bua -> 102   INVITE
			102   -> b2bua 180
			102   -> b2bua 200
			b2bua -> 102   ACK
			b2bua -> 103   INVITE
			103   -> b2bua 180
			103   -> b2bua 200
			b2bua -> 103   ACK
			103   -> b2bua BYE
			b2bua -> 103   200
			b2bua -> 102   BYE
			102   -> b2bua 200`)
	})
}

// Bob may not call the town, so he may not send Alice there, though she may
// herself; Alice may send him.
func TestTransferToTheTown(t *testing.T) {
	inOfficeWith(t, officeText+linesText, b2bua.Config{}, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.refers(bob, "<sip:7773660@127.0.0.1>")
		o.notified(bob, 403)
		o.hear(alice, bob)
		o.refers(alice, "<sip:7773660@127.0.0.1>")
		alice.Peer.Wait = 10 * time.Second
		for m := alice.Peer.Any(); !m.Is("BYE"); m = alice.Peer.Any() {
			alice.Respond(m, 200)
		}
		alice.Peer.Quiet(100 * time.Millisecond)
		before := o.Wire.Heard(rtpOf(bob.Peer))
		time.Sleep(time.Second)
		if n := o.Wire.Heard(rtpOf(bob.Peer)) - before; n < 45 {
			o.t.Errorf("Bob was sent %d packets of the town within a second", n)
		}
		bob.Request("BYE")
		bob.Peer.Expect("200 BYE")
	})
}
