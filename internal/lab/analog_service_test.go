package lab

import (
	"testing"
	"time"

	"crosspoint/b2bua"
	"crosspoint/media/measure"
)

// confirmed waits for the tone that says that a code has done its work, after
// which the telephone hears that it may hang up.
func (o *analogOffice) confirmed(name string) {
	o.t.Helper()
	o.hearsTone(name, "busy tone")
	// Three bursts of 100 ms, before the busy tone of half seconds.
	var bursts []int
	quiet, loud := 0, 0
	for i, heard := 0, o.set(name).Heard(); i+80 <= len(heard); i += 80 {
		if measure.Level(heard[i:i+80]) > -30 {
			loud++
			quiet = 0
			continue
		}
		if quiet++; quiet == 1 && loud > 0 {
			bursts = append(bursts, loud)
			loud = 0
		}
	}
	short := 0
	for _, n := range bursts {
		if n >= 7 && n <= 12 {
			short++
		}
	}
	if short < 3 {
		o.t.Errorf("no confirmation tone on %s: bursts of %d times 10 ms", name, bursts)
	}
	o.down(name)
}

// What users set from an analog telephone: each code is confirmed by tone, and
// does what it says until it is taken back.
func TestCodesOnAnAnalogPhone(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		o.phone("102")
		reaches := func(who string) {
			t.Helper()
			alice := o.dials("101", "131")
			switch who {
			case "kitchen":
				o.answers("kitchen")
			case "fxo2":
				o.townTalks("fxo2")
			case "102":
				o.takesCall("102")
			}
			o.callsUp(alice)
			o.talk("101 " + who)
			o.hangsUpAt(alice)
			if who == "kitchen" {
				o.down("kitchen")
			}
			if who == "102" {
				o.ended(o.sip["102"])
			}
		}
		reaches("kitchen")
		o.lifts("kitchen", "*727773660")
		o.confirmed("kitchen")
		o.steps(`
			kitchen -> b2bua   off-hook
			b2bua   -> kitchen dial tone
			kitchen -> b2bua   dials *727773660
			b2bua   -> kitchen answer
			b2bua   -> kitchen loop-current drop
			b2bua   -> kitchen busy tone`)
		reaches("fxo2")
		o.free("fxo2")
		o.lifts("kitchen", "*73")
		o.confirmed("kitchen")
		reaches("kitchen")

		o.lifts("kitchen", "*90102") // when busy
		o.confirmed("kitchen")
		o.set("kitchen").OffHook()
		time.Sleep(time.Second)
		reaches("102")
		o.down("kitchen")
		o.lifts("kitchen", "*92102") // when nobody lifts it
		o.confirmed("kitchen")
		reaches("102")
		o.lifts("kitchen", "*73")
		o.confirmed("kitchen")

		o.lifts("kitchen", "*78")
		o.confirmed("kitchen")
		alice := o.dials("101", "131")
		alice.Ack(alice.Peer.Expect("486"))
		if o.set("kitchen").Status().Ringing {
			t.Error("a telephone rings that is not to be disturbed")
		}
		o.lifts("kitchen", "*79")
		o.confirmed("kitchen")
		reaches("kitchen")
	})
}

// A code that may not be: the telephone hears congestion tone, and nothing is set.
func TestCodesRefused(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		o.lifts("hall", "*727773660") // the hall may not call the town
		o.hearsTone("hall", "congestion tone")
		o.down("hall")
		if s := o.users.Settings("132"); s.ForwardAlways != "" {
			t.Errorf("forwarded to %s", s.ForwardAlways)
		}
		o.logged("call ended", "*727773660", "office.toml:")
		for _, code := range []string{"*8", "*711", "*66", "*65", "*3"} { // nothing rings, is parked, was called
			o.lifts("hall", code)
			o.hearsTone("hall", "congestion tone")
			o.down("hall")
		}
	})
}

// A call without showing a number, to a telephone that shows callers' numbers.
func TestAnonymousCall(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		o.lifts("kitchen", "*67132")
		o.ringing("hall")
		if id := o.set("hall").Status(); !id.HasID || id.CallerID.Number != "" {
			t.Errorf("the hall shows %+v", id.CallerID)
		}
		o.set("hall").OffHook()
		time.Sleep(time.Second)
		o.talk("kitchen hall")
		o.down("hall")
		o.hearsTone("kitchen", "busy tone")
		o.down("kitchen")
		o.steps(`
			kitchen -> b2bua   off-hook
			b2bua   -> kitchen dial tone
			kitchen -> b2bua   dials *67132
			b2bua   -> hall    ring
			b2bua   -> kitchen ringback
			b2bua   -> hall    caller ID withheld
			hall    -> b2bua   off-hook
			b2bua   -> kitchen answer
			hall    -> b2bua   on-hook
			b2bua   -> kitchen loop-current drop
			b2bua   -> kitchen busy tone`)
	})
}

