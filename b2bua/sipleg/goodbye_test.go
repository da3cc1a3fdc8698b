package sipleg

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/siptest"
)

// The exchange hangs up.
func TestCallerIsHungUpOn(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		e.Hangup(leg.NormalClearing)
		bye := p.Expect("BYE")
		if !bye.Has("Reason", `Q.850;cause=16`) {
			t.Errorf("BYE without reason:\n%s", bye.Text)
		}
		e.expect()
		d.Respond(bye, 200)
		e.expect("HungUp 16")
		e.passed(`
			trunk -> b2bua INVITE
			b2bua -> trunk 100
			b2bua -> trunk 200
			trunk -> b2bua ACK
			b2bua -> trunk BYE
			trunk -> b2bua 200`)
	})
}

// Nobody answers our BYE: call control hears of the end soon nevertheless.
func TestByeUnanswered(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		_, e := f.talking(p)
		e.Hangup(leg.Busy)
		time.Sleep(1900 * time.Millisecond)
		e.expect()
		time.Sleep(200 * time.Millisecond)
		e.expect("HungUp 17")
		// Timer E: 0.5, 1, 2, 4, 4, 4 … until timer F at 32 s.
		if n := p.Repeats(40 * time.Second); len(n) != 1 || total(n) != 11 {
			t.Errorf("BYE sent %v", n)
		}
	})
}

func total(n map[string]int) (sum int) {
	for _, v := range n {
		sum += v
	}
	return sum
}

func TestByesCross(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		e.Hangup(leg.NormalClearing)
		bye := p.Expect("BYE")
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
		d.Respond(bye, 200)
	})
}

// CANCEL at every moment.
func TestCallerCancels(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(f *fixture, p *siptest.Peer) *end
	}{
		{"right behind the INVITE", func(f *fixture, p *siptest.Peer) *end { return nil }},
		{"after 100", func(f *fixture, p *siptest.Peer) *end { e := f.incoming(); p.Expect("100"); return e }},
		{"after 180", func(f *fixture, p *siptest.Peer) *end { e := f.incoming(); e.Ringing(); p.Expect("180"); return e }},
		{"after early media", func(f *fixture, p *siptest.Peer) *end { e := f.incoming(); e.Progress(); p.Expect("183"); return e }},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.trunk()
				d := p.Dial("101")
				d.Request("INVITE", sdpAt(4000))
				e := c.before(f, p)
				d.Cancel(`Reason: SIP;cause=200;text="Call completed elsewhere"`)
				if e == nil {
					e = f.incoming()
				}
				p.Expect("200 CANCEL")
				d.Ack(p.Expect("487"))
				e.expect("HungUp 16")
				if s := e.ladder.String(); !strings.HasSuffix(strings.Join(fold(s), "\n"), "trunk -> b2bua CANCEL\nb2bua -> trunk 200\nb2bua -> trunk 487\ntrunk -> b2bua ACK") {
					t.Error(s)
				}
			})
		})
	}
}

// A CANCEL that crosses the 200 changes nothing: the caller acknowledges and
// hangs up.
func TestCancelCrossesAnswer(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", sdpAt(4000))
		e := f.incoming()
		e.Answer()
		synctest.Wait()
		d.Cancel()
		ok := p.Expect("200 INVITE")
		p.Expect("200 CANCEL")
		e.expect()
		d.Ack(ok)
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

func TestCalleeHangsUp(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		d, e := f.called(p)
		d.Request("BYE", `Reason: Q.850;cause=31;text="whatever"`)
		p.Expect("200 BYE")
		e.expect("HungUp 31")
	})
}

// CANCEL: not before the callee has said anything; answered by 487.
func TestCancel(t *testing.T) {
	for _, c := range []struct {
		name  string
		rings bool
	}{{"before anything came", false}, {"while it rings", true}} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.phone("102", 5072)
				e := f.dial("sip:102@127.0.0.1:5072")
				invite := p.Expect("INVITE")
				d := p.Incoming(invite)
				if c.rings {
					d.Respond(invite, 180)
					synctest.Wait()
				}
				e.Hangup(leg.ElsewhereAnswer)
				if !c.rings {
					p.Quiet(time.Second)
					d.Respond(invite, 100)
				}
				cancel := p.Expect("CANCEL")
				if cancel.Get("Via") != invite.Get("Via") || cancel.Param("To", "tag") != "" || !cancel.Has("Reason", "completed elsewhere") {
					t.Error(cancel.Text)
				}
				if n, m := cancel.CSeq(); n != 1 || m != "CANCEL" {
					t.Error(cancel.Text)
				}
				d.Respond(cancel, 200)
				d.Respond(invite, 487)
				p.Expect("ACK")
				if e.cause().Text != leg.ElsewhereAnswer.Text {
					t.Errorf("%+v", e.cause())
				}
			})
		})
	}
}

// A 200 that crosses the CANCEL is acknowledged and ended.
func TestAnswerCrossesCancel(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072")
		invite := p.Expect("INVITE")
		d := p.Incoming(invite)
		d.Respond(invite, 180)
		synctest.Wait()
		e.Hangup(leg.NoAnswer)
		d.Respond(invite, 200, sdpAt(4000))
		cancel := p.Expect("CANCEL")
		p.Expect("ACK")
		bye := p.Expect("BYE")
		d.Respond(cancel, 200)
		d.Respond(bye, 200)
		e.expect("Trying", "Ringing", "HungUp 19")
		e.passed(`
			b2bua -> 127.0.0.1 INVITE
			127.0.0.1 -> b2bua 180
			b2bua -> 127.0.0.1 CANCEL
			127.0.0.1 -> b2bua 200
			b2bua -> 127.0.0.1 ACK
			b2bua -> 127.0.0.1 BYE
			127.0.0.1 -> b2bua 200
			127.0.0.1 -> b2bua 200`)
	})
}

// Nobody heeds the CANCEL.
func TestCancelUnheeded(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072")
		invite := p.Expect("INVITE")
		p.Incoming(invite).Respond(invite, 180)
		synctest.Wait()
		e.Hangup(leg.NoAnswer)
		time.Sleep(2 * time.Second)
		e.expect("Trying", "Ringing", "HungUp 19")
	})
}
