package sipleg

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
)

// The party holds and retrieves, in each of the three forms.
func TestPartyHolds(t *testing.T) {
	zero := strings.Replace(sdpAt(4000), "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", 1)
	for _, c := range []struct{ name, hold, answer, drawn string }{
		{"sendonly", sdpAt(4000, "a=sendonly"), "a=recvonly", "hold"},
		{"inactive", sdpAt(4000, "a=inactive"), "a=inactive", "hold"},
		{"c=0.0.0.0", zero, "a=sendrecv", "c=0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.trunk()
				d, e := f.talking(p)
				d.Request("INVITE", c.hold)
				ok := p.Expect("200 INVITE")
				if !strings.Contains(ok.Body, c.answer) {
					t.Errorf("no %s in\n%s", c.answer, ok.Body)
				}
				d.Ack(ok)
				e.expect("Held")
				d.Request("INVITE", c.hold) // hold of a hold: nothing new
				d.Ack(p.Expect("200 INVITE"))
				e.expect()
				d.Request("INVITE", sdpAt(4000))
				d.Ack(p.Expect("200 INVITE"))
				e.expect("Resumed")
				d.Request("BYE")
				p.Expect("200 BYE")
				e.expect("HungUp 16")
				e.passed(strings.ReplaceAll(`
					trunk -> b2bua INVITE
					b2bua -> trunk 100
					b2bua -> trunk 200
					trunk -> b2bua ACK
					trunk -> b2bua INVITE (HELD)
					b2bua -> trunk 200
					trunk -> b2bua ACK
					trunk -> b2bua INVITE (HELD)
					b2bua -> trunk 200
					trunk -> b2bua ACK
					trunk -> b2bua INVITE (resume)
					b2bua -> trunk 200
					trunk -> b2bua ACK
					trunk -> b2bua BYE
					b2bua -> trunk 200`, "HELD", c.drawn))
			})
		})
	}
}

// We hold the party and take it back, of either direction of the call.
func TestWeHold(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		d, e := f.called(p)
		e.Hold()
		m := p.Expect("INVITE")
		if !strings.Contains(m.Body, "a=sendonly") || m.Param("To", "tag") != d.LocalTag || m.URI != "sip:102@127.0.0.1:5072" {
			t.Error(m.Text)
		}
		d.Respond(m, 200, sdpAt(4000, "a=recvonly"))
		p.Expect("ACK")
		e.expect() // it answers our hold, it does not hold us
		e.Hold()
		p.Quiet(time.Second) // we hold it already
		e.Resume()
		m = p.Expect("INVITE")
		if !strings.Contains(m.Body, "a=sendrecv") {
			t.Error(m.Body)
		}
		ok := d.Respond(m, 200, sdpAt(4000))
		ack := p.Expect("ACK")
		p.Send(ok.Text)
		p.ExpectRepeat(ack, time.Second)
		e.Hangup(leg.NormalClearing)
		d.Respond(p.Expect("BYE"), 200)
		e.expect("HungUp 16")
		e.passed(`
			b2bua -> 127.0.0.1 INVITE
			127.0.0.1 -> b2bua 200
			b2bua -> 127.0.0.1 ACK
			b2bua -> 127.0.0.1 INVITE (c=0)
			127.0.0.1 -> b2bua 200
			b2bua -> 127.0.0.1 ACK
			b2bua -> 127.0.0.1 INVITE (resume)
			127.0.0.1 -> b2bua 200
			b2bua -> 127.0.0.1 ACK
			b2bua -> 127.0.0.1 BYE
			127.0.0.1 -> b2bua 200`)
	})
}

