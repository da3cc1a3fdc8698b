package lab

import (
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua"
	"crosspoint/gateway/linesim"
)

// A phone of 1999 transfers Alice to Carol by BYE with Also; Carol's phone is of
// today, and reads Referred-By.
func TestOldPhoneTransfers(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bill := o.talking("101", "199")
		o.phone("103")
		o.Wire.Mark()
		bill.Request("BYE", "Also: Carol <sip:103@127.0.0.1>")
		bill.Peer.Expect("200 BYE")
		carol := o.rings("103")
		if by := carol.Dialog.Invite.Get("Referred-By"); by == "" {
			o.t.Errorf("Carol is not told who transferred:\n%s", carol.Dialog.Invite.Text)
		}
		o.answer(carol)
		o.hear(alice, carol)
		o.hangsUp(alice, carol)
		o.Ladder(`
			199   -> b2bua BYE (Also 103)
			b2bua -> 199   200
			b2bua -> 103   INVITE
			103   -> b2bua 180
			103   -> b2bua 200
			b2bua -> 103   ACK
			101   -> b2bua BYE
			b2bua -> 101   200
			b2bua -> 103   BYE
			103   -> b2bua 200`)
	})
}

// Its target is busy: nobody is left to talk to Alice, whose call ends.
func TestOldPhoneTransfersToABusyOne(t *testing.T) {
	inOffice(t, func(o *office) {
		alice, bill := o.talking("101", "199")
		o.phone("103")
		bill.Request("BYE", "Also: <sip:103@127.0.0.1>")
		bill.Peer.Expect("200 BYE")
		refuses(o.rings("103"), 486)
		o.ended(alice)
	})
}

// Bob refers Alice to a phone of 1999, which has called before: it reads
// Requested-By, not Referred-By.
func TestTransferToAnOldPhone(t *testing.T) {
	inOffice(t, func(o *office) {
		bill, bob := o.talking("199", "102")
		o.hangsUp(bill, bob)
		alice, bob := o.talking("101", "102")
		o.refers(bob, "<sip:199@127.0.0.1>")
		bill = o.rings("199")
		if m := bill.Dialog.Invite; m.Address("Requested-By") != "sip:102@127.0.0.1" || m.Get("Referred-By") != "" {
			o.t.Errorf("Requested-By %q, Referred-By %q", m.Get("Requested-By"), m.Get("Referred-By"))
		}
		o.notified(bob, 180)
		o.answer(bill)
		o.notified(bob, 200)
		o.ended(bob)
		o.hear(alice, bill)
		o.hangsUp(bill, alice)
	})
}

// withLines is an office with its analog telephones in reach.
func withLines(t *testing.T, calls b2bua.Config, script func(o *office, kitchen, hall *linesim.Phone)) {
	t.Helper()
	inOfficeWith(t, officeText+linesText, calls, func(o *office) {
		kitchen, hall := o.Town.Phone("fxs1"), o.Town.Phone("fxs2")
		kitchen.Set(linesim.PhoneConfig{}) // they answer when the test says so
		hall.Set(linesim.PhoneConfig{})
		script(o, kitchen, hall)
		for _, p := range []*linesim.Phone{kitchen, hall} {
			p.OnHook()
		}
		time.Sleep(3 * time.Second)
	})
}

// lift lifts a telephone, and dials.
func (o *office) lift(p *linesim.Phone, digits string) {
	o.t.Helper()
	p.OffHook()
	time.Sleep(time.Second)
	o.must(p.Dial(digits))
}

