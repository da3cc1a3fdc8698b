package sipleg

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/b2bua/leg"
)

// The party refers (RFC 3515): 202, a NOTIFY at once, further ones as call
// control orders.
func TestPartyRefers(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		d.Request("REFER", "Refer-To: <sip:103@127.0.0.1>", "Referred-By: <sip:joe@10.0.0.1>")
		p.Expect("202")
		n := p.Expect("NOTIFY")
		if !strings.HasPrefix(n.Body, "SIP/2.0 100 Trying") || !n.Has("Event", fmt.Sprintf("refer;id=%d", d.Seq)) || !n.Has("Subscription-State", "active") {
			t.Error(n.Text)
		}
		d.Respond(n, 200)
		e.expect("Referred sip:103@127.0.0.1")
		e.mu.Lock()
		if ev := e.events[0].(leg.Referred); ev.ReferredBy != "<sip:joe@10.0.0.1>" || ev.ReplacesLeg != nil {
			t.Errorf("%+v", ev)
		}
		e.mu.Unlock()
		e.Notify(leg.Cause{Status: 180})
		d.Respond(p.Expect("NOTIFY"), 200)
		synctest.Wait()
		e.Notify(leg.Cause{Status: 200})
		n = p.Expect("NOTIFY")
		if !strings.HasPrefix(n.Body, "SIP/2.0 200 OK") || !n.Has("Subscription-State", "terminated") {
			t.Error(n.Text)
		}
		d.Respond(n, 200)
		synctest.Wait()
		e.Notify(leg.Cause{Status: 200}) // over: nobody listens
		p.Quiet(time.Second)
		d.Request("BYE")
		p.Expect("200 BYE")
		e.passed(`
			trunk -> b2bua INVITE
			b2bua -> trunk 100
			b2bua -> trunk 200
			trunk -> b2bua ACK
			trunk -> b2bua REFER 103
			b2bua -> trunk 202
			b2bua -> trunk NOTIFY 100
			trunk -> b2bua 200
			b2bua -> trunk NOTIFY 180
			trunk -> b2bua 200
			b2bua -> trunk NOTIFY 200
			trunk -> b2bua 200
			trunk -> b2bua BYE
			b2bua -> trunk 200`)
	})
}

// A referral without subscription (RFC 4488).
func TestReferWithoutNotify(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.trunk()
		d, e := f.talking(p)
		d.Request("REFER", "Refer-To: sip:103@127.0.0.1", "Refer-Sub: false")
		if m := p.Expect("202"); m.Get("Refer-Sub") != "false" {
			t.Error(m.Text)
		}
		e.Notify(leg.Cause{Status: 200})
		p.Quiet(time.Second)
		e.expect("Referred sip:103@127.0.0.1")
		d.Request("BYE")
		p.Expect("200 BYE")
	})
}

// A REFER that names another call of ours to take the place of.
func TestReferWithReplaces(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p, q := f.trunk(), f.phone("102", 5072)
		d, e := f.talking(p)
		other, o := f.called(q)
		replaces := fmt.Sprintf("%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s", other.CallID, other.RemoteTag, other.LocalTag)
		d.Request("REFER", "Refer-To: <sip:102@127.0.0.1?Replaces="+replaces+">")
		p.Expect("202")
		d.Respond(p.Expect("NOTIFY"), 200)
		e.expect("Referred sip:102@127.0.0.1")
		e.mu.Lock()
		ev := e.events[0].(leg.Referred)
		e.mu.Unlock()
		if ev.ReplacesLeg != o.Leg || ev.Replaces != other.CallID+";to-tag="+other.RemoteTag+";from-tag="+other.LocalTag {
			t.Errorf("%+v", ev)
		}
		e.Hangup(leg.NormalClearing)
		d.Respond(p.Expect("BYE"), 200)
		o.Hangup(leg.NormalClearing)
		other.Respond(q.Expect("BYE"), 200)
	})
}

// We refer: the party's NOTIFYs say how far it has come.
func TestWeRefer(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		d, e := f.called(p)
		e.Refer(leg.Refer{Target: "sip:103@127.0.0.1", Replaces: "abc;to-tag=1;from-tag=2", ReferredBy: "<sip:104@127.0.0.1>"})
		m := p.Expect("REFER")
		if m.Get("Refer-To") != "<sip:103@127.0.0.1?Replaces=abc%3Bto-tag%3D1%3Bfrom-tag%3D2>" || m.Get("Referred-By") != "<sip:104@127.0.0.1>" {
			t.Error(m.Text)
		}
		d.Respond(m, 202)
		for _, status := range []string{"100 Trying", "200 OK"} {
			d.Request("NOTIFY", "Event: refer", "Subscription-State: active", "body message/sipfrag\nSIP/2.0 "+status+"\n")
			p.Expect("200 NOTIFY")
		}
		e.expect("Notified 100", "Notified 200")
		d.Request("NOTIFY", "Event: refer", "Subscription-State: active", "body message/sipfrag\nSIP/2.0 200 OK\n")
		p.Expect("481 NOTIFY")
		e.Refer(leg.Refer{Target: "sip:105@127.0.0.1"})
		d.Respond(p.Expect("REFER"), 603)
		e.expect("Notified 603")
		d.Request("BYE")
		p.Expect("200 BYE")
		e.expect("HungUp 16")
	})
}

// An INVITE that takes the place of another call (RFC 3891).
func TestInviteWithReplaces(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p, q := f.trunk(), f.phone("102", 5072)
		d, e := f.talking(p)
		ringing := f.dial("sip:102@127.0.0.1:5072")
		invite := q.Expect("INVITE")
		early := q.Incoming(invite)
		early.Respond(invite, 180)
		for _, c := range []struct {
			replaces string
			status   string // empty: comes in
			leg      leg.Leg
		}{
			{d.CallID + ";to-tag=" + d.RemoteTag + ";from-tag=" + d.LocalTag, "", e.Leg},
			{d.CallID + ";from-tag=" + d.RemoteTag + ";to-tag=" + d.LocalTag, "", e.Leg}, // as the other end sees it
			{d.CallID + ";to-tag=" + d.RemoteTag + ";from-tag=" + d.LocalTag + ";early-only", "486", nil},
			{d.CallID + ";to-tag=" + d.RemoteTag + ";from-tag=x", "481", nil},
			{early.CallID + ";to-tag=" + early.LocalTag + ";from-tag=" + early.RemoteTag + ";early-only", "", ringing.Leg},
		} {
			third := p.Dial("101")
			third.Request("INVITE", "Require: replaces", "Replaces: "+c.replaces, sdpAt(4004))
			if c.status != "" {
				third.Ack(p.Expect(c.status))
				continue
			}
			in := f.incoming()
			if in.in.Replaces != c.leg {
				t.Errorf("%s: replaces %v", c.replaces, in.in.Replaces)
			}
			in.Hangup(leg.Busy)
			third.Ack(p.Expect("486"))
		}
		plain := p.Dial("101")
		plain.Request("INVITE", sdpAt(4004))
		if in := f.incoming(); in.in.Replaces != nil {
			t.Error("replaces something")
		} else {
			in.Hangup(leg.Busy)
		}
		plain.Ack(p.Expect("486"))
		early.Respond(invite, 486)
		q.Expect("ACK")
		d.Request("BYE")
		p.Expect("200 BYE")
	})
}
