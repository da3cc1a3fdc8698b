package lab

import (
	"strings"
	"testing"
	"time"
)

// The kitchen, called from the town, holds the caller by hook-flash, calls a
// third and hangs up: the two who are left talk. The third is a SIP phone, an
// analog telephone, or somebody in the town.
func TestFlashTransferOfALine(t *testing.T) {
	const before = `
		fxo1    -> b2bua   ring
		fxo1    -> b2bua   caller ID 5551234 "Will"
		b2bua   -> kitchen ring
		b2bua   -> kitchen caller ID 5551234 "Will"
		kitchen -> b2bua   off-hook
		b2bua   -> fxo1    off-hook
		kitchen -> b2bua   flash
		b2bua   -> fxo1    hold
		kitchen -> b2bua   DTMF DIAL
		kitchen -> b2bua   on-hook
		b2bua   -> fxo1    resume
		fxo1    -> b2bua   loop-current drop
		b2bua   -> fxo1    on-hook`
	for _, c := range []struct {
		third, dial, when string
		answers           func(o *analogOffice)
		ladder            string // of the third
	}{
		{"102", "102", "after the answer", func(o *analogOffice) { o.takesCall("102") }, `
			b2bua -> 102   INVITE
			102   -> b2bua 180
			102   -> b2bua 200
			b2bua -> 102   ACK
			b2bua -> 102   BYE
			102   -> b2bua 200`},
		{"hall", "132", "before the answer", func(o *analogOffice) { o.answers("hall") }, `
			b2bua -> hall  ring
			b2bua -> hall  caller ID 131 "Kitchen"
			hall  -> b2bua off-hook
			b2bua -> hall  loop-current drop
			b2bua -> hall  busy tone`},
		{"fxo2", "7773660", "before the answer", func(o *analogOffice) { o.townTalks("fxo2") }, `
			b2bua -> fxo2  off-hook
			fxo2  -> b2bua dial tone
			b2bua -> fxo2  DTMF 7773660
			fxo2  -> b2bua answer (polarity)
			b2bua -> fxo2  on-hook`},
	} {
		t.Run(c.third+" "+c.when, func(t *testing.T) {
			analog(t, analogCase{}, func(o *analogOffice) {
				o.phone("102")
				o.townCalls("fxo1", "5551234")
				o.answers("kitchen")
				o.townTalks("fxo1")
				o.flashes("kitchen")
				o.quiet("fxo1")
				o.dialsOn("kitchen", c.dial)
				if c.when == "after the answer" {
					c.answers(o)
					time.Sleep(time.Second)
					o.talk("kitchen " + c.third + " | fxo1")
					o.down("kitchen")
				} else {
					o.down("kitchen")
					c.answers(o)
					time.Sleep(time.Second)
				}
				o.talk(c.third + " fxo1")
				o.line("fxo1").HangUp()
				if bob := o.sip["102"]; bob != nil {
					bob.Peer.Wait = 10 * time.Second
					o.ended(bob)
				}
				o.free("fxo1")
				o.steps(before+c.ladder, "DIAL", c.dial)
			})
		})
	}
}

// What is heard at steps of a transfer by hook-flash that fails; who may leave at
// which is in TestConsultationOfAllKinds.
func TestFlashTransferRungs(t *testing.T) {
	for name, step := range map[string]func(o *analogOffice){
		"the caller, while digits are dialled": func(o *analogOffice) {
			o.dialsOn("kitchen", "13")
			o.line("fxo1").HangUp()
			o.hearsTone("kitchen", "busy tone")
		},
		"the third is unknown": func(o *analogOffice) {
			o.dialsOn("kitchen", "188")
			time.Sleep(5 * time.Second)
			o.talk("kitchen fxo1")
		},
		"the third rings, and the kitchen takes the caller back": func(o *analogOffice) {
			o.dialsOn("kitchen", "132")
			o.ringing("hall")
			o.flashes("kitchen")
			o.stops("hall")
			o.talk("kitchen fxo1")
		},
		"the kitchen, during dial tone: it rings again": func(o *analogOffice) {
			o.down("kitchen")
			o.answers("kitchen")
			o.talk("kitchen fxo1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			analog(t, analogCase{}, func(o *analogOffice) {
				o.townCalls("fxo1", "5551234")
				o.answers("kitchen")
				o.townTalks("fxo1")
				o.flashes("kitchen")
				step(o)
				for _, p := range o.Town.Phones() {
					p.OnHook()
				}
				o.line("fxo1").HangUp()
				o.free("fxo1")
			})
		})
	}
}