// Both hold each other; each is taken back by itself.
func TestBothHold(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		e.Hold()
		m := p.Expect("INVITE")
		d.Respond(m, 200, sdpAt(4000, "a=recvonly"))
		p.Expect("ACK")
		d.Request("INVITE", sdpAt(4000, "a=sendonly"))
		ok := p.Expect("200 INVITE")
		if !strings.Contains(ok.Body, "a=inactive") {
			t.Error(ok.Body)
		}
		d.Ack(ok)
		e.expect("Held")
		e.Resume()
		m = p.Expect("INVITE")
		d.Respond(m, 200, sdpAt(4000, "a=sendonly"))
		p.Expect("ACK")
		e.expect()
		d.Request("INVITE", sdpAt(4000))
		d.Ack(p.Expect("200 INVITE"))
		e.expect("Resumed")
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// Orders while one is on its way: the last one counts.
func TestHoldAndResumeAtOnce(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		d, e := f.called(p)
		e.Hold()
		e.Resume()
		e.Hold()
		e.Resume()
		m := p.Expect("INVITE")
		d.Respond(m, 200, sdpAt(4000, "a=recvonly"))
		p.Expect("ACK")
		m = p.Expect("INVITE")
		if !strings.Contains(m.Body, "a=sendrecv") {
			t.Error(m.Body)
		}
		d.Respond(m, 200, sdpAt(4000))
		p.Expect("ACK")
		p.Quiet(time.Second)
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// Hold ordered before our 200 is acknowledged waits for the ACK.
func TestHoldWaitsForAck(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", sdpAt(4000))
		e := f.incoming()
		e.Answer()
		e.Hold()
		ok := p.Expect("200 INVITE")
		p.Quiet(400 * time.Millisecond)
		d.Ack(ok)
		m := p.Expect("INVITE")
		d.Respond(m, 200, sdpAt(4000, "a=recvonly"))
		p.Expect("ACK")
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// Both sides send a re-INVITE at once: both get 491, and try again after
// pauses that differ (RFC 3261 §14.1).
func TestGlare(t *testing.T) {
	for _, owner := range []bool{true, false} {
		name := "the party has the Call-ID"
		if owner {
			name = "we have the Call-ID"
		}
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.trunk()
				open := f.talking
				if owner {
					p = f.phone("102", 5072)
					open = f.called
				}
				d, e := open(p)
				e.Hold()
				synctest.Wait()
				d.Request("INVITE", sdpAt(4000, "a=sendonly"))
				ours := p.Expect("INVITE")
				d.Ack(p.Expect("491"))
				d.Respond(ours, 491)
				p.Expect("ACK")
				began := time.Now()
				p.Wait = 5 * time.Second
				again := p.Expect("INVITE")
				waited := time.Since(began)
				if owner && (waited < 2100*time.Millisecond || waited > 4*time.Second) || !owner && waited > 2*time.Second+10*time.Millisecond {
					t.Errorf("waited %v", waited)
				}
				d.Respond(again, 200, sdpAt(4000, "a=recvonly"))
				p.Expect("ACK")
				e.expect()
				e.Hangup(leg.NormalClearing)
				d.Respond(p.Expect("BYE"), 200)
				e.expect("HungUp 16")
			})
		})
	}
}

// What comes of a re-INVITE of ours that is refused.
func TestReinviteRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		extra  []string
		then   string // what the party sees next: "", "INVITE", "BYE"
		events []string
	}{
		{"not acceptable: the call goes on", 488, nil, "", nil},
		{"later", 500, []string{"Retry-After: 1"}, "INVITE", nil},
		{"session interval", 422, []string{"Min-SE: 3600"}, "INVITE", nil},
		{"the call is unknown there", 481, nil, "BYE", []string{"HungUp 102"}},
		{"time-out on the way", 408, nil, "BYE", []string{"HungUp 102"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.phone("102", 5072)
				d, e := f.called(p)
				e.Hold()
				m := p.Expect("INVITE")
				d.Respond(m, c.status, c.extra...)
				p.Expect("ACK")
				switch c.then {
				case "":
					p.Quiet(5 * time.Second)
				case "INVITE":
					m = p.Expect("INVITE")
					if c.status == 422 && !strings.HasPrefix(m.Get("Session-Expires"), "3600;") {
						t.Error(m.Text)
					}
					d.Respond(m, 200, sdpAt(4000, "a=recvonly"))
					p.Expect("ACK")
				case "BYE":
					d.Respond(p.Expect("BYE"), 200)
					e.expect(c.events...)
					return
				}
				d.Request("BYE")
				p.Expect("200 BYE")
				e.expect("HungUp 16")
			})
		})
	}
}

// A re-INVITE of ours that nobody answers ends the call.
func TestReinviteUnanswered(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		d, e := f.called(p)
		e.Hold()
		m := p.Expect("INVITE")
		d.Respond(m, 100) // and nothing more
		p.Wait = 40 * time.Second
		d.Respond(p.Expect("BYE"), 200)
		e.expect("HungUp 102")
	})
}

