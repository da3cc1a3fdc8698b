package lab

import (
	"testing"
	"time"

	"crosspoint/dialplan"
)

// Click to dial: the kitchen rings, and is joined to the town when it is lifted.
func TestClickToDialOnAnAnalogPhone(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		_, err := o.Office.Exchange.Originate("131", "7773660")
		o.must(err)
		o.answers("kitchen")
		o.townTalks("fxo2")
		o.talk("kitchen fxo2")
		o.down("kitchen")
		o.free("fxo2")
		o.steps(`
			b2bua   -> kitchen ring
			b2bua   -> kitchen caller ID 7773660
			kitchen -> b2bua   off-hook
			b2bua   -> fxo2    off-hook
			fxo2    -> b2bua   dial tone
			b2bua   -> fxo2    DTMF 7773660
			fxo2    -> b2bua   answer (polarity)
			kitchen -> b2bua   on-hook
			b2bua   -> fxo2    on-hook`)
	})
}

// The telephone is lifted at the moment at which the caller hangs up: it hears
// that nobody is there, or dial tone; nothing is left.
func TestLiftedAsTheCallerHangsUp(t *testing.T) {
	for _, late := range []time.Duration{-20 * time.Millisecond, 0, 20 * time.Millisecond} {
		analog(t, analogCase{}, func(o *analogOffice) {
			o.lifts("attic", "132")
			o.ringing("hall")
			if late < 0 {
				o.set("attic").OnHook()
				time.Sleep(-late)
				o.set("hall").OffHook()
			} else {
				o.set("hall").OffHook()
				time.Sleep(late)
				o.set("attic").OnHook()
			}
			o.eventually("the hall hears that nobody is there", func() bool {
				h := o.set("hall").Status().Hears
				return h == "busy tone" || h == "dial tone"
			})
			o.down("hall")
			if s := o.set("hall").Status(); s.Ringing {
				t.Error("the hall rings on")
			}
		})
	}
}

// A forwarding that was set while its phone might call the town does not go
// there any more when it may not; the log names the line that says so.
func TestForwardingOfWhoMayNot(t *testing.T) {
	for _, kind := range []string{"always", "busy", "no answer"} {
		t.Run(kind, func(t *testing.T) {
			analog(t, analogCase{incoming: "132"}, func(o *analogOffice) {
				o.must(o.users.Change("132", func(s *dialplan.Settings) {
					switch kind {
					case "always":
						s.ForwardAlways = "7773660"
					case "busy":
						s.ForwardBusy = "7773660"
					default:
						s.ForwardNoAnswer = "7773660"
					}
				}))
				if kind == "busy" {
					o.set("hall").OffHook()
					time.Sleep(time.Second)
				}
				o.townCalls("fxo1", "5551234")
				time.Sleep(40 * time.Second)
				if c, dialled := o.Town.Town().LastCall("7773660"); dialled {
					t.Errorf("the town was dialled: %+v", c)
				}
				o.line("fxo1").HangUp()
				o.free("fxo1")
				o.logged("7773660", "office.toml:")
			})
		})
	}
}

// Bob, held by the kitchen, can't transfer meanwhile: he is told so.
func TestTransferWhileAnalogPhoneConsults(t *testing.T) {
	analog(t, analogCase{}, func(o *analogOffice) {
		o.phone("102")
		o.lifts("kitchen", "102")
		bob := o.takesCall("102")
		o.flashes("kitchen")
		o.reinvited(bob, "a=sendonly")
		o.refers(bob, "<sip:103@127.0.0.1>")
		o.outcome(bob, 491)
		o.dialsOn("kitchen", "132")
		o.answers("hall")
		o.refers(bob, "<sip:103@127.0.0.1>")
		o.outcome(bob, 491)
		o.talk("kitchen hall | 102")
		o.hangsUpAt(bob)
		o.talk("kitchen hall")
	})
}