// A SIP phone transfers a caller from the town by REFER (RFC 5589 §6).
func TestLineIsTransferred(t *testing.T) {
	const referral = `
		fxo1  -> b2bua ring
		fxo1  -> b2bua caller ID 5551234 "Will"
		b2bua -> 101   INVITE
		101   -> b2bua 180
		101   -> b2bua 200
		b2bua -> 101   ACK
		b2bua -> fxo1  off-hook
		101   -> b2bua REFER TARGET
		b2bua -> 101   202
		b2bua -> 101   NOTIFY 100
		FIRST
		SECOND
		b2bua -> 101   NOTIFY 200
		b2bua -> 101   BYE
		101   -> b2bua 200
		101   -> b2bua 200
		101   -> b2bua 200
		fxo1  -> b2bua loop-current drop
		b2bua -> fxo1  on-hook`
	for _, c := range []struct {
		third, target string
		answers       func(o *analogOffice)
		first, second string // a telephone rings at once, before Alice has answered the first NOTIFY
		ladder        string
	}{
		{"hall", "132", func(o *analogOffice) { o.answers("hall") }, "b2bua -> 101 NOTIFY 180", "101 -> b2bua 200", `
			b2bua -> hall  ring
			b2bua -> hall  caller ID 5551234 "Will"
			hall  -> b2bua off-hook
			b2bua -> hall  loop-current drop
			b2bua -> hall  busy tone`},
		{"102", "102", func(o *analogOffice) {
			o.takesCall("102")
			time.Sleep(100 * time.Millisecond) // Alice answers a NOTIFY when the next has come
		}, "101 -> b2bua 200", "b2bua -> 101 NOTIFY 180", `
			b2bua -> 102   INVITE
			102   -> b2bua 180
			102   -> b2bua 200
			b2bua -> 102   ACK
			b2bua -> 102   BYE
			102   -> b2bua 200`},
		{"fxo2", "7773660", func(o *analogOffice) { o.townTalks("fxo2") }, "101 -> b2bua 200", "b2bua -> 101 NOTIFY 183", `
			b2bua -> fxo2  off-hook
			fxo2  -> b2bua dial tone
			b2bua -> fxo2  DTMF 7773660
			fxo2  -> b2bua answer (polarity)
			b2bua -> fxo2  on-hook`},
	} {
		t.Run(c.third, func(t *testing.T) {
			analog(t, analogCase{incoming: "101"}, func(o *analogOffice) {
				o.phone("102")
				alice := o.fromTown("101")
				o.refers(alice, "<sip:"+c.target+"@127.0.0.1>")
				c.answers(o)
				o.outcome(alice, 200)
				o.talk(c.third + " fxo1")
				o.line("fxo1").HangUp()
				if bob := o.sip["102"]; bob != nil {
					bob.Peer.Wait = 10 * time.Second
					o.ended(bob)
				}
				o.free("fxo1")
				o.steps(referral+c.ladder, "TARGET", c.target, "FIRST", c.first, "SECOND", c.second)
			})
		})
	}
}

// The transfer fails: the SIP phone is told, and has the town's party again.
func TestLineIsNotTransferred(t *testing.T) {
	for _, c := range []struct {
		name, target string
		status       int
	}{
		{"busy in the town", "7770101", 486},
		{"congestion in the town", "7770104", 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			analog(t, analogCase{incoming: "101"}, func(o *analogOffice) {
				alice := o.fromTown("101")
				o.refers(alice, "<sip:"+c.target+"@127.0.0.1>")
				o.outcome(alice, c.status)
				o.free("fxo2")
				o.talk("101 fxo1")
				o.hangsUpAt(alice)
				o.free("fxo1")
			})
		})
	}
}

