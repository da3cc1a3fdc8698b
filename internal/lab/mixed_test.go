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
