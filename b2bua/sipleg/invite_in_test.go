package sipleg

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
	"crosspoint/internal/siptest"
)

// A phone of ours calls: challenged as in the draft's section 2.1, rings, is
// answered, hangs up.
func TestPhoneCalls(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("101", 5071)
		d := p.Dial("102")
		d.Request("INVITE", sdpAt(4000))
		challenge := p.Expect("407")
		d.Ack(challenge)
		f.nobody()
		d.Request("INVITE", p.Authorize(challenge, "INVITE", d.Target), sdpAt(4000))
		p.Expect("100")
		e := f.incoming()
		if e.in.Source != (leg.Source{Kind: leg.Phone, Name: "101"}) || e.in.Dialed != "102" || e.in.Caller.Number != "101" || e.in.Caller.Name != "Alice" || e.in.Hops != 70 {
			t.Errorf("incoming: %+v", e.in)
		}
		e.Ringing()
		p.Expect("180")
		time.Sleep(3 * time.Second)
		e.Answer()
		ok := p.Expect("200 INVITE")
		d.Ack(ok)
		e.expect()
		time.Sleep(5 * time.Second)
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
		e.passed(`
			101 -> b2bua INVITE
			b2bua -> 101 407
			101 -> b2bua ACK
			101 -> b2bua INVITE
			b2bua -> 101 100
			b2bua -> 101 180
			b2bua -> 101 200
			101 -> b2bua ACK
			101 -> b2bua BYE
			b2bua -> 101 200`)
	})
}

// What is refused before call control sees it.
func TestInviteNotAcceptable(t *testing.T) {
	for _, c := range []struct {
		name   string
		target string
		extra  []string
		status string
		has    [2]string
	}{
		{"too many hops", "101", []string{"Max-Forwards: 0", sdpAt(4000)}, "483", [2]string{}},
		{"unknown extension", "101", []string{"Require: foo, 100rel, bar", sdpAt(4000)}, "420", [2]string{"Unsupported", "foo, bar"}},
		{"unknown body", "101", []string{"body text/plain\nhello"}, "415", [2]string{"Accept", "application/sdp"}},
		{"encoded body", "101", []string{"Content-Encoding: gzip", sdpAt(4000)}, "415", [2]string{"Accept-Encoding", "identity"}},
		{"no common codec", "101", []string{"v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 9\n"}, "488", [2]string{"Warning", "no codec in common"}},
		{"no audio", "101", []string{"v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 4000 RTP/AVP 31\n"}, "488", [2]string{}},
		{"sips", "sips:101@127.0.0.1", []string{sdpAt(4000)}, "416", [2]string{}},
		{"session interval", "101", []string{"Supported: timer", "Session-Expires: 30", sdpAt(4000)}, "422", [2]string{"Min-SE", "90"}},
		{"malformed Replaces", "101", []string{"Replaces: x", sdpAt(4000)}, "400", [2]string{}},
		{"unknown Replaces", "101", []string{"Replaces: x;to-tag=a;from-tag=b", sdpAt(4000)}, "481", [2]string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.trunk()
				d := p.Dial(c.target)
				d.Request("INVITE", c.extra...)
				m := p.Expect(c.status)
				if c.has[0] != "" && !m.Has(c.has[0], c.has[1]) {
					t.Errorf("no %s with %q in\n%s", c.has[0], c.has[1], m.Text)
				}
				d.Ack(m)
				f.nobody()
				p.Silent(40 * time.Second) // the ACK has ended the repetitions
			})
		})
	}
}

func TestMultipartBody(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", "body multipart/mixed;boundary=xx\n--xx\nContent-Type: text/plain\n\nhello\n--xx\nContent-Type: application/sdp\n\n"+sdpAt(4000)+"--xx--\n")
		e := f.incoming()
		e.Answer()
		d.Ack(p.Expect("200 INVITE"))
		d.Request("BYE")
		p.Expect("200 BYE")
	})
}

// Without a free RTP port a call is refused, and nothing stays behind.
func TestNoPortFree(t *testing.T) {
	play(t, nil, func(f *fixture) {
		for range f.ports.Size() {
			f.dial("sip:x@127.0.0.1:9")
		}
		synctest.Wait()
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", sdpAt(4000))
		m := p.Expect("503")
		if m.Get("Retry-After") == "" || !m.Has("Warning", "RTP") {
			t.Error(m.Text)
		}
		d.Ack(m)
		f.nobody()
		_, err := f.agent.DialURI("sip:x@127.0.0.1:9", leg.Outgoing{})
		if c, ok := err.(leg.Cause); !ok || c.Status != 503 || !strings.Contains(c.Error(), "RTP") {
			t.Errorf("dial: %v", err)
		}
	})
}