// until waits for something for a while.
func (o *office) until(what string, true func() bool) {
	o.t.Helper()
	for range 300 {
		if synctest.Wait(); true() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	o.t.Fatalf("after 30 s still not: %s", what)
}

// takes answers a call that an analog telephone has made.
func (o *office) takes(extension string) *call {
	o.t.Helper()
	o.phone(extension).Wait = 15 * time.Second
	c := o.rings(extension)
	o.answer(c)
	c.Peer.Wait = 2 * time.Second
	return c
}

// The kitchen calls Bob, flashes, calls Carol, and hangs up: Bob and Carol talk
// (transfer by hook-flash).
func TestFlashTransfers(t *testing.T) {
	withLines(t, b2bua.Config{}, func(o *office, kitchen, _ *linesim.Phone) {
		o.phone("102")
		o.phone("103")
		o.lift(kitchen, "102")
		bob := o.takes("102")
		time.Sleep(time.Second)
		o.Wire.Mark()
		kitchen.Flash(0)
		o.reinvited(bob, "a=sendonly")
		time.Sleep(time.Second)
		o.must(kitchen.Dial("103"))
		carol := o.takes("103")
		time.Sleep(time.Second)
		kitchen.OnHook()
		o.reinvited(bob, "")
		o.hear(bob, carol)
		o.hangsUp(bob, carol)
		o.Ladder(`
			b2bua -> 102   INVITE (sendonly)
			102   -> b2bua 200
			b2bua -> 102   ACK
			b2bua -> 103   INVITE
			103   -> b2bua 180
			103   -> b2bua 200
			b2bua -> 103   ACK
			b2bua -> 102   INVITE
			102   -> b2bua 200
			b2bua -> 102   ACK
			102   -> b2bua BYE
			b2bua -> 102   200
			b2bua -> 103   BYE
			103   -> b2bua 200`)
	})
}

// The kitchen flashes once more: three talk, SIP phones and an analog one.
func TestFlashJoinsThree(t *testing.T) {
	withLines(t, b2bua.Config{}, func(o *office, kitchen, _ *linesim.Phone) {
		o.phone("102")
		o.phone("199")
		o.lift(kitchen, "102")
		bob := o.takes("102")
		time.Sleep(time.Second)
		kitchen.Flash(0)
		o.reinvited(bob, "a=sendonly")
		time.Sleep(time.Second)
		o.must(kitchen.Dial("199"))
		bill := o.takes("199")
		time.Sleep(time.Second)
		kitchen.Flash(0)
		o.reinvited(bob, "")
		hearsMix(o, bob, bill)
		hearsMix(o, bill, bob)
		bob.Request("BYE")
		bob.Peer.Expect("200 BYE")
		time.Sleep(time.Second)
		kitchen.OnHook()
		o.ended(bill)
	})
}

// The party that the kitchen calls after its flash is busy: it has Bob again.
func TestFlashToABusyOne(t *testing.T) {
	withLines(t, b2bua.Config{}, func(o *office, kitchen, _ *linesim.Phone) {
		o.phone("102")
		o.phone("103").Wait = 15 * time.Second
		o.lift(kitchen, "102")
		bob := o.takes("102")
		time.Sleep(time.Second)
		kitchen.Flash(0)
		o.reinvited(bob, "a=sendonly")
		time.Sleep(time.Second)
		o.must(kitchen.Dial("103"))
		refuses(o.rings("103"), 486)
		o.reinvited(bob, "")
		kitchen.OnHook()
		o.ended(bob)
	})
}

// Old Bill calls the kitchen, which holds him: he is told in his own words.
func TestAnalogHoldsAnOldPhone(t *testing.T) {
	withLines(t, b2bua.Config{}, func(o *office, kitchen, _ *linesim.Phone) {
		bill := o.dials("199", "131")
		bill.Peer.Expect("180")
		time.Sleep(3 * time.Second)
		kitchen.OffHook()
		o.connected(bill)
		time.Sleep(time.Second)
		kitchen.Flash(0)
		o.reinvited(bill, "c=IN IP4 0.0.0.0")
		time.Sleep(time.Second)
		kitchen.Flash(0) // and takes him back
		o.reinvited(bill, "")
		bill.Request("BYE")
		bill.Peer.Expect("200 BYE")
	})
}

// Bob refers the kitchen to the hall: one analog telephone to another.
func TestTransferBetweenAnalogPhones(t *testing.T) {
	withLines(t, b2bua.Config{}, func(o *office, kitchen, hall *linesim.Phone) {
		o.phone("102")
		o.lift(kitchen, "102")
		bob := o.takes("102")
		o.refers(bob, "<sip:132@127.0.0.1>")
		o.notified(bob, 180)
		o.until("the hall rings", func() bool { return hall.Status().Ringing })
		time.Sleep(time.Second)
		hall.OffHook()
		o.notified(bob, 200)
		o.ended(bob)
		time.Sleep(time.Second)
		kitchen.OnHook()
	})
}

// Alice holds a party in the town, who hears music, and sends it to the kitchen.
func TestTownOnHoldAndTransferred(t *testing.T) {
	withLines(t, b2bua.Config{Music: hum}, func(o *office, kitchen, _ *linesim.Phone) {
		alice := o.dials("101", "7773660")
		alice.Peer.Wait = 15 * time.Second
		alice.Peer.Expect("183")
		o.connected(alice)
		time.Sleep(time.Second)
		o.holds(alice, "a=sendonly")
		held := len(o.townHeard("7773660"))
		time.Sleep(2 * time.Second)
		music := o.townHeard("7773660")[held:]
		loud := 0
		for _, s := range music {
			if s > 500 || s < -500 {
				loud++
			}
		}
		if loud < len(music)/2 || len(music) < 8000 {
			o.t.Errorf("of %d samples that the town heard on hold %d are loud", len(music), loud)
		}
		o.refers(alice, "<sip:131@127.0.0.1>")
		o.notified(alice, 180)
		o.until("the kitchen rings", func() bool { return kitchen.Status().Ringing })
		time.Sleep(time.Second)
		kitchen.OffHook()
		o.notified(alice, 200)
		o.ended(alice)
		time.Sleep(time.Second)
		if s := kitchen.Status(); s.Hears == "" {
			o.t.Errorf("the kitchen hears nothing: %+v", s)
		}
		kitchen.OnHook()
	})
}

// townHeard is what a subscriber of the town has heard so far.
func (o *office) townHeard(number string) []int16 {
	o.t.Helper()
	synctest.Wait()
	rec, ok := o.Town.Town().LastCall(number)
	if !ok {
		o.t.Fatalf("nobody has called %s", number)
	}
	return rec.Heard
}