// The party's re-INVITE without offer: ours in the 200, its answer in the ACK.
func TestReinviteLateOffer(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		d.Request("INVITE")
		ok := p.Expect("200 INVITE")
		if !strings.Contains(ok.Body, "RTP/AVP 0 8 101") || !strings.Contains(ok.Body, "a=sendrecv") {
			t.Error(ok.Body)
		}
		d.Request("UPDATE", sdpAt(4002)) // an offer while ours is open
		p.Expect("491")
		d.Ack(ok, sdpAt(4000, "a=sendonly"))
		e.expect("Held")
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// A re-INVITE that comes before the first INVITE is answered is for later.
func TestReinviteTooEarly(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", sdpAt(4000))
		e := f.incoming()
		e.Ringing()
		ringing := p.Expect("180")
		first := *d
		d.Established(ringing)
		d.Request("INVITE", sdpAt(4002))
		m := p.Expect("500")
		if m.Get("Retry-After") == "" {
			t.Error(m.Text)
		}
		d.Ack(m)
		d.Request("UPDATE", sdpAt(4002))
		if m := p.Expect("500 UPDATE"); m.Get("Retry-After") == "" {
			t.Error(m.Text)
		}
		e.Answer()
		first.Ack(p.Expect("200 INVITE"))
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// A change that we can't use leaves the session as it was.
func TestReinviteNotAcceptable(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		d.Request("INVITE", strings.Replace(sdpAt(4000), "RTP/AVP 0 8 101", "RTP/AVP 9", 1))
		d.Ack(p.Expect("488"))
		d.Request("INVITE", "body text/plain\nhello")
		d.Ack(p.Expect("415"))
		d.Request("INVITE", "Supported: timer", "Session-Expires: 10", sdpAt(4000))
		d.Ack(p.Expect("422"))
		d.Request("INVITE", "Require: foo", sdpAt(4000))
		d.Ack(p.Expect("420"))
		e.expect()
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// The 200 to a re-INVITE is repeated until its ACK too.
func TestReinviteWithoutAck(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		d.Request("INVITE", sdpAt(4000, "a=sendonly"))
		ok := p.Expect("200 INVITE")
		p.ExpectRepeat(ok, 600*time.Millisecond)
		p.Drain(31 * time.Second)
		d.Respond(p.Expect("BYE"), 200)
		e.expect("Held", "HungUp 102")
	})
}

// UPDATE changes the session as a re-INVITE does, without ACK (RFC 3311).
func TestPartyUpdates(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		d.Request("UPDATE")
		if m := p.Expect("200 UPDATE"); m.Body != "" || m.Get("Contact") == "" {
			t.Error(m.Text)
		}
		d.Request("UPDATE", sdpAt(4000, "a=sendonly"))
		if m := p.Expect("200 UPDATE"); !strings.Contains(m.Body, "a=recvonly") {
			t.Error(m.Text)
		}
		e.expect("Held")
		d.Request("UPDATE", strings.Replace(sdpAt(4000), "RTP/AVP 0 8 101", "RTP/AVP 9", 1))
		p.Expect("488 UPDATE")
		e.Hold()
		m := p.Expect("INVITE")
		d.Request("UPDATE", sdpAt(4000))
		p.Expect("491 UPDATE") // our offer is on its way
		d.Request("UPDATE")
		p.Expect("200 UPDATE") // a refresh is none
		d.Respond(m, 200, sdpAt(4000, "a=inactive"))
		p.Expect("ACK")
		e.expect()
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// The party is told whom it is connected to: in the answer, later by UPDATE if
// it takes that.
func TestIdentify(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", "Allow: INVITE, ACK, BYE, UPDATE", sdpAt(4000))
		e := f.incoming()
		e.Identify(leg.Party{Number: "102", Name: "Bob"})
		e.Answer()
		ok := p.Expect("200 INVITE")
		if !ok.Has("P-Asserted-Identity", `"Bob" <sip:102@127.0.0.1>`) {
			t.Error(ok.Text)
		}
		d.Ack(ok)
		e.Identify(leg.Party{Number: "103"})
		m := p.Expect("UPDATE")
		if !m.Has("P-Asserted-Identity", `<sip:103@127.0.0.1>`) || m.Body != "" {
			t.Error(m.Text)
		}
		d.Respond(m, 200)
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}