// A failure keeps its meaning on the way to the caller.
func TestRefusalKeepsItsMeaning(t *testing.T) {
	for _, c := range []struct {
		cause  leg.Cause
		status string
		phrase string
		q850   int
	}{
		{leg.Busy, "486", "Busy Here", 17},
		{leg.NoAnswer, "480", "Temporarily Unavailable", 19},
		{leg.NoResponse, "408", "Request Timeout", 18},
		{leg.Unallocated, "404", "Not Found", 1},
		{leg.InvalidNumber, "484", "Address Incomplete", 28},
		{leg.NoCircuit, "503", "Service Unavailable", 34},
		{leg.BearerNotOffered, "488", "Not Acceptable Here", 65},
		{leg.LoopDetected, "482", "Loop Detected", 25},
		{leg.TooManyHops, "483", "Too Many Hops", 25},
		{leg.Rejected.Because("Screening Failure (Terminating)"), "403", "Screening Failure (Terminating)", 21},
		{leg.Cause{Status: 600}, "600", "Busy Everywhere", 17},
		{leg.Cause{Status: 603}, "603", "Decline", 21},
		{leg.Cause{Status: 407}, "403", "Forbidden", 21},
		{leg.Cause{Status: 302}, "480", "Temporarily Unavailable", 23},
		{leg.NormalClearing, "480", "Temporarily Unavailable", 16},
	} {
		t.Run(c.status+" "+c.phrase, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.trunk()
				d := p.Dial("101")
				d.Request("INVITE", sdpAt(4000))
				e := f.incoming()
				c.cause.RetryAfter = 7 * time.Second
				e.Hangup(c.cause)
				m := p.Expect(c.status)
				if m.Reason != c.phrase || !m.Has("Reason", fmt.Sprintf("Q.850;cause=%d;", c.q850)) || m.Get("Retry-After") != "7" {
					t.Error(m.Text)
				}
				e.expect()
				d.Ack(m)
				e.expect(fmt.Sprintf("HungUp %d", c.q850))
			})
		})
	}
}

// The caller never acknowledges a refusal.
func TestRefusalWithoutAck(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		p.Dial("101").Request("INVITE", sdpAt(4000))
		e := f.incoming()
		e.Hangup(leg.Busy)
		m := p.Expect("486")
		time.Sleep(2 * time.Second)
		e.expect("HungUp 17")
		p.ExpectRepeat(m, time.Second)
		// Timer G from 0.5 s: 0.5, 1.5, 3.5, 7.5, 11.5 … 31.5.
		if n := total(p.Repeats(60 * time.Second)); n != 9 {
			t.Errorf("%d more repetitions", n)
		}
	})
}

// What comes again once the call is established is answered or absorbed as
// before, though of the INVITE's transaction only the remains are kept: the
// INVITE changes nothing, nor does a CANCEL, which is told so (RFC 3261 §9.2).
func TestRepetitionsOnceEstablished(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		invite := d.Request("INVITE", sdpAt(4000))
		e := f.incoming()
		e.Answer()
		ok := p.Expect("200 INVITE")
		d.Ack(ok)
		synctest.Wait()
		p.Send(invite.Text)
		p.Silent(time.Second)
		d.Cancel()
		p.Expect("200 CANCEL")
		d.Ack(ok)
		options := d.Request("OPTIONS")
		answer := p.Expect("200 OPTIONS")
		synctest.Wait()
		p.Send(options.Text)
		p.ExpectRepeat(answer, time.Second)
		e.expect()
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// Pairs sent back to back keep their order.
func TestOrderIsKept(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		for i := range 50 {
			d := p.Dial("101")
			d.Request("INVITE", sdpAt(4000))
			if i%2 == 0 {
				d.Cancel()
				e := f.incoming()
				p.Expect("200 CANCEL")
				d.Ack(p.Expect("487"))
				e.expect("HungUp 16")
				continue
			}
			e := f.incoming()
			e.Answer()
			d.Ack(p.Expect("200 INVITE"))
			d.Request("BYE")
			p.Expect("200 BYE")
			e.expect("HungUp 16")
			if !strings.Contains(e.ladder.String(), "ACK\n") {
				t.Fatalf("BYE overtook ACK:\n%s", e.ladder)
			}
		}
	})
}

// The 2xx is repeated from T1 to T2 until the ACK; without one the call ends
// after 64*T1.
func TestAnswerWithoutAck(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", sdpAt(4000))
		e := f.incoming()
		e.Answer()
		p.Expect("200 INVITE")
		// 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5
		if n := total(p.Repeats(31900 * time.Millisecond)); n != 10 {
			t.Errorf("%d repetitions of the 200", n)
		}
		e.expect()
		bye := p.Expect("BYE")
		d.Respond(bye, 200)
		e.expect("HungUp 102")
		e.passed(`
			trunk -> b2bua INVITE
			b2bua -> trunk 100
			b2bua -> trunk 200
			b2bua -> trunk BYE
			trunk -> b2bua 200`)
	})
}

