package sipleg

import (
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/siptest"
)

// Requests within a call.
func TestInDialogRequests(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		for _, c := range []struct {
			method string
			extra  []string
			answer string
			has    [2]string
		}{
			{"OPTIONS", nil, "200", [2]string{"Allow", "INVITE, ACK, CANCEL, BYE"}},
			{"MESSAGE", []string{"body text/plain\nhello"}, "405", [2]string{"Allow", "BYE"}},
			{"SUBSCRIBE", []string{"Event: dialog"}, "405", [2]string{"Allow", "BYE"}},
			{"NOTIFY", []string{"Event: presence"}, "489", [2]string{"Allow-Events", "refer"}},
			{"NOTIFY", []string{"Event: refer"}, "481", [2]string{}},
			{"FROBNICATE", nil, "405", [2]string{"Allow", "BYE"}},
			{"PRACK", []string{"RAck: 1 1 INVITE"}, "481", [2]string{}},
			{"INFO", nil, "200", [2]string{}},
			{"INFO", []string{"body application/x-unknown\nhello"}, "415", [2]string{"Accept", "application/dtmf-relay"}},
			{"INFO", []string{"Require: foo"}, "420", [2]string{"Unsupported", "foo"}},
			{"REFER", nil, "400", [2]string{}},
		} {
			d.Request(c.method, c.extra...)
			m := p.Expect(c.answer + " " + c.method)
			if c.has[0] != "" && !m.Has(c.has[0], c.has[1]) {
				t.Errorf("%s: no %s with %q in\n%s", c.method, c.has[0], c.has[1], m.Text)
			}
		}
		e.expect()
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
		d.Request("INFO") // to the tombstone
		p.Expect("481 INFO")
		d.Request("BYE")
		p.Expect("481 BYE")
		time.Sleep(40 * time.Second)
		d.Request("BYE") // nobody knows any more
		p.Expect("481 BYE")
	})
}

// CSeq: what is behind the last number is out of order (RFC 3261 §12.2.2); the
// BYE's repetition gets the same answer.
func TestSequence(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		d.Seq = 10
		d.Request("OPTIONS")
		p.Expect("200 OPTIONS")
		d.Seq = 5
		d.Request("OPTIONS")
		p.Expect("500 OPTIONS")
		d.Seq = 0x7ffffff0
		bye := d.Request("BYE")
		ok := p.Expect("200 BYE")
		p.Send(bye.Text)
		p.ExpectRepeat(ok, time.Second)
		e.expect("HungUp 16")
	})
}

