package dialplan

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// offices draws the text of an office with random rules, forwardings and
// groups, right or wrong.
func offices(t *rapid.T) string {
	var b strings.Builder
	b.WriteString(users + `
[[phone]]
extension = "500"
secret = "a-phone-that-calls"
allow = ["internal", "local", "national", "international", "premium", "sip"]
[[phone]]
extension = "501"
secret = "a-phone-that-may-not"
[[peer]]
name = "branch"
addresses = ["192.0.2.1"]
context = "office"
`)
	place := rapid.SampledFrom([]string{"500", "501", "700", "701", "702", "95551234", "912125551234", "UserA", "0", "sip:bob@elsewhere.example", "7773660;phone-context=p1234"})
	for i := range rapid.IntRange(0, 3).Draw(t, "forwarders") {
		fmt.Fprintf(&b, "[[phone]]\nextension = \"70%d\"\n", i)
		fmt.Fprintf(&b, "secret = \"secret-of-70%d\"\n", i)
		fmt.Fprintf(&b, "allow = [%s]\n", rapid.SampledFrom([]string{`"internal"`, `"internal", "local"`, `"internal", "local", "national", "sip"`}).Draw(t, "allow"))
		key := rapid.SampledFrom([]string{"always", "busy", "no_answer", "unreachable"}).Draw(t, "key")
		fmt.Fprintf(&b, "forward = { %s = %q }\n", key, place.Draw(t, "to"))
		if rapid.Bool().Draw(t, "find") {
			fmt.Fprintf(&b, "find_me = [%q, %q]\n", place.Draw(t, "find"), place.Draw(t, "find"))
		}
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "rules") {
		fmt.Fprintf(&b, "[[rule]]\nname = \"r%d\"\ndial = \"%d%s\"\n", i, i, patterns.Draw(t, "dial"))
		if rapid.Bool().Draw(t, "trunk") {
			b.WriteString("to = \"gateway\"\n")
		} else {
			fmt.Fprintf(&b, "to = %q\n", place.Draw(t, "to"))
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "incoming") {
		fmt.Fprintf(&b, "[[incoming]]\nname = \"i%d\"\nfrom = [\"strangers\", \"branch\"]\ndialed = \"%d\"\nto = %q\n", i, i, place.Draw(t, "to"))
	}
	if rapid.Bool().Draw(t, "group") {
		fmt.Fprintf(&b, "[[group]]\nextension = \"800\"\nmembers = [%q, %q]\nstrategy = \"in-turn\"\n", place.Draw(t, "member"), place.Draw(t, "member"))
	}
	return b.String()
}

// drawPlan draws a plan that compiles, nil for a text that does not.
func drawPlan(t *rapid.T, tb testing.TB) *Plan {
	config, problems := decode(tb, "office.toml", offices(t))
	if problems != nil {
		t.Fatalf("the drawn text cannot be read: %v", problems)
	}
	p, _ := Compile(config)
	return p
}

var dialled = rapid.SampledFrom([]string{"0", "1", "11", "12", "500", "501", "700", "701", "702", "800", "95551234", "912125551234", "+12125551234", "911", "9911", "UserA", "7773660;phone-context=p1234", "sip:bob@elsewhere.example", "0123", "1222", ""})

// Whatever the plan says, a stranger reaches no trunk and no foreign address that
// a permission does not open, and nobody reaches what takes a permission that
// neither the caller nor a forwarding phone has.
func TestNobodyDialsOutWhoMayNot(t *testing.T) {
	compiled := 0
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt, t)
		if p == nil {
			return
		}
		compiled++
		number := dialled.Draw(rt, "number")
		route, trail := p.Match(Query{From: Caller{}, Dialed: number})
		for _, s := range route.Stages {
			for _, target := range s.Targets {
				if target.Kind == ToTrunk {
					rt.Fatalf("a stranger who dials %q reaches %s\n%s", number, route, trail)
				}
			}
		}
		route, trail = p.Match(Query{From: Caller{Kind: FromPhone, Name: "501"}, Dialed: number})
		for _, s := range route.Stages {
			if len(s.Diversions) > 0 {
				continue // on behalf of a phone that may
			}
			for _, target := range s.Targets {
				if target.Kind == ToTrunk && !route.Emergency && route.Class&^Internal != 0 && route.Rule != "800" && route.Rule != "777xxxx" {
					rt.Fatalf("phone 501, for internal calls only, dials %q and reaches %s\n%s", number, route, trail)
				}
			}
		}
	})
	if compiled < 10 {
		t.Errorf("only %d of the drawn plans compiled: the property was hardly tried", compiled)
	}
}

// Every phone reaches the emergency number in every plan that has a way to it.
func TestEmergencyNumberIsAlwaysReached(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.Replace(offices(rt), `none = "the lab reaches nobody"`, "to = \"gateway\"\nnumbers = \"911\"", 1)
		config, _ := decode(t, "office.toml", text)
		p, _ := Compile(config)
		if p == nil {
			return
		}
		for i := range p.config.Phones {
			from := Caller{Kind: FromPhone, Name: p.config.Phones[i].Extension}
			for _, number := range []string{"911", "9911", "sip:911@here.com", "tel:911"} {
				route, trail := p.Match(Query{From: from, Dialed: number})
				if !route.Emergency || route.String() != "gateway 911" {
					rt.Fatalf("%s dials %s: %s\n%s", from, number, route, trail)
				}
			}
		}
	})
}

// A route never leads backwards, so that every call ends.
func TestRoutesEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt, t)
		if p == nil {
			return
		}
		for _, from := range []string{"500", "501", "branch", "fxo1", "stranger"} {
			c, _ := p.Caller(from)
			route, trail := p.Match(Query{From: c, Dialed: dialled.Draw(rt, "number")})
			if (route.Refusal == nil) != (len(route.Stages) > 0) || len(trail) == 0 {
				rt.Fatalf("neither a refusal nor stages, or no trail: %+v\n%s", route, trail)
			}
			for i := range route.Stages {
				for bit := range conditions {
					if next, ok := route.Next(i, 1<<bit); ok && (next <= i || next >= len(route.Stages)) {
						rt.Fatalf("stage %d leads to %d of %d", i, next, len(route.Stages))
					}
				}
			}
		}
	})
}

// Nothing that comes from outside panics, whatever it dials.
func FuzzMatch(f *testing.F) {
	for _, s := range []string{"101", "95551234", "911", "+12015551234", "7773660;phone-context=p1234", "sip:x@there.com", "", "*43", "tel:1"} {
		f.Add(s, "101", uint8(1))
	}
	p := plan(f, users+`
[[phone]]
extension = "101"
secret = "a-phone-that-calls"
allow = ["internal", "local", "national"]
never_dial = ["900."]
refuse = ["anonymous", "1xx"]
find_me = ["UserA", "95551234"]
[[incoming]]
dialed = "+1."
to = "101"
[[incoming]]
from = "strangers"
dialed = "."
to = "101"
`)
	f.Fuzz(func(t *testing.T, dialed, name string, kind uint8) {
		for _, from := range []Caller{{Kind: CallerKind(kind & 3), Name: name, Number: name}, {Kind: FromPhone, Name: "101"}, {Kind: FromLine, Name: "fxo1", Number: name}} {
			route, trail := p.Match(Query{From: from, Dialed: dialed, Why: kind > 127})
			if Explain(route, trail) == "" || (route.Refusal == nil) != (len(route.Stages) > 0) {
				t.Fatalf("%v dials %q: %+v", from, dialed, route)
			}
			p.Complete(from, dialed)
		}
	})
}
