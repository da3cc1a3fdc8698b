package lab

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua"
	"crosspoint/internal/siptest"
	"crosspoint/media"
	"crosspoint/media/tone"
)

// hum is what a held party hears in these tests.
func hum() media.Source {
	country, _ := tone.Lookup("us")
	return tone.NewGenerator(country.Dial)
}

// Hold in each of the ways that phones have (RFC 5359 §2.1, RFC 3264 §8.4), told
// to a phone of today and to one of 1999, with music and without.
func TestHold(t *testing.T) {
	for _, how := range []string{"a=sendonly", "a=inactive", "c=IN IP4 0.0.0.0"} {
		for _, other := range []string{"101", "199"} {
			for _, music := range []bool{false, true} {
				calls := b2bua.Config{}
				name := how + " of " + other
				if music {
					calls.Music = hum
					name += " with music"
				}
				t.Run(name, func(t *testing.T) {
					inOfficeWith(t, officeText, calls, func(o *office) { holdAndRetrieve(o, how, other, music) })
				})
			}
		}
	}
}

func holdAndRetrieve(o *office, how, other string, music bool) {
	alice, bob := o.talking(other, "102")
	o.hear(alice, bob)
	offer := sdp(bob.Peer, how)
	if strings.HasPrefix(how, "c=") {
		offer = strings.Replace(sdp(bob.Peer), "c=IN IP4 127.0.0.1", how, 1)
	}
	bob.Request("INVITE", offer)
	bob.Ack(bob.Peer.Expect("200 INVITE"))
	told := "a=sendonly"
	if other == "199" {
		told = "c=IN IP4 0.0.0.0"
	}
	o.reinvited(alice, told)
	synctest.Wait()
	toBob, toAlice := o.Wire.Heard(rtpOf(bob.Peer)), o.Wire.Heard(rtpOf(alice.Peer))
	o.speak(rtpOf(alice.Peer), alice.to, 50)
	if n := o.Wire.Heard(rtpOf(bob.Peer)) - toBob; n != 0 {
		o.t.Errorf("the holder was sent %d packets", n)
	}
	if n := o.Wire.Heard(rtpOf(alice.Peer)) - toAlice; music && (n < 45 || n > 55) {
		o.t.Errorf("the held party was sent %d packets of music in a second", n)
	}
	bob.Request("INVITE", sdp(bob.Peer))
	bob.Ack(bob.Peer.Expect("200 INVITE"))
	o.reinvited(alice, "")
	o.hear(alice, bob)
	o.hangsUp(alice, bob)
}

// Both hold: each is told, neither hears anything, and it ends when both have
// taken the call back.
func TestBothHold(t *testing.T) {
	inOfficeWith(t, officeText, b2bua.Config{Music: hum}, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.holds(bob, "a=sendonly")
		o.reinvited(alice, "a=sendonly")
		alice.Request("INVITE", sdp(alice.Peer, "a=inactive"))
		alice.Ack(alice.Peer.Expect("200 INVITE"))
		m := bob.Peer.Expect("INVITE")
		bob.Respond(m, 200, sdp(bob.Peer, "a=inactive")) // we hold him, and he holds us
		bob.Peer.Expect("ACK")
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		before := o.Wire.Heard(rtpOf(alice.Peer)) + o.Wire.Heard(rtpOf(bob.Peer))
		time.Sleep(time.Second)
		if n := o.Wire.Heard(rtpOf(alice.Peer)) + o.Wire.Heard(rtpOf(bob.Peer)) - before; n != 0 {
			o.t.Errorf("%d packets were sent while both hold", n)
		}
		alice.Request("INVITE", sdp(alice.Peer, "a=recvonly")) // she waits for Bob
		alice.Ack(alice.Peer.Expect("200 INVITE"))
		bob.Peer.Drain(time.Second)
		alice.Peer.Drain(time.Second)
		o.hangsUp(bob, alice)
	})
}

// Either hangs up while the call is held.
func TestHangUpWhileHeld(t *testing.T) {
	for _, who := range []string{"holder", "held"} {
		t.Run(who, func(t *testing.T) {
			inOffice(t, func(o *office) {
				alice, bob := o.talking("101", "102")
				o.holds(bob, "a=sendonly")
				o.reinvited(alice, "a=sendonly")
				if who == "holder" {
					o.hangsUp(bob, alice)
				} else {
					o.hangsUp(alice, bob)
				}
			})
		})
	}
}

