package sipleg

import (
	"strings"
	"testing"
	"time"

	"crosspoint/b2bua/leg"
)

func short(c *Config) { c.SessionExpires = 180 * time.Second }

// The caller knows session timers: who refreshes is agreed in our 200 (RFC
// 4028 §9, table 2).
func TestSessionTimerAgreed(t *testing.T) {
	for _, c := range []struct {
		name    string
		asks    []string
		expires string
		require bool
	}{
		{"nothing", nil, "180;refresher=uas", false},
		{"knows it", []string{"Supported: timer"}, "180;refresher=uas", true},
		{"asks for less", []string{"Supported: timer", "Session-Expires: 100"}, "100;refresher=uas", true},
		{"asks for more", []string{"Supported: timer", "Session-Expires: 7200"}, "180;refresher=uas", true},
		{"refreshes itself", []string{"Supported: timer", "Session-Expires: 180;refresher=uac"}, "180;refresher=uac", true},
		{"in compact form", []string{"k: timer", "x: 180;refresher=uac"}, "180;refresher=uac", true},
		{"wants us to", []string{"Require: timer", "Session-Expires: 180;refresher=uas"}, "180;refresher=uas", true},
		{"least is more than ours", []string{"Supported: timer", "Min-SE: 600"}, "600;refresher=uas", true},
		{"a proxy has asked", []string{"Session-Expires: 30;refresher=uac"}, "90;refresher=uas", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, short, func(f *fixture) {
				p := f.trunk()
				d := p.Dial("101")
				d.Request("INVITE", append(c.asks, sdpAt(4000))...)
				e := f.incoming()
				e.Answer()
				ok := p.Expect("200 INVITE")
				if got := ok.Get("Session-Expires"); got != c.expires || ok.Has("Require", "timer") != c.require {
					t.Errorf("Session-Expires: %s, want %s; Require: %s", got, c.expires, ok.Get("Require"))
				}
				d.Ack(ok)
				d.Request("BYE")
				p.Expect("200 BYE")
			})
		})
	}
}

// We refresh, by UPDATE where the party takes it, else by re-INVITE; a party
// that answers keeps its call.
func TestWeRefresh(t *testing.T) {
	for _, method := range []string{"UPDATE", "INVITE"} {
		t.Run(method, func(t *testing.T) {
			play(t, short, func(f *fixture) {
				p := f.trunk()
				d := p.Dial("101")
				d.Request("INVITE", "Supported: timer", "Allow: INVITE, ACK, BYE, "+method, sdpAt(4000))
				e := f.incoming()
				e.Answer()
				ok := p.Expect("200 INVITE")
				d.Ack(ok)
				p.Wait = 95 * time.Second
				for range 3 {
					p.Quiet(89 * time.Second)
					m := p.Expect(method)
					if m.Get("Session-Expires") != "180;refresher=uac" {
						t.Error(m.Text)
					}
					if method == "INVITE" {
						if m.Body != ok.Body {
							t.Errorf("a refresh changes the session:\n%s\n%s", ok.Body, m.Body)
						}
						d.Respond(m, 200, "Session-Expires: 180;refresher=uac", sdpAt(4000))
						p.Expect("ACK")
					} else {
						d.Respond(m, 200, "Session-Expires: 180;refresher=uac")
					}
				}
				e.expect()
				d.Request("BYE")
				p.Expect("200 BYE")
				e.expect("HungUp 16")
			})
		})
	}
}

// A phone that vanishes ends its call, whether it knows session timers or not.
func TestVanishedPhone(t *testing.T) {
	for _, c := range []struct {
		name   string
		asks   []string
		within time.Duration
	}{
		{"we refresh", nil, 90*time.Second + 33*time.Second + 3*time.Second},
		{"it refreshes", []string{"Supported: timer", "Session-Expires: 180;refresher=uac"}, 148*time.Second + 3*time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, short, func(f *fixture) {
				p := f.trunk()
				_, e := f.talking(p, c.asks...)
				time.Sleep(c.within - 5*time.Second)
				e.expect()
				time.Sleep(5 * time.Second)
				e.expect("HungUp 102")
				if why := e.cause().Text; !strings.Contains(why, "vanished") {
					t.Error(why)
				}
				if f.ports.InUse() != 0 {
					t.Error("its port is still in use")
				}
				if n := p.Repeats(40 * time.Second); n["BYE sip:5551234@10.0.0.1:5060 SIP/2.0"] == 0 {
					t.Errorf("no BYE: %v", n)
				}
			})
		})
	}
}

// The party refreshes in time.
func TestPartyRefreshes(t *testing.T) {
	play(t, short, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p, "Supported: timer", "Session-Expires: 180;refresher=uac")
		for i := range 4 {
			p.Quiet(100 * time.Second)
			if i%2 == 0 {
				d.Request("UPDATE", "Supported: timer", "Session-Expires: 180;refresher=uac")
				if m := p.Expect("200 UPDATE"); m.Get("Session-Expires") != "180;refresher=uac" || !m.Has("Require", "timer") {
					t.Error(m.Text)
				}
			} else {
				d.Request("INVITE", "Supported: timer", "Session-Expires: 180;refresher=uac", sdpAt(4000))
				d.Ack(p.Expect("200 INVITE"))
			}
		}
		e.expect()
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// We call: who refreshes is what the callee says in its 200 (RFC 4028 §7.2).
func TestSessionTimerOfCallee(t *testing.T) {
	for _, c := range []struct {
		name  string
		says  []string
		event string // what the party sees
		after time.Duration
	}{
		{"we refresh", []string{"Require: timer", "Session-Expires: 100;refresher=uac"}, "INVITE", 50 * time.Second},
		{"it refreshes", []string{"Require: timer", "Session-Expires: 120;refresher=uas"}, "BYE", 88 * time.Second},
		{"it knows no timer", nil, "INVITE", 90 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, short, func(f *fixture) {
				p := f.phone("102", 5072)
				d, e := f.called(p, c.says...)
				p.Quiet(c.after - time.Second)
				m := p.Expect(c.event)
				if c.event == "BYE" {
					d.Respond(m, 200)
					e.expect("HungUp 102")
					return
				}
				d.Respond(m, 200, sdpAt(4000))
				p.Expect("ACK")
				d.Request("BYE")
				p.Expect("200 BYE")
				e.expect("HungUp 16")
			})
		})
	}
}

// The refresh meets a party that has forgotten the call.
func TestRefreshOfForgottenCall(t *testing.T) {
	play(t, short, func(f *fixture) {
		p := f.trunk()
		_, e := f.talking(p, "Allow: UPDATE")
		p.Wait = 95 * time.Second
		p.Respond(p.Expect("UPDATE"), 481)
		p.Respond(p.Expect("BYE"), 481)
		e.expect("HungUp 102")
	})
}

// No session timer is asked for, but one that is asked of us is honoured.
func TestNoSessionTimer(t *testing.T) {
	play(t, func(c *Config) { c.SessionExpires = -1 }, func(f *fixture) {
		p := f.phone("102", 5072)
		f.dial("sip:102@127.0.0.1:5072").Hangup(leg.NormalClearing)
		m := p.Expect("INVITE")
		if m.Get("Session-Expires") != "" {
			t.Error(m.Text)
		}
		p.Respond(m, 486)
		p.Expect("ACK")
		tr := f.trunk()
		d, e := f.talking(tr, "Supported: timer", "Session-Expires: 300;refresher=uac")
		tr.Wait = 300 * time.Second
		d.Respond(tr.Expect("BYE"), 200)
		e.expect("HungUp 102")
	})
}
