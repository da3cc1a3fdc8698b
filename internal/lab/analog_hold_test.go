package lab

import (
	"testing"
	"time"

	"crosspoint/b2bua"
)

// The kitchen holds Bob by a hook-flash, and takes him back by another.
func TestAnalogPhoneHolds(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		o.phone("102")
		o.lifts("kitchen", "102")
		bob := o.takesCall("102")
		o.talk("kitchen 102")
		o.flashes("kitchen")
		o.reinvited(bob, "a=sendonly")
		o.hearsTone("kitchen", "dial tone")
		o.quiet("102")
		o.flashes("kitchen")
		o.reinvited(bob, "")
		o.talk("kitchen 102")
		o.down("kitchen")
		o.ended(bob)
		o.steps(`
			kitchen -> b2bua   off-hook
			b2bua   -> kitchen dial tone
			kitchen -> b2bua   dials 102
			b2bua   -> 102     INVITE
			102     -> b2bua   180
			b2bua   -> kitchen ringback
			102     -> b2bua   200
			b2bua   -> 102     ACK
			b2bua   -> kitchen answer
			kitchen -> b2bua   flash
			b2bua   -> 102     INVITE (hold)
			102     -> b2bua   200
			b2bua   -> 102     ACK
			kitchen -> b2bua   flash
			b2bua   -> 102     INVITE (resume)
			102     -> b2bua   200
			b2bua   -> 102     ACK
			kitchen -> b2bua   on-hook
			b2bua   -> 102     BYE
			102     -> b2bua   200`)
	})
}

// A held party hangs up; the kitchen, with dial tone in its ear, hears that.
func TestAnalogHeldPartyLeaves(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		o.phone("102")
		o.lifts("kitchen", "102")
		bob := o.takesCall("102")
		o.flashes("kitchen")
		o.reinvited(bob, "a=sendonly")
		bob.Request("BYE")
		bob.Peer.Expect("200 BYE")
		o.hearsTone("kitchen", "busy tone")
		o.down("kitchen")
	})
}

// The kitchen hangs up with Bob on hold: it rings, and has him again.
func TestAnalogHangsUpOnAHeldParty(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		o.phone("102")
		o.lifts("kitchen", "102")
		bob := o.takesCall("102")
		o.flashes("kitchen")
		o.reinvited(bob, "a=sendonly")
		o.set("kitchen").OnHook()
		o.reinvited(bob, "")
		o.answers("kitchen")
		o.talk("kitchen 102")
		o.hangsUpAt(bob)
		o.hearsTone("kitchen", "busy tone")
		o.down("kitchen")
	})
}

// A SIP phone holds a party in the town, in each of the ways that phones have,
// and takes it back; the line hears music if there is any, and silence if not.
func TestSIPPhoneHoldsALine(t *testing.T) {
	for _, who := range []struct{ phone, how string }{{"101", "a=sendonly"}, {"101", "a=inactive"}, {"199", "c=IN IP4 0.0.0.0"}} {
		for _, music := range []bool{true, false} {
			if music != (who.how == "a=sendonly") { // the other forms in silence, which costs less
				continue
			}
			calls := b2bua.Config{}
			name, drawn := who.phone+" "+who.how, "hold"
			if who.phone == "199" {
				drawn = "c=0"
			}
			if music {
				calls.Music = hum
				name += " with music"
			}
			t.Run(name, func(t *testing.T) {
				analog(t, analogCase{incoming: who.phone, calls: calls}, func(o *analogOffice) {
					o.phone(who.phone)
					o.townCalls("fxo1", "5551234")
					alice := o.takesCall(who.phone)
					o.townTalks("fxo1")
					o.talk(who.phone + " fxo1")
					o.holdsBy(alice, who.how)
					if music {
						o.hums("fxo1")
					} else {
						o.quiet("fxo1")
					}
					o.holdsBy(alice, "")
					o.talk(who.phone + " fxo1")
					o.hangsUpAt(alice)
					o.free("fxo1")
					o.steps(`
						fxo1  -> b2bua ring
						fxo1  -> b2bua caller ID 5551234 "Will"
						b2bua -> WHO   INVITE
						WHO   -> b2bua 180
						WHO   -> b2bua 200
						b2bua -> WHO   ACK
						b2bua -> fxo1  off-hook
						WHO   -> b2bua INVITE (HELD)
						b2bua -> WHO   200
						b2bua -> fxo1  hold
						WHO   -> b2bua ACK
						WHO   -> b2bua INVITE (resume)
						b2bua -> WHO   200
						b2bua -> fxo1  resume
						WHO   -> b2bua ACK
						WHO   -> b2bua BYE
						b2bua -> WHO   200
						b2bua -> fxo1  on-hook`, "WHO", who.phone, "HELD", drawn)
				})
			})
		}
	}
}

// The town's party hangs up while it is held: the phone that holds it is told.
func TestHeldLineHangsUp(t *testing.T) {
	analog(t, analogCase{incoming: "101", calls: b2bua.Config{Music: hum}}, func(o *analogOffice) {
		o.phone("101")
		o.townCalls("fxo1", "5551234")
		alice := o.takesCall("101")
		o.townTalks("fxo1")
		o.holdsBy(alice, "a=sendonly")
		time.Sleep(time.Second)
		o.line("fxo1").HangUp()
		alice.Peer.Wait = 10 * time.Second
		o.ended(alice)
		o.free("fxo1")
	})
}

// The kitchen holds a party in the town, who hears music, and the town hangs up
// or is taken back.
func TestAnalogPhoneHoldsALine(t *testing.T) {
	analog(t, analogCase{calls: b2bua.Config{Music: hum}}, func(o *analogOffice) {
		o.townCalls("fxo1", "5551234")
		o.answers("kitchen")
		o.townTalks("fxo1")
		o.talk("kitchen fxo1")
		o.flashes("kitchen")
		o.hums("fxo1")
		o.flashes("kitchen")
		o.talk("kitchen fxo1")
		o.flashes("kitchen")
		o.line("fxo1").HangUp()
		o.hearsTone("kitchen", "busy tone")
		o.down("kitchen")
		o.steps(`
			fxo1    -> b2bua   ring
			fxo1    -> b2bua   caller ID 5551234 "Will"
			b2bua   -> kitchen ring
			b2bua   -> kitchen caller ID 5551234 "Will"
			kitchen -> b2bua   off-hook
			b2bua   -> fxo1    off-hook
			kitchen -> b2bua   flash
			b2bua   -> fxo1    hold
			kitchen -> b2bua   flash
			b2bua   -> fxo1    resume
			kitchen -> b2bua   flash
			b2bua   -> fxo1    hold
			fxo1    -> b2bua   loop-current drop
			b2bua   -> fxo1    on-hook
			b2bua   -> kitchen loop-current drop
			b2bua   -> kitchen busy tone`)
	})
}