// A call that rings at one telephone is picked up at another. By whom and from whom
// else is in TestPickupOfAllKinds.
func TestPickupAtAnAnalogPhone(t *testing.T) {
	t.Run("from the town", func(t *testing.T) {
		analog(t, analogCase{incoming: "132"}, func(o *analogOffice) {
			o.townCalls("fxo1", "5551234")
			o.ringing("hall")
			o.lifts("attic", "*88132")
			o.townTalks("fxo1")
			o.stops("hall")
			o.talk("attic fxo1")
			o.down("attic")
			o.free("fxo1")
			o.steps(`
				fxo1  -> b2bua ring
				fxo1  -> b2bua caller ID 5551234 "Will"
				b2bua -> hall  ring
				b2bua -> hall  caller ID 5551234 "Will"
				b2bua -> hall  ringing stopped
				b2bua -> attic answer
				b2bua -> fxo1  off-hook
				attic -> b2bua on-hook
				b2bua -> fxo1  on-hook`)
		})
	})
	t.Run("the caller gives up as it is picked up", func(t *testing.T) {
		analog(t, analogCase{}, func(o *analogOffice) {
			o.lifts("kitchen", "132")
			o.ringing("hall")
			o.lifts("attic", "*")
			o.down("kitchen")
			o.dialsOn("attic", "8")
			o.hearsTone("attic", "congestion tone")
			o.stops("hall")
		})
	})
}

// The kitchen parks a caller from the town, who hears music; the attic takes it from
// there. What else can become of it is in TestParkOfAllKinds.
func TestParkOnAnAnalogPhone(t *testing.T) {
	parked := func(o *analogOffice) {
		o.townCalls("fxo1", "5551234")
		o.answers("kitchen")
		o.townTalks("fxo1")
		o.flashes("kitchen")
		o.dialsOn("kitchen", "*701")
		o.hearsTone("kitchen", "busy tone")
		o.down("kitchen")
		o.hums("fxo1")
	}
	music := b2bua.Config{Music: hum}
	t.Run("retrieved", func(t *testing.T) {
		analog(t, analogCase{calls: music}, func(o *analogOffice) {
			parked(o)
			o.lifts("attic", "*711")
			time.Sleep(5 * time.Second) // *71 and more digits: the digit timer decides
			o.talk("attic fxo1")
			o.down("attic")
			o.free("fxo1")
			o.steps(`
				fxo1    -> b2bua   ring
				fxo1    -> b2bua   caller ID 5551234 "Will"
				b2bua   -> kitchen ring
				b2bua   -> kitchen caller ID 5551234 "Will"
				kitchen -> b2bua   off-hook
				b2bua   -> fxo1    off-hook
				kitchen -> b2bua   flash
				b2bua   -> fxo1    hold
				kitchen -> b2bua   DTMF *701
				b2bua   -> fxo1    resume
				b2bua   -> kitchen loop-current drop
				b2bua   -> kitchen busy tone
				b2bua   -> attic   answer
				attic   -> b2bua   on-hook
				b2bua   -> fxo1    on-hook`)
		})
	})
}

// The number that was called last is called again, in the town.
func TestRedialOnAnAnalogPhone(t *testing.T) {
	t.Run("redial", func(t *testing.T) {
		analog(t, analogCase{}, func(o *analogOffice) {
			o.lifts("kitchen", "7773660")
			o.townTalks("fxo2")
			o.down("kitchen")
			o.free("fxo2")
			o.lifts("kitchen", "*66")
			o.eventually("Zoe is called again", func() bool {
				return o.line("fxo1").Status().State == "talking" || o.line("fxo2").Status().State == "talking"
			})
			o.down("kitchen")
			o.free("fxo1")
			o.free("fxo2")
		})
	})
}

// A hotline calls as it is lifted.
func TestHotline(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		o.lifts("lobby", "")
		o.answers("kitchen")
		time.Sleep(time.Second)
		o.talk("lobby kitchen")
		o.down("lobby")
		o.hearsTone("kitchen", "busy tone")
		o.down("kitchen")
		o.steps(`
			lobby   -> b2bua   off-hook
			lobby   -> b2bua   dials 131
			b2bua   -> kitchen ring
			b2bua   -> lobby   ringback
			b2bua   -> kitchen caller ID 134 "Lobby"
			kitchen -> b2bua   off-hook
			b2bua   -> lobby   answer
			lobby   -> b2bua   on-hook
			b2bua   -> kitchen loop-current drop
			b2bua   -> kitchen busy tone`)
	})
}

// Screening of callers and of called numbers, between telephones and from the town.
func TestScreeningOfAnalogPhones(t *testing.T) {
	analog(t, analogCase{incoming: "133"}, func(o *analogOffice) {
		o.lifts("hall", "133") // the attic does not accept the hall
		o.hearsTone("hall", "congestion tone")
		o.down("hall")
		o.logged("call ended", "status=403", "on its refuse list: office.toml:")
		o.lifts("attic", "131") // nor may it call the kitchen
		o.hearsTone("attic", "congestion tone")
		o.down("attic")
		o.logged("call ended", "status=403", "on its never_dial list: office.toml:")
		o.townCalls("fxo1", "7770666") // who is on its list too
		time.Sleep(10 * time.Second)
		o.logged("call ended", "7770666", "on its refuse list: office.toml:")
		for _, name := range []string{"attic", "kitchen"} {
			if o.set(name).Status().Ringing {
				t.Errorf("%s rings", name)
			}
		}
		o.line("fxo1").HangUp()
		o.free("fxo1")
		time.Sleep(10 * time.Second) // a ring that follows sooner is the same call's
		o.townCalls("fxo1", "5551234")
		o.answers("attic")
		o.townTalks("fxo1")
		o.talk("attic fxo1")
		o.line("fxo1").HangUp()
		o.free("fxo1")
	})
}