// A phone of 1999 sends the town's party to the hall by BYE with Also.
func TestOldPhoneTransfersALine(t *testing.T) {
	analog(t, analogCase{incoming: "199"}, func(o *analogOffice) {
		bill := o.fromTown("199")
		bill.Request("BYE", "Also: <sip:132@127.0.0.1>")
		bill.Peer.Expect("200 BYE")
		o.answers("hall")
		o.talk("hall fxo1")
		o.down("hall")
		o.free("fxo1")
		o.steps(`
			fxo1  -> b2bua ring
			fxo1  -> b2bua caller ID 5551234 "Will"
			b2bua -> 199   INVITE
			199   -> b2bua 180
			199   -> b2bua 200
			b2bua -> 199   ACK
			b2bua -> fxo1  off-hook
			199   -> b2bua BYE (Also 132)
			b2bua -> 199   200
			b2bua -> hall  ring
			b2bua -> hall  caller ID 5551234 "Will"
			hall  -> b2bua off-hook
			hall  -> b2bua on-hook
			b2bua -> fxo1  on-hook`)
	})
}

// A SIP phone holds the town's party, calls the hall, and refers the one to the
// other (RFC 5589 §7): attended transfer towards an analog telephone, with the
// referred-to dialog being the exchange's with the SIP phone.
func TestLineIsTransferredAttended(t *testing.T) {
	for _, c := range []struct {
		third, dial, told string
		answers           func(o *analogOffice)
	}{
		{"hall", "132", "180", func(o *analogOffice) { o.answers("hall") }},
		{"fxo2", "7773660", "183", func(o *analogOffice) { o.townTalks("fxo2") }},
	} {
		t.Run(c.third, func(t *testing.T) {
			analog(t, analogCase{incoming: "101"}, func(o *analogOffice) {
				alice := o.fromTown("101")
				o.Wire.Mark()
				o.holdsBy(alice, "a=sendonly")
				second := o.dials("101", c.dial)
				c.answers(o)
				second = o.callsUp(second)
				o.talk("101 " + c.third + " | fxo1")
				o.Ladder(`
					101   -> b2bua INVITE (sendonly)
					b2bua -> 101   200
					101   -> b2bua ACK
					101   -> b2bua INVITE
					b2bua -> 101   407
					101   -> b2bua ACK
					101   -> b2bua INVITE
					b2bua -> 101   100
					b2bua -> 101   ` + c.told + `
					b2bua -> 101   200
					101   -> b2bua ACK`)
				o.refers(alice, "<sip:"+c.dial+"@127.0.0.1?Replaces="+escaped(replaces(second, ""))+">")
				o.farewell(alice, second)
				o.talk(c.third + " fxo1")
				o.line("fxo1").HangUp()
				o.free("fxo1")
				if c.third == "hall" {
					o.hearsTone("hall", "busy tone")
				} else {
					o.free("fxo2")
				}
			})
		})
	}
}

// fromTown is a call from the town that a SIP phone answers.
func (o *analogOffice) fromTown(extension string) *call {
	o.t.Helper()
	o.phone(extension)
	o.townCalls("fxo1", "5551234")
	c := o.takesCall(extension)
	o.townTalks("fxo1")
	return c
}

// outcome passes over what is told of a referral until its end, which is to be
// this; after a 200 the call is ended.
func (o *analogOffice) outcome(c *call, status int) {
	o.t.Helper()
	c.Peer.Wait = 40 * time.Second
	defer func() { c.Peer.Wait = 2 * time.Second }()
	for {
		m := c.Peer.Expect("NOTIFY")
		c.Respond(m, 200)
		if f := strings.Fields(m.Body); len(f) > 1 && f[1] >= "2" {
			if number(f[1]) != status {
				o.t.Errorf("%s is told %s, not %d", c.Peer.User, f[1], status)
			}
			break
		}
	}
	if status == 200 || status == 487 {
		o.ended(c)
	}
	time.Sleep(500 * time.Millisecond)
}

// farewell takes the NOTIFY and the BYEs that end an attended transfer.
func (o *analogOffice) farewell(first, second *call) {
	o.t.Helper()
	for range 3 {
		m := first.Peer.Any()
		switch {
		case m == nil:
			o.t.Fatal("the transfer does not end")
		case m.Is("NOTIFY"):
			first.Respond(m, 200)
			if !strings.Contains(m.Body, " 200 ") {
				o.t.Errorf("%s is told %q", first.Peer.User, m.Body)
			}
		case m.Is("BYE"):
			first.Peer.Respond(m, 200)
		default:
			o.t.Errorf("%s was sent %s", first.Peer.User, m)
		}
	}
}

// stops waits until a telephone rings no more.
func (o *analogOffice) stops(name string) {
	o.t.Helper()
	o.eventually(name+" is silent", func() bool { return !o.set(name).Status().Ringing })
}
