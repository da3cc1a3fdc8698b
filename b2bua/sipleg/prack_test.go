package sipleg

import (
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
)

// A caller that requires 100rel: each provisional response is acknowledged
// before the next is sent, and the 200 needs no description any more.
func TestReliableToCaller(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", "Require: 100rel", sdpAt(4000))
		e := f.incoming()
		e.Ringing()
		e.Progress()
		e.Answer()
		ringing := p.Expect("180")
		if !ringing.Has("Require", "100rel") || ringing.Get("RSeq") != "1" {
			t.Error(ringing.Text)
		}
		first := *d // the INVITE's own view, for its ACK
		d.Established(ringing)
		p.ExpectRepeat(ringing, 600*time.Millisecond)  // 0.5
		p.ExpectRepeat(ringing, 1100*time.Millisecond) // 1.5
		d.Request("PRACK", "RAck: 2 1 INVITE")
		p.Expect("481 PRACK")
		d.Request("PRACK", "RAck: 1 1 INVITE")
		p.Expect("200 PRACK")
		progress := p.Expect("183")
		if progress.Get("RSeq") != "2" || progress.Body == "" {
			t.Error(progress.Text)
		}
		p.Quiet(time.Second) // the 200 waits too
		d.Request("PRACK", "RAck: 2 1 INVITE")
		p.Expect("200 PRACK")
		ok := p.Expect("200 INVITE")
		if ok.Body != "" {
			t.Errorf("the answer was given already:\n%s", ok.Text)
		}
		first.Ack(ok)
		d.Request("UPDATE", sdpAt(4002))
		p.Expect("200 UPDATE")
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
		e.passed(`
			trunk -> b2bua INVITE
			b2bua -> trunk 100
			b2bua -> trunk 180
			trunk -> b2bua PRACK
			b2bua -> trunk 481
			trunk -> b2bua PRACK
			b2bua -> trunk 200
			b2bua -> trunk 183 (SDP)
			trunk -> b2bua PRACK
			b2bua -> trunk 200
			b2bua -> trunk 200
			trunk -> b2bua ACK
			trunk -> b2bua UPDATE
			b2bua -> trunk 200
			trunk -> b2bua BYE
			b2bua -> trunk 200`)
	})
}

// Late offer and 100rel: ours is in the 183, the answer in the PRACK, and
// early media flows.
func TestReliableLateOffer(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", "Require: 100rel")
		e := f.incoming()
		e.Progress()
		m := p.Expect("183")
		if !strings.Contains(m.Body, "a=sendrecv") {
			t.Error(m.Text)
		}
		first := *d
		d.Established(m)
		d.Request("PRACK", "RAck: 1 1 INVITE", sdpAt(4000))
		p.Expect("200 PRACK")
		d.Request("UPDATE", sdpAt(4002, "a=sendonly")) // the first is answered: another may come
		if m := p.Expect("200 UPDATE"); !strings.Contains(m.Body, "a=recvonly") {
			t.Error(m.Text)
		}
		e.Answer()
		ok := p.Expect("200 INVITE")
		if ok.Body != "" {
			t.Error(ok.Text)
		}
		first.Ack(ok)
		e.expect("Held")
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// A PRACK without the answer that it owes.
func TestPrackWithoutAnswer(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", "Require: 100rel")
		e := f.incoming()
		e.Ringing()
		m := p.Expect("180")
		first := *d
		d.Established(m)
		d.Request("PRACK", "RAck: 1 1 INVITE")
		p.Expect("488 PRACK")
		p.Wait = 40 * time.Second
		first.Ack(p.Expect("504"))
		e.expect("HungUp 102")
	})
}

// A caller that acknowledges nothing is refused after 64*T1.
func TestNoPrack(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", "Require: 100rel", sdpAt(4000))
		e := f.incoming()
		e.Ringing()
		p.Expect("180")
		// 0.5, 1.5, 3.5, 7.5, 15.5, 31.5
		if n := total(p.Repeats(31900 * time.Millisecond)); n != 6 {
			t.Errorf("%d repetitions", n)
		}
		d.Ack(p.Expect("504"))
		e.expect("HungUp 102")
	})
}

// CANCEL while a PRACK is awaited.
func TestCancelBeforePrack(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", "Require: 100rel", sdpAt(4000))
		e := f.incoming()
		e.Progress()
		p.Expect("183")
		d.Cancel()
		p.Expect("200 CANCEL")
		d.Ack(p.Expect("487"))
		e.expect("HungUp 16")
		p.Silent(40 * time.Second)
	})
}

// A callee answers reliably: we acknowledge each response once, in order; ACK
// has the INVITE's number whatever was sent since.
func TestReliableFromCallee(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072")
		invite := p.Expect("INVITE")
		d := p.Incoming(invite)
		one := d.Respond(invite, 183, "Require: 100rel", "RSeq: 7", sdpAt(4000))
		prack := p.Expect("PRACK")
		if n, _ := prack.CSeq(); n != 2 || prack.Get("RAck") != "7 1 INVITE" || prack.Param("To", "tag") != d.LocalTag {
			t.Error(prack.Text)
		}
		d.Respond(prack, 200)
		p.Send(one.Text)
		p.Quiet(time.Second)                                 // a repetition is not acknowledged again
		d.Respond(invite, 180, "Require: 100rel", "RSeq: 9") // 8 was lost
		p.Quiet(time.Second)                                 // so this one waits
		e.expect("Trying", "EarlyMedia")                     // and says nothing
		d.Respond(invite, 180, "Require: 100rel", "RSeq: 8") //
		d.Respond(p.Expect("PRACK"), 200)                    //
		e.expect("Ringing")                                  //
		d.Request("UPDATE", sdpAt(4002))                     // the answer stands: the callee may offer anew
		if m := p.Expect("200 UPDATE"); m.Body == "" {       //
			t.Error(m.Text)
		}
		d.Respond(invite, 200)
		ack := p.Expect("ACK")
		if n, _ := ack.CSeq(); n != 1 {
			t.Error(ack.Text)
		}
		e.expect("Answered")
		e.Hangup(leg.NormalClearing)
		bye := p.Expect("BYE")
		if n, _ := bye.CSeq(); n != 4 {
			t.Error(bye.Text)
		}
		d.Respond(bye, 200)
		e.expect("HungUp 16")
	})
}

// CANCEL after a PRACK has the INVITE's number too.
func TestCancelAfterPrack(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072")
		invite := p.Expect("INVITE")
		d := p.Incoming(invite)
		d.Respond(invite, 180, "Require: 100rel", "RSeq: 1")
		d.Respond(p.Expect("PRACK"), 200)
		e.Hangup(leg.NoAnswer)
		cancel := p.Expect("CANCEL")
		if n, m := cancel.CSeq(); n != 1 || m != "CANCEL" || cancel.Get("Via") != invite.Get("Via") {
			t.Error(cancel.Text)
		}
		d.Respond(cancel, 200)
		d.Respond(invite, 487)
		p.Expect("ACK")
		e.expect("Trying", "Ringing", "HungUp 19")
	})
}
