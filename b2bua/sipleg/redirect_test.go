package sipleg

import (
	"testing"

	"crosspoint/b2bua/leg"
)

// A callee answers 3xx: call control hears where it sends its callers, best
// first, as they would be dialled.
func TestCalleeRedirects(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		lines  []string
		want   string
	}{
		{"to us", 302, []string{"Contact: <sip:103@127.0.0.1>"}, "HungUp 23  to 103"},
		{"for good", 301, []string{"Contact: <sip:103@127.0.0.1:5060;transport=tcp>;expires=60"}, "HungUp 23  to 103"},
		{"without brackets", 302, []string{"Contact: sip:103@127.0.0.1"}, "HungUp 23  to 103"},
		{"to another domain", 302, []string{"Contact: <sip:joe@far.example:5070;x=y>"}, "HungUp 23  to sip:joe@far.example:5070"},
		{"several, by preference", 300, []string{`Contact: <sip:1@127.0.0.1>;q=0.2, "X, y" <sip:2@127.0.0.1>, <sip:3@127.0.0.1>;q=0.7`}, "HungUp 23  to 2 or 3 or 1"},
		{"a telephone number", 302, []string{"Contact: <tel:+12125550100>"}, "HungUp 23  to +12125550100"},
		{"its own address", 302, []string{"Contact: <sip:103@127.0.0.1:5072>"}, "HungUp 23  to 103"},
		{"itself", 302, []string{"Contact: <sip:102@127.0.0.1:5072>"}, "HungUp 23  to sip:102@127.0.0.1:5072"},
		{"and why", 302, []string{"Contact: <sip:103@127.0.0.1>", "Diversion: <sip:102@127.0.0.1>;reason=time-of-day"}, "HungUp 23 time-of-day to 103"},
		{"to nobody", 302, []string{"Contact:"}, "HungUp 23"},
		{"by TLS", 302, []string{"Contact: <sips:103@127.0.0.1>"}, "HungUp 23"},
		{"to a mailbox", 302, []string{"Contact: <mailto:joe@far.example>"}, "HungUp 23"},
		{"a proxy", 305, []string{"Contact: <sip:proxy.example>"}, "HungUp 23"},
		{"another service", 380, []string{"Contact: <sip:103@127.0.0.1>"}, "HungUp 23"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.phone("102", 5072)
				p.Register()
				e := f.extension("102")
				m := p.Expect("INVITE")
				p.Respond(m, c.status, c.lines...)
				p.Expect("ACK")
				e.expect(c.want)
			})
		})
	}
}

// A redirection that crosses our CANCEL changes nothing.
func TestRedirectCrossesCancel(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		p.Register()
		e := f.extension("102")
		m := p.Expect("INVITE")
		p.Respond(m, 180)
		e.expect("Trying", "Ringing")
		e.Hangup(leg.Cancelled.GivenBy("101"))
		p.Respond(p.Expect("CANCEL"), 200)
		p.Respond(m, 302, "Contact: <sip:103@127.0.0.1>")
		p.Expect("ACK")
		e.expect("HungUp 16")
	})
}