// An INVITE that is repeated gets the last response again, and no second call.
func TestInviteRepeated(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		m := d.Request("INVITE", sdpAt(4000))
		trying := p.Expect("100")
		e := f.incoming()
		p.Send(m.Text)
		p.ExpectRepeat(trying, time.Second)
		e.Ringing()
		ringing := p.Expect("180")
		p.Send(m.Text)
		p.ExpectRepeat(ringing, time.Second)
		f.nobody()
		e.Hangup(leg.Busy)
		busy := p.Expect("486")
		p.Send(m.Text)
		p.ExpectRepeat(busy, 100*time.Millisecond)
		d.Ack(busy)
		synctest.Wait()
		p.Send(m.Text) // late, to the tombstone
		p.Silent(time.Second)
		f.nobody()
		e.expect("HungUp 17")
		e.passed(`
			trunk -> b2bua INVITE
			b2bua -> trunk 100
			b2bua -> trunk 180
			b2bua -> trunk 486
			trunk -> b2bua ACK`)
	})
}

// The same INVITE by two ways (RFC 3261 §8.2.2.2).
func TestMergedRequest(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", sdpAt(4000))
		e := f.incoming()
		p.Expect("100")
		twin := *d
		twin.Seq--
		twin.Request("INVITE", sdpAt(4000))
		twin.Ack(p.Expect("482"))
		f.nobody()
		e.Hangup(leg.Busy)
		d.Ack(p.Expect("486"))
	})
}

// INVITE without offer: ours is in the 200, the answer in the ACK.
func TestLateOffer(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer []string
		good   bool
	}{
		{"answered", []string{sdpAt(4000)}, true},
		{"no answer", nil, false},
		{"no codec", []string{"v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 4000 RTP/AVP 9\n"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.trunk()
				d := p.Dial("101")
				d.Request("INVITE")
				e := f.incoming()
				e.Progress() // can't be heard: there is no offer
				if m := p.Expect("183"); m.Body != "" {
					t.Errorf("an offer in an unreliable response:\n%s", m.Text)
				}
				e.Answer()
				ok := p.Expect("200 INVITE")
				if !strings.Contains(ok.Body, "m=audio") {
					t.Fatalf("no offer:\n%s", ok.Text)
				}
				d.Ack(ok, c.answer...)
				if c.good {
					e.expect()
					d.Request("BYE")
					p.Expect("200 BYE")
					e.expect("HungUp 16")
					return
				}
				d.Respond(p.Expect("BYE"), 200)
				e.expect("HungUp 65")
			})
		})
	}
}

// The caller hears the callee before the answer, and its 180 and 200 say the
// same as the 183.
func TestEarlyMediaToCaller(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", sdpAt(4000))
		e := f.incoming()
		e.Ringing()
		if m := p.Expect("180"); m.Body != "" || m.Param("To", "tag") == "" || m.Get("Contact") == "" {
			t.Error(m.Text)
		}
		e.Progress()
		early := p.Expect("183")
		e.Progress() // again: nothing new
		e.Answer()
		ok := p.Expect("200 INVITE")
		if early.Body == "" || early.Body != ok.Body || early.Param("To", "tag") != ok.Param("To", "tag") {
			t.Errorf("183 and 200 differ:\n%s\n%s", early.Text, ok.Text)
		}
		d.Ack(ok)
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
		e.passed(`
			trunk -> b2bua INVITE
			b2bua -> trunk 100
			b2bua -> trunk 180
			b2bua -> trunk 183 (SDP)
			b2bua -> trunk 200
			trunk -> b2bua ACK
			trunk -> b2bua BYE
			b2bua -> trunk 200`)
	})
}

// A callee that rings for minutes is said to, so that proxies don't give up
// (RFC 3261 §13.3.1.1); the caller's Expires ends it.
func TestLongRinging(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d := p.Dial("101")
		d.Request("INVITE", "Expires: 200", sdpAt(4000))
		e := f.incoming()
		e.Ringing()
		p.Expect("180")
		if n := total(p.Repeats(190 * time.Second)); n != 3 {
			t.Errorf("%d repetitions of 180 in 190 s", n)
		}
		p.Wait = 20 * time.Second
		d.Ack(p.Expect("487"))
		e.expect("HungUp 19")
	})
}

// A call over TCP: nothing is repeated, all comes on one connection.
func TestCallOverTCP(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := siptest.NewTCPPeer(f.t, f.net, "101", "127.0.0.1:43210", siptest.Exchange)
		p.Password = "secret-101"
		d := p.Invite("102", sdpAt(4000))
		e := f.incoming()
		e.Answer()
		ok := p.Expect("200 INVITE")
		if !strings.Contains(ok.Get("Contact"), "transport=tcp") {
			t.Error(ok.Get("Contact"))
		}
		d.Ack(ok)
		e.Hangup(leg.NormalClearing)
		d.Respond(p.Expect("BYE"), 200)
		e.expect("HungUp 16")
		p.Silent(40 * time.Second)
	})
}

// The exchange is full.
func TestTooManyCalls(t *testing.T) {
	play(t, func(c *Config) { c.MaxLegs = 1 }, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		other := p.Dial("102")
		other.Request("INVITE", sdpAt(4000))
		m := p.Expect("503")
		if m.Get("Retry-After") == "" {
			t.Error(m.Text)
		}
		other.Ack(m)
		if _, err := f.agent.DialURI("sip:x@127.0.0.1:9", leg.Outgoing{}); err == nil {
			t.Error("a second leg was allowed")
		}
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}