// Whoever does not know the dialog is not in it.
func TestUnknownDialogs(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		for name, change := range map[string]func(d *siptest.Dialog){
			"another tag of ours":   func(d *siptest.Dialog) { d.RemoteTag = "x" },
			"another tag of theirs": func(d *siptest.Dialog) { d.LocalTag = "x" },
			"no tag of theirs":      func(d *siptest.Dialog) { d.LocalTag = "" },
			"another Call-ID":       func(d *siptest.Dialog) { d.CallID = "x" },
			"no tag of ours":        func(d *siptest.Dialog) { d.RemoteTag = "" },
		} {
			for _, method := range []string{"BYE", "INFO", "UPDATE", "INVITE"} {
				if method == "INVITE" && (name == "no tag of ours" || name == "another Call-ID") {
					continue // that is a new call
				}
				other := *d
				change(&other)
				if method == "INVITE" {
					other.Request(method, sdpAt(4000))
					m := p.Expect("481 INVITE")
					other.Ack(m)
					continue
				}
				other.Request(method)
				if m := p.Expect("481 " + method); m == nil {
					t.Error(name)
				}
			}
		}
		e.expect()
		d.Seq += 10
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// Outside of any call.
func TestRequestsOutsideOfCalls(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		for _, c := range []struct {
			method, answer string
			has            [2]string
		}{
			{"OPTIONS", "200", [2]string{"Allow", "REGISTER"}},
			{"BYE", "481", [2]string{}},
			{"CANCEL", "481", [2]string{}},
			{"PRACK", "481", [2]string{}},
			{"UPDATE", "481", [2]string{}},
			{"SUBSCRIBE", "489", [2]string{"Allow-Events", "refer"}},
			{"MESSAGE", "405", [2]string{"Allow", "INVITE"}},
			{"PUBLISH", "405", [2]string{"Allow", "INVITE"}},
			{"REFER", "403", [2]string{}},
			{"FROBNICATE", "405", [2]string{"Allow", "INVITE"}},
		} {
			req := p.Request(c.method, "101")
			m := p.Expect(c.answer + " " + c.method)
			if m.Param("To", "tag") == "" {
				t.Errorf("%s: no To tag in\n%s", c.method, m.Text)
			}
			if c.has[0] != "" && !m.Has(c.has[0], c.has[1]) {
				t.Errorf("%s: no %s with %q in\n%s", c.method, c.has[0], c.has[1], m.Text)
			}
			p.Send(req.Text)
			p.ExpectRepeat(m, time.Second)
		}
		p.Request("OPTIONS", "101", "Require: foo")
		if m := p.Expect("420"); m.Get("Unsupported") != "foo" {
			t.Error(m.Text)
		}
		d := p.Dial("101")
		d.Request("ACK")
		p.Silent(time.Second)
	})
}

// Digits and flashes by SIP INFO.
func TestInfoDigits(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p, "Allow: INVITE, ACK, BYE, INFO")
		for _, body := range []string{
			"application/dtmf-relay\nSignal=5\nDuration=160\n", "application/dtmf-relay\nsignal = 11 \n", "application/dtmf-relay\nSignal=12\n",
			"application/dtmf\n*", "application/dtmf-relay\nSignal=hf\n", "application/hook-flash\nflash", "application/dtmf-relay\nSignal=77\n",
		} {
			d.Request("INFO", "body "+body)
			p.Expect("200 INFO")
		}
		e.expect("Digit 5", "Digit #", "Digit A", "Digit *", "Flash", "Flash")
		e.mu.Lock()
		if first := e.events[0].(leg.Digit); first.For != 160*time.Millisecond {
			t.Errorf("%v", first.For)
		}
		e.mu.Unlock()
		e.Flash()
		m := p.Expect("INFO")
		if !m.Has("Content-Type", "application/hook-flash") {
			t.Error(m.Text)
		}
		d.Respond(m, 200)
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// Orders to a leg that is over do nothing.
func TestOrdersTooLate(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
		e.Ringing()
		e.Progress()
		e.Answer()
		e.Hold()
		e.Resume()
		e.Digit('5', 0)
		e.Flash()
		e.Identify(leg.Party{Number: "1"})
		e.Refer(leg.Refer{Target: "sip:x@y"})
		e.Notify(leg.Busy)
		e.Hangup(leg.Busy)
		e.expect()
		p.Silent(time.Second)
		if !strings.Contains(f.log.String(), "order to a leg that is over") {
			t.Error("not logged")
		}
	})
}

// A phone that disappears while it is talked to by the exchange's end.
func TestShutdown(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		done := make(chan error, 1)
		ctx, cancel := contextFor(5 * time.Second)
		defer cancel()
		go func() { done <- f.agent.Shutdown(ctx) }()
		time.Sleep(time.Second)
		other := p.Dial("101")
		other.Request("INVITE", sdpAt(4000))
		other.Ack(p.Expect("503"))
		p.Request("OPTIONS", "101")
		p.Expect("503")
		e.expect()
		p.Wait = 10 * time.Second
		d.Respond(p.Expect("BYE"), 200)
		if err := <-done; err == nil {
			t.Error("Shutdown does not say that calls were cut")
		}
		e.expect("HungUp 41")
		f.agent.Close() // again: nothing
	})
}
