package dialplan

import (
	"testing"
	"time"
)

// A rule may be for phones, the phones of a group or class, lines, peers, and
// the lines or the peer of a trunk.
func TestRulesForSome(t *testing.T) {
	p := plan(t, phones+outside+`
[[class]]
name = "guest"
allow = "internal"
[[phone]]
extension = "105"
secret = "valley-2-yew"
class = "guest"
[[group]]
extension = "600"
members = ["101", "102"]
[[rule]]
dial = "1"
from = "600"
to = "103"
[[rule]]
dial = "1"
from = ["guest", "104"]
to = "102"
[[incoming]]
from = "pstn"
to = "103"
[[incoming]]
from = "sip"
dialed = "x"
to = "102"
[[incoming]]
from = "fxo2"
when = "always"
to = "104"
[[schedule]]
name = "always"
[[line]]
name = "fxs1"
kind = "fxs"
extension = "104"
`)
	calls{
		{"101", "1", "103"},
		{"102", "1", "103"},
		{"105", "1", "102"},
		{"104", "1", "102"},
		{"fxs1", "1", "102"}, // a call from the line is one from its telephone
		{"103", "1", "refused 484"},
		{"fxo1", "", "103"},
		{"fxo2", "", "104"}, // the rule with more conditions decides
		{"itsp", "1", "102"},
		{"itsp", "12", "refused 404"},
	}.check(t, p)
	if lines := p.LinesOf("104"); len(lines) != 1 || lines[0] != "fxs1" {
		t.Errorf("the lines of 104 are %q", lines)
	}
}

func TestUnknownCallers(t *testing.T) {
	p := plan(t, phones+outside)
	for _, from := range []Caller{{Kind: FromPhone, Name: "999"}, {Kind: FromLine, Name: "fxo9"}, {Kind: FromPeer, Name: "nobody"}, {Kind: FromPhone}} {
		if r, _ := p.Match(Query{From: from, Dialed: "101"}); r.String() != "refused 403" {
			t.Errorf("%s: %s", from, r)
		}
	}
}

func TestHotline(t *testing.T) {
	p := plan(t, phones+`
[[phone]]
extension = "105"
secret = "valley-2-yew"
hotline = "101"
hotline_after = "5s"
`)
	if number, after := p.Hotline("105"); number != "101" || after != 5*time.Second {
		t.Errorf("hotline %q after %v", number, after)
	}
	if number, _ := p.Hotline("101"); number != "" {
		t.Errorf("101 has the hotline %q", number)
	}
}
