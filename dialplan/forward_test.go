package dialplan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// draw writes a route's stages with what leads from which to which:
//
//	0 UserB1 2s (busy 1)
//	1 UserB2 by UserB user-busy
func draw(r Route) string {
	if r.Refusal != nil {
		return fmt.Sprintf("refused %d %s", r.Refusal.Status, r.Refusal.Phrase)
	}
	var lines []string
	for i, s := range r.Stages {
		var targets []string
		for _, t := range s.Targets {
			targets = append(targets, t.String())
		}
		line := fmt.Sprintf("%d %s", i, strings.Join(targets, "+"))
		if s.RingFor > 0 {
			line += " " + s.RingFor.String()
		}
		for _, d := range s.Diversions {
			line += fmt.Sprintf(" by %s %s", d.By, d.Reason)
		}
		var to []string
		for bit, name := range conditionNames {
			if next, ok := r.Next(i, 1<<bit); ok {
				to = append(to, fmt.Sprintf("%s %d", name, next))
			}
		}
		if to != nil {
			line += " (" + strings.Join(to, ", ") + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func lines(s string) string {
	var out []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

const users = `
country = "us"
area = "201"
ring = "2s"
[sip]
domains = ["here.com", "there.com"]
[[line]]
name = "fxo1"
kind = "fxo"
[[trunk]]
name = "gateway"
lines = ["fxo1"]
[emergency]
none = "the lab reaches nobody"
[[context]]
name = "p1234"
[[rule]]
context = "p1234"
dial = "777xxxx"
class = "internal"
to = "gateway"
[[rule]]
dial = "9."
strip = 1
to = "gateway"
[[phone]]
extension = "UserA"
secret = "seed-usera"
[[phone]]
extension = "UserB"
secret = "seed-userb"
[[phone]]
extension = "UserB1"
secret = "seed-userb1"
[[phone]]
extension = "UserB2"
secret = "seed-userb2"
[[phone]]
extension = "UserB3"
secret = "seed-userb3"
`

// The services of draft-sparks-sip-service-examples-00 that are a plan's.
func TestServices(t *testing.T) {
	for _, test := range []struct{ name, phone, want string }{
		{"2.5 forwarding unconditional", `forward = { always = "7773660;phone-context=p1234" }`, `
			0 gateway 7773660 by X unconditional`},
		{"2.5 to another gateway", `forward = { always = "sip:7773660,phone-context=p1234@gw9.example;user=phone" }`, `
			0 sip:7773660,phone-context=p1234@gw9.example;user=phone by X unconditional`},
		{"2.6 forwarding on busy", `
			sets = "UserB1"
			forward = { busy = "UserB2" }`, `
			0 UserB1 (busy 1)
			1 UserB2 by X user-busy`},
		{"2.7 forwarding on no answer", `
			sets = "UserB1"
			forward = { no_answer = "UserB2", after = "3s" }`, `
			0 UserB1 3s (no-answer 1, unreachable 1)
			1 UserB2 by X no-answer`},
		{"2.6 and 2.7 to different places", `
			sets = "UserB1"
			forward = { busy = "UserB2", no_answer = "UserB3", unreachable = "95551234" }
			allow = ["internal", "local"]`, `
			0 UserB1 2s (busy 1, no-answer 3, unreachable 2)
			1 UserB2 by X user-busy
			2 gateway 5551234 by X unavailable
			3 UserB3 by X no-answer`},
		{"2.9 single line extension", `
			sets = ["UserB1", "UserB2", "UserB3"]
			ring_sets = "in-turn"`, `
			0 UserB1 2s (busy 1, no-answer 1, unreachable 1, failure 1)
			1 UserB2 2s (busy 2, no-answer 2, unreachable 2, failure 2)
			2 UserB3 2s`},
		{"2.9 rung together", `
			secret = "own-set-of-x"
			sets = ["UserB1", "UserB2"]`, `
			0 X+UserB1+UserB2`},
		{"2.10 find-me", `
			find_me = ["UserB1", "UserB2", "95551234"]
			allow = ["internal", "local"]`, `
			0 UserB1 2s by X follow-me (busy 1, no-answer 1, unreachable 1, failure 1)
			1 UserB2 2s by X follow-me (busy 2, no-answer 2, unreachable 2, failure 2)
			2 gateway 5551234 by X follow-me`},
		{"2.10 after its own set", `
			secret = "own-set-of-x"
			find_me = "UserB1"`, `
			0 X 2s (busy 1, no-answer 1, unreachable 1, failure 1)
			1 UserB1 2s by X follow-me`},
		{"find-me beside busy forwarding", `
			secret = "own-set-of-x"
			find_me = "UserB1"
			forward = { busy = "UserB2" }`, `
			0 X 2s (busy 1, no-answer 2, unreachable 2, failure 2)
			1 UserB2 2s by X user-busy (busy 2, no-answer 2, unreachable 2, failure 2)
			2 UserB1 2s by X follow-me`},
		{"2.11 incoming screening", `
			secret = "own-set-of-x"
			refuse = ["UserA"]`, `
			refused 403 Screening Failure (Terminating)`},
		{"2.11 by those who may", `
			secret = "own-set-of-x"
			accept = ["UserB"]`, `
			refused 403 Screening Failure (Terminating)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := plan(t, users+"[[phone]]\nextension = \"X\"\n"+test.phone)
			r, trail := dials(t, p, "UserA", "X")
			if got := draw(r); got != lines(test.want) {
				t.Errorf("got\n%s\nwant\n%s\n%s", got, lines(test.want), trail)
			}
		})
	}
}

func TestOutgoingScreening(t *testing.T) { // draft §2.12
	p := plan(t, users+`
[[phone]]
extension = "UserD"
secret = "seed-userd"
never_dial = ["UserB", "5551xxx", "+1 900."]
allow = ["internal", "local", "premium"]
`)
	for _, test := range []struct{ dial, want string }{
		{"UserB", "refused 403 Screening Failure (Originating)"},
		{"sip:UserB@there.com", "refused 403 Screening Failure (Originating)"},
		{"UserB1", "0 UserB1"},
		{"95551234", "refused 403 Screening Failure (Originating)"}, // also with the prefix
		{"95552234", "0 gateway 5552234"},
		{"919005551234", "refused 403 Screening Failure (Originating)"},
	} {
		r, trail := dials(t, p, "UserD", test.dial)
		if got := draw(r); got != test.want {
			t.Errorf("UserD dials %s: %s, want %s\n%s", test.dial, got, test.want, trail)
		}
	}
}

// What a phone's user set goes before the file.
func TestSettings(t *testing.T) {
	p := plan(t, users+`
[[phone]]
extension = "X"
secret = "own-set-of-x"
forward = { busy = "UserB1" }
[[phone]]
extension = "Y"
secret = "own-set-of-y"
`)
	for _, test := range []struct {
		name     string
		dial     string
		settings Settings
		want     string
	}{
		{"always", "X", Settings{ForwardAlways: "UserB3"}, "0 UserB3 by X unconditional"},
		{"busy", "X", Settings{ForwardBusy: "UserB2"}, "0 X (busy 1)\n1 UserB2 by X user-busy"},
		{"no answer", "X", Settings{ForwardNoAnswer: "UserB2"}, "0 X 2s (busy 1, no-answer 2, unreachable 2)\n1 UserB1 by X user-busy\n2 UserB2 by X no-answer"},
		{"do not disturb", "X", Settings{DoNotDisturb: true}, "0 UserB1 by X do-not-disturb"},
		{"do not disturb, nowhere else", "Y", Settings{DoNotDisturb: true}, "refused 486 "},
		{"to the town without permission", "Y", Settings{ForwardAlways: "95551234"}, "refused 403 "},
		{"to a foreign address without permission", "Y", Settings{ForwardAlways: "sip:bob@elsewhere.example"}, "refused 403 "},
		{"to itself", "Y", Settings{ForwardAlways: "Y"}, "refused 482 "},
		{"to nobody", "Y", Settings{ForwardNoAnswer: "555"}, "0 Y"},
	} {
		r, trail := p.Match(Query{From: caller(t, p, "UserA"), Dialed: test.dial, Settings: func(e string) Settings {
			if e == test.dial {
				return test.settings
			}
			return Settings{}
		}})
		if got := draw(r); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s\n%s", test.name, got, test.want, trail)
		}
	}
}

func TestForwardingOfForwarding(t *testing.T) {
	p := plan(t, users+`
[[phone]]
extension = "X"
forward = { always = "Y" }
[[phone]]
extension = "Y"
secret = "own-set-of-y"
forward = { no_answer = "Z" }
[[phone]]
extension = "Z"
secret = "own-set-of-z"
forward = { busy = "X" }
`)
	r, trail := dials(t, p, "UserA", "X")
	want := lines(`
		0 Y 2s by X unconditional (no-answer 1, unreachable 1)
		1 Z by Y no-answer by X unconditional`)
	if got := draw(r); got != want {
		t.Errorf("got\n%s\nwant\n%s\n%s", got, want, trail)
	}
	if !strings.Contains(trail.String(), "forwarded in a circle: X to Y to Z to X") {
		t.Errorf("the trail does not tell of the circle:\n%s", trail)
	}
}

func TestKnownBusy(t *testing.T) {
	p := plan(t, users+`
[[phone]]
extension = "X"
secret = "own-set-of-x"
forward = { busy = "UserB1" }
[[group]]
extension = "600"
members = ["UserB1", "UserB2"]
[[group]]
extension = "601"
members = ["UserB1", "UserB2"]
then = "X"
`)
	for _, test := range []struct{ busy, dial, want string }{
		{"", "X", "0 X (busy 1)\n1 UserB1 by X user-busy"},
		{"X", "X", "0 UserB1 by X user-busy"},
		{"UserB1", "UserB1", "0 UserB1"}, // the phone itself knows whether it takes a second call
		{"", "600", "0 UserB1+UserB2"},
		{"UserB1", "600", "0 UserB2"},
		{"UserB1 UserB2", "600", "refused 486 "},
		{"UserB1 UserB2", "601", "0 X (busy 1)\n1 UserB1 by X user-busy"},
		{"", "601", "0 UserB1+UserB2 2s (busy 1, no-answer 1, unreachable 1, failure 1)\n1 X (busy 2)\n2 UserB1 by X user-busy"},
	} {
		busy := strings.Fields(test.busy)
		r, trail := p.Match(Query{From: caller(t, p, "UserA"), Dialed: test.dial, Busy: func(e string) bool { return slices.Contains(busy, e) }})
		if got := draw(r); got != test.want {
			t.Errorf("%s with %q busy: got\n%s\nwant\n%s\n%s", test.dial, test.busy, got, test.want, trail)
		}
	}
}

func TestGroups(t *testing.T) {
	p := plan(t, users+`
[[group]]
extension = "600"
members = ["UserB1", "UserB2", "UserB3"]
strategy = "in-turn"
ring = "5s"
on = ["no-answer", "busy"]
[[group]]
extension = "601"
members = ["UserB1", "UserB2", "UserB3"]
strategy = "rotate"
[[group]]
extension = "602"
members = ["UserB1", "600", "95551234"]
allow = ["internal", "local"]
[[phone]]
extension = "X"
secret = "own-set-of-x"
forward = { always = "UserB2" }
refuse = "UserB"
[[group]]
extension = "603"
members = ["UserB1", "X"]
`)
	for _, test := range []struct {
		from, dial string
		turn       uint32
		want       string
	}{
		{"UserA", "600", 0, `
			0 UserB1 5s (busy 1, no-answer 1)
			1 UserB2 5s (busy 2, no-answer 2)
			2 UserB3`},
		{"UserA", "601", 4, `
			0 UserB2 2s (busy 1, no-answer 1, unreachable 1, failure 1)
			1 UserB3 2s (busy 2, no-answer 2, unreachable 2, failure 2)
			2 UserB1`},
		{"UserA", "602", 0, `0 UserB1+UserB1+gateway 5551234`},
		{"UserA", "603", 0, `0 UserB1+UserB2`}, // a member's unconditional forwarding holds
		{"UserB", "603", 0, `0 UserB1`},        // and its screening
	} {
		r, trail := p.Match(Query{From: caller(t, p, test.from), Dialed: test.dial, Turn: test.turn})
		if got := draw(r); got != lines(test.want) {
			t.Errorf("%s: got\n%s\nwant\n%s\n%s", test.dial, got, lines(test.want), trail)
		}
	}
}

// A scheduled forwarding holds in its time only.
func TestForwardingByTime(t *testing.T) {
	p := plan(t, users+`
[[schedule]]
name = "night"
hours = "22:00-06:00"
days = "mon-thu"
timezone = "UTC"
[[phone]]
extension = "X"
secret = "own-set-of-x"
forward = { always = "UserB1", when = "night" }
`)
	for _, test := range []struct{ at, want string }{
		{"2026-01-05 21:59", "X"},
		{"2026-01-05 22:00", "UserB1"},
		{"2026-01-06 05:59", "UserB1"},
		{"2026-01-06 06:00", "X"},
		{"2026-01-05 05:00", "X"},      // Monday early belongs to Sunday's night
		{"2026-01-09 05:00", "UserB1"}, // Friday early belongs to Thursday's
	} {
		at, err := time.Parse(TimeLayout, test.at)
		if err != nil {
			t.Fatal(err)
		}
		if r, trail := p.Match(Query{From: caller(t, p, "UserA"), Dialed: "X", At: at}); r.String() != test.want {
			t.Errorf("%s: %s, want %s\n%s", test.at, r, test.want, trail)
		}
	}
}
