package wiring

import "testing"

func TestContacts(t *testing.T) {
	for uri, want := range map[string]string{
		"sip:101@192.0.2.7:5070":          "UDP 192.0.2.7:5070",
		"sip:101@192.0.2.7":               "UDP 192.0.2.7:5060",
		"sip:101@[2001:db8::1]:5070":      "UDP [2001:db8::1]:5070",
		"sip:192.0.2.7;transport=tcp":     "TCP 192.0.2.7:5060",
		"sip:101@192.0.2.7;transport=TCP": "TCP 192.0.2.7:5060",
	} {
		c, err := ParseContact(uri)
		if got := c.Transport.String() + " " + c.Address.String(); err != nil || got != want {
			t.Errorf("%s: %s %v, not %s", uri, got, err, want)
		}
	}
	for _, uri := range []string{"101@192.0.2.7", "sip:101@kitchen", "sip:101@192.0.2.7:phone", ""} {
		if c, err := ParseContact(uri); err == nil {
			t.Errorf("%q was taken as %v", uri, c.Address)
		}
	}
}

func TestPeerAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "192.0.2.0/24": "192.0.2.0/24", "192.0.2.1:5060": "192.0.2.1/32", "2001:db8::1": "2001:db8::1/128",
	} {
		if p, ok := parsePrefix(text); !ok || p.String() != want {
			t.Errorf("%s: %v, not %s", text, p, want)
		}
	}
	if host, transport := parseProxy("sip:itsp.example:5070;transport=tcp"); host != "itsp.example:5070" || transport != "tcp" {
		t.Errorf("%s %s", host, transport)
	}
}
