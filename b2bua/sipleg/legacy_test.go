package sipleg

import (
	"net/netip"
	"strings"
	"testing"

	"crosspoint/b2bua/leg"
)

// legacyOffice is an exchange with a phone of 1999 at a fixed address.
func legacyOffice(c *Config) {
	c.Domains = []string{"wcom.com", "here.com", "there.com"}
	c.Contacts = func(ext string) []Contact {
		if ext != "102" {
			return nil
		}
		return []Contact{{URI: "sip:102@there.com", Address: netip.MustParseAddrPort("127.0.0.1:5072")}}
	}
}

// A phone of 1999 calls: no branch, no tags, no Max-Forwards, a digest without
// qop, a new Call-ID after the challenge, a Contact that does not resolve.
func TestLegacyPhoneCalls(t *testing.T) {
	play(t, legacyOffice, func(f *fixture) {
		p := f.phone("101", 5071)
		p.Legacy, p.Domain, p.Host = true, "here.com", "here.com:5060"
		d := p.Invite("sip:102@there.com", sdpAt(4000))
		e := f.incoming()
		if e.in.Caller.Number != "101" || e.in.Dialed != "102" {
			t.Errorf("%+v", e.in)
		}
		p.Expect("100")
		e.Ringing()
		p.Expect("180")
		e.Answer()
		ok := p.Expect("200 INVITE")
		d.Request("ACK", "To: <sip:102@there.com>") // without the tag that it was given
		e.expect()
		e.Hold()
		m := p.Expect("INVITE")
		if !strings.Contains(m.Body, "c=IN IP4 0.0.0.0") && !strings.Contains(m.Body, "a=sendonly") {
			t.Error(m.Body)
		}
		if m.URI != "sip:101@here.com:5060" || m.Param("From", "tag") != ok.Param("To", "tag") || m.Param("To", "tag") != "" {
			t.Error(m.Text)
		}
		p.Respond(m, 200, "To: "+m.Get("To"), sdpAt(4000))
		p.Expect("ACK")
		d.Request("INVITE", strings.Replace(sdpAt(4000), "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", 1))
		p.Expect("200 INVITE")
		d.Request("ACK", "To: <sip:102@there.com>")
		e.expect("Held")
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
			b2bua -> 101 INVITE (c=0)
			101 -> b2bua 200
			b2bua -> 101 ACK
			101 -> b2bua INVITE (c=0)
			b2bua -> 101 200
			101 -> b2bua ACK
			101 -> b2bua BYE
			b2bua -> 101 200`)
	})
}

// A phone of 1999 is called: its responses have no tags; its BYE has its own
// CSeq count, and transfers with Also.
func TestLegacyPhoneCalled(t *testing.T) {
	play(t, legacyOffice, func(f *fixture) {
		p := f.phone("102", 5072)
		p.Legacy, p.Domain, p.Host = true, "there.com", "there.com"
		e := f.extension("102")
		m := p.Expect("INVITE")
		plain := "To: " + m.Get("To")
		p.Respond(m, 180, plain)
		p.Respond(m, 200, plain, sdpAt(4000))
		ack := p.Expect("ACK")
		if ack.Param("To", "tag") != "" || ack.URI != "sip:102@there.com" {
			t.Error(ack.Text)
		}
		e.expect("Trying", "Ringing", "Answered")
		d := p.Incoming(m)
		d.LocalTag, d.RemoteTag = "", ""
		d.Target = "sip:103@wcom.com"
		d.Request("BYE", "Also: sip:104@there.com")
		p.Expect("200 BYE")
		e.expect("Referred sip:104@there.com", "HungUp 16")
		e.passed(`
			b2bua -> 102 INVITE
			102 -> b2bua 180
			102 -> b2bua 200
			b2bua -> 102 ACK
			102 -> b2bua BYE (Also 104)
			b2bua -> 102 200`)
	})
}

// CANCEL without branch and tags finds its INVITE.
func TestLegacyCancel(t *testing.T) {
	play(t, legacyOffice, func(f *fixture) {
		p := f.phone("101", 5071)
		p.Legacy, p.Domain = true, "here.com"
		d := p.Invite("sip:102@there.com", sdpAt(4000))
		e := f.incoming()
		d.Cancel()
		p.Expect("200 CANCEL")
		d.Ack(p.Expect("487"))
		e.expect("HungUp 16")
	})
}

// A busy phone of 1999.
func TestLegacyBusy(t *testing.T) {
	play(t, legacyOffice, func(f *fixture) {
		p := f.phone("102", 5072)
		p.Legacy = true
		e := f.extension("102")
		m := p.Expect("INVITE")
		p.Respond(m, 486, "To: "+m.Get("To"))
		p.Expect("ACK")
		e.expect("HungUp 17")
		e.Hangup(leg.NormalClearing)
	})
}