// Who may not call the town does not get there by a service either, and the log
// names the line of the file that says so.
func TestNoServiceDialsOutForWhoMayNot(t *testing.T) {
	cases := map[string]func(o *analogOffice){
		"by dialling": func(o *analogOffice) {
			o.lifts("hall", "7773660")
			o.hearsTone("hall", "congestion tone")
			o.logged("call ended", "7773660", "office.toml:")
		},
		"by hook-flash": func(o *analogOffice) {
			o.phone("102")
			o.lifts("hall", "102")
			bob := o.takesCall("102")
			o.flashes("hall")
			o.reinvited(bob, "a=sendonly")
			o.dialsOn("hall", "7773660")
			o.reinvited(bob, "")
			o.talk("hall 102")
			o.logged("consultation failed", "7773660", "office.toml:")
			o.hangsUpAt(bob)
		},
		"by REFER": func(o *analogOffice) {
			o.phone("102")
			o.townCalls("fxo1", "5551234")
			o.set("kitchen").OffHook()
			bob := o.dials("102", "133")
			o.answers("attic") // who might call the town itself
			o.callsUp(bob)
			o.refers(bob, "<sip:7773660@127.0.0.1>")
			o.outcome(bob, 403)
			o.talk("102 attic")
			o.logged("transfer failed", "7773660", "office.toml:")
			o.hangsUpAt(bob)
		},
		"for a caller from the town": func(o *analogOffice) {
			o.townCalls("fxo2", "5551234")
			o.answers("hall")
			o.townTalks("fxo2")
			o.flashes("hall")
			o.dialsOn("hall", "7773660")
			time.Sleep(time.Second)
			o.talk("hall fxo2")
			o.logged("consultation failed", "7773660", "office.toml:")
			o.down("hall")
			o.free("fxo2")
		},
	}
	for name, act := range cases {
		t.Run(name, func(t *testing.T) {
			analog(t, analogCase{}, func(o *analogOffice) {
				act(o)
				if c, dialled := o.Town.Town().LastCall("7773660"); dialled {
					t.Errorf("the town was dialled: %+v", c)
				}
				for _, l := range o.Town.Town().Lines() {
					l.HangUp()
				}
			})
		})
	}
}

// A call of three by hook-flash, with the sound of real lines: a line, an analog
// telephone and a SIP phone, of whom the last to come is let go; and three
// telephones. Who may leave at which moment is in TestThreeByFlashOfAllKinds.
func TestThreeWayByHookFlash(t *testing.T) {
	t.Run("of all kinds", func(t *testing.T) {
		analog(t, analogCase{}, func(o *analogOffice) {
			o.phone("102")
			o.townCalls("fxo1", "5551234")
			o.answers("kitchen")
			o.townTalks("fxo1")
			o.flashes("kitchen")
			o.dialsOn("kitchen", "102")
			o.takesCall("102")
			o.talk("kitchen 102 | fxo1")
			o.flashes("kitchen")
			o.talk("kitchen 102 fxo1")
			o.flashes("kitchen")
			o.ended(o.sip["102"])
			o.talk("kitchen fxo1")
			o.down("kitchen")
			o.free("fxo1")
			o.steps(`
				fxo1    -> b2bua   ring
				fxo1    -> b2bua   caller ID 5551234 "Will"
				b2bua   -> kitchen ring
				b2bua   -> kitchen caller ID 5551234 "Will"
				kitchen -> b2bua   off-hook
				b2bua   -> fxo1    off-hook
				kitchen -> b2bua   flash
				b2bua   -> fxo1    hold
				kitchen -> b2bua   DTMF 102
				b2bua   -> 102     INVITE
				102     -> b2bua   180
				102     -> b2bua   200
				b2bua   -> 102     ACK
				kitchen -> b2bua   flash
				b2bua   -> fxo1    resume
				kitchen -> b2bua   flash
				b2bua   -> 102     BYE
				102     -> b2bua   200
				kitchen -> b2bua   on-hook
				b2bua   -> fxo1    on-hook`)
		})
	})
	t.Run("three telephones", func(t *testing.T) {
		analog(t, analogCase{}, func(o *analogOffice) {
			o.lifts("kitchen", "132")
			o.answers("hall")
			o.flashes("kitchen")
			o.dialsOn("kitchen", "133")
			o.answers("attic")
			o.flashes("kitchen")
			o.talk("kitchen hall attic")
			o.down("kitchen")
			o.talk("hall attic")
			o.down("hall")
			o.hearsTone("attic", "busy tone")
		})
	})
}