// Bob hangs up while Alice's phone has not confirmed yet that it is held.
func TestHangUpWithinHold(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.holds(bob, "a=sendonly")
		m := alice.Peer.Expect("INVITE")
		bob.Request("BYE")
		bob.Peer.Expect("200 BYE")
		o.ended(alice)
		alice.Respond(m, 487)
		alice.Peer.Expect("ACK")
	})
}

// Both want to hold at the same moment: each phone's re-INVITE meets the
// exchange's own, which gives way with 491 and tries again (RFC 3261 §14).
func TestHoldGlare(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.Wire.Mark()
		bob.Request("INVITE", sdp(bob.Peer, "a=sendonly"))
		bob.Ack(bob.Peer.Expect("200 INVITE"))
		ours := alice.Peer.Expect("INVITE") // on its way as she presses hold
		alice.Request("INVITE", sdp(alice.Peer, "a=sendonly"))
		glare := alice.Peer.Expect("491")
		alice.Ack(glare)
		alice.Respond(ours, 491)
		alice.Peer.Expect("ACK")
		time.Sleep(10 * time.Millisecond)
		alice.Request("INVITE", sdp(alice.Peer, "a=sendonly"))
		alice.Ack(alice.Peer.Expect("200 INVITE"))
		for _, c := range []*call{bob, alice} {
			c.Peer.Wait = 10 * time.Second
			m := c.Peer.Expect("INVITE")
			c.Respond(m, 200, sdp(c.Peer, "a=inactive"))
			c.Peer.Expect("ACK")
		}
		o.hangsUp(alice, bob)
	})
}

// A phone refuses to be held: the call goes on, the holder is none the wiser.
func TestHoldRefused(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.holds(bob, "a=sendonly")
		m := alice.Peer.Expect("INVITE")
		alice.Respond(m, 488)
		alice.Peer.Expect("ACK")
		bob.Request("INVITE", sdp(bob.Peer))
		bob.Ack(bob.Peer.Expect("200 INVITE"))
		alice.Peer.Quiet(time.Second) // she was never told that she is held
		o.hear(alice, bob)
		o.hangsUp(alice, bob)
	})
}

// Consultation: Bob holds Alice, calls Carol, ends that, takes Alice back (RFC
// 5359 §2.2); and each may hang up at each step.
func TestConsultation(t *testing.T) {
	steps := map[string]func(o *office, alice, bob, bob2, carol *call){
		"Carol ends, Alice is taken back": func(o *office, alice, bob, bob2, carol *call) {
			o.hangsUp(carol, bob2)
			bob.Request("INVITE", sdp(bob.Peer))
			bob.Ack(bob.Peer.Expect("200 INVITE"))
			o.reinvited(alice, "")
			o.hear(alice, bob)
			o.hangsUp(alice, bob)
		},
		"Bob ends, Alice is taken back": func(o *office, alice, bob, bob2, carol *call) {
			o.hangsUp(bob2, carol)
			bob.Request("INVITE", sdp(bob.Peer))
			bob.Ack(bob.Peer.Expect("200 INVITE"))
			o.reinvited(alice, "")
			o.hangsUp(bob, alice)
		},
		"Alice hangs up while Bob talks to Carol": func(o *office, alice, bob, bob2, carol *call) {
			o.hangsUp(alice, bob)
			o.hear(bob2, carol)
			o.hangsUp(bob2, carol)
		},
		"Bob drops both": func(o *office, alice, bob, bob2, carol *call) {
			o.hangsUp(bob, alice)
			o.hangsUp(bob2, carol)
		},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			inOffice(t, func(o *office) {
				alice, bob, bob2, carol := o.consultation()
				o.hear(bob2, carol)
				step(o, alice, bob, bob2, carol)
			})
		})
	}
}

// Alice, held, hangs up while Carol rings still.
func TestHeldPartyLeavesAConsultation(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bob := o.talking("101", "102")
		o.holds(bob, "a=sendonly")
		o.reinvited(alice, "a=sendonly")
		o.phone("103")
		bob2 := o.dials("102", "103")
		carol := o.rings("103")
		bob.Peer.Expect("180")
		o.hangsUp(alice, bob)
		bob2.Cancel()
		var got []*siptest.Message
		for range 2 {
			got = append(got, bob.Peer.Any())
		}
		for _, m := range got {
			if m.Is("487") {
				bob2.Ack(m)
			}
		}
		cancelled(carol)
	})
}
