package dialplan

import (
	"strings"
	"testing"
)

func TestParseNumber(t *testing.T) {
	for _, test := range []struct {
		dialed string
		want   Number
	}{
		{"101", Number{User: "101"}},
		{" 101 ", Number{User: "101"}},
		{"UserB-findme", Number{User: "UserB-findme"}},
		{"*72", Number{User: "*72"}},
		{"%2A72%23", Number{User: "*72#"}},
		{"+1 (201) 555-0123", Number{User: "+12015550123"}},
		{"030/123", Number{User: "030/123"}},
		{"jean-luc.x", Number{User: "jean-luc.x"}},

		// Contexts, in the spelling of RFC 3966 §5.1.5 and of the service examples of 1999.
		{"7773660;phone-context=p1234", Number{User: "7773660", Context: "p1234"}},
		{"7773660,phone-context=p1234", Number{User: "7773660", Context: "p1234"}},
		{"777-3660;Phone-Context=P1234", Number{User: "7773660", Context: "p1234"}},
		{"7042;isub=1;phone-context=example.com", Number{User: "7042", Context: "example.com"}},
		{"5550123;phone-context=+1-201", Number{User: "5550123", Context: "+1201"}},
		{"+12015550123;phone-context=p1234", Number{User: "+12015550123"}},

		// As tel and SIP addresses.
		{"tel:+1-201-555-0123", Number{User: "+12015550123"}},
		{"tel:7773660;phone-context=p1234", Number{User: "7773660", Context: "p1234"}},
		{"sip:7773660,phone-context=p1234@gw1.wcom.com;user=phone",
			Number{User: "7773660", Context: "p1234", Host: "gw1.wcom.com", URI: "sip:7773660,phone-context=p1234@gw1.wcom.com;user=phone"}},
		{"<sip:UserB@There.com:5061>", Number{User: "UserB", Host: "there.com", URI: "sip:UserB@There.com:5061"}},
		{"SIPS:101:secret@[2001:db8::1]:5061", Number{User: "101", Host: "2001:db8::1", URI: "SIPS:101:secret@[2001:db8::1]:5061"}},
		{"bob@there.com.", Number{User: "bob", Host: "there.com", URI: "sip:bob@there.com."}},
	} {
		got, err := ParseNumber(test.dialed)
		if err != nil || got != test.want {
			t.Errorf("ParseNumber(%q) = %+v, %v, want %+v", test.dialed, got, err, test.want)
		}
	}
}

func TestParseNumberRefuses(t *testing.T) {
	for dialed, want := range map[string]string{
		"":                                 "no number was dialled",
		"sip:":                             "no number was dialled",
		"sip:there.com":                    "no number was dialled",
		"tel:bob":                          "not a telephone number",
		"sip:bob@there.com;user=phone":     "not a telephone number",
		"7773660;phone-context=":           "neither a domain nor + and digits",
		"7773660;phone-context=+44x":       "neither a domain nor + and digits",
		"7773660;phone-context=a b":        "neither a domain nor + and digits",
		"%zz":                              "wrong % escape",
		"a b":                              "neither digits nor a name",
		"a\nb":                             "neither digits nor a name",
		strings.Repeat("1", 41):            "longer than 40 digits",
		"sip:" + strings.Repeat("x", 2000): "longer than 40 digits",
		strings.Repeat("x", 65):            "neither digits nor a name",
		"tel:+1-201-555-0123-" + strings.Repeat("0", 64): "longer than 40 digits",
	} {
		if n, err := ParseNumber(dialed); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseNumber(%.40q) = %v, %v, want an error with %q", dialed, n, err, want)
		}
	}
}

// A number that was read is written so that it reads the same.
func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"101", "7773660;phone-context=p1234", "7773660,phone-context=p1234", "tel:+1-201-555-0123", "sip:bob@there.com;user=phone", "<sip:%2a72@[::1]:5060>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseNumber(s)
		if err != nil {
			return
		}
		if n.User == "" || len(n.User) > maxName {
			t.Fatalf("%q was read as %+v", s, n)
		}
		if strings.ContainsAny(n.User, "%@;,:") {
			return // was escaped
		}
		again, err := ParseNumber(n.String())
		if n.URI != "" {
			again.URI = n.URI
		}
		if n.Host == "" || strings.Trim(n.Host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
			return // is not one that a number is written with
		}
		if err != nil || again != n {
			t.Fatalf("%q was read as %+v, written as %q, read again as %+v, %v", s, n, n, again, err)
		}
	})
}
