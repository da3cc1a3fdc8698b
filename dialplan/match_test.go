package dialplan

import (
	"strings"
	"testing"
	"time"
)

// calls are rows of: who dials what, at which time if not on a Monday at ten, and the route.
type calls []struct{ from, dial, want string }

func (rows calls) check(t *testing.T, p *Plan) {
	t.Helper()
	for _, row := range rows {
		at := monday(t, "15:00") // ten in New York
		dial, clock, found := strings.Cut(row.dial, " at ")
		if found {
			var err error
			if at, err = p.ParseTime(clock); err != nil {
				t.Fatal(err)
			}
		}
		route, trail := p.Match(Query{From: caller(t, p, row.from), Dialed: dial, At: at})
		if got := route.String(); got != row.want {
			t.Errorf("%s dials %s: %s, want %s\n%s", row.from, row.dial, got, row.want, Explain(route, trail))
		}
	}
}

// Phones 101 and 102 may call the town, 103 the world, 104 nothing outside.
const phones = `
country = "us"
area = "201"
timezone = "America/New_York"
[[phone]]
extension = "101"
secret = "lantern-7-fig"
allow = ["internal", "local"]
caller_id = "+12015550101"
[[phone]]
extension = "102"
secret = "harbour-3-oak"
allow = ["internal", "local"]
[[phone]]
extension = "103"
secret = "mountain-5-elm"
allow = ["internal", "local", "national", "international"]
[[phone]]
extension = "104"
secret = "river-9-ash"
place = "cellar"
`

const outside = `
[[line]]
name = "fxo1"
kind = "fxo"
incoming = "101"
[[line]]
name = "fxo2"
kind = "fxo"
[[peer]]
name = "itsp"
addresses = ["192.0.2.1"]
[[trunk]]
name = "pstn"
lines = ["fxo1", "fxo2"]
[[trunk]]
name = "sip"
peer = "itsp"
caller_id = "+12015550100"
format = "e164"
[emergency]
to = ["pstn", "sip"]
notify = ["101"]
place = "main house"
`

const outwards = `
[[rule]]
name = "out"
dial = "9."
strip = 1
to = ["pstn", "sip"]
`

func TestRules(t *testing.T) {
	p := plan(t, phones+outside+outwards+`
[[rule]]
dial = "0"
to = "101"
[[rule]]
dial = "8xxx"
replace = "2015550199"
to = "sip"
[[rule]]
dial = "7 xxx"
strip = 1
prepend = "5550"
to = "pstn"
[[rule]]
dial = "6."
refuse = "not from here"
status = 488
[[rule]]
name = "dear"
dial = "91900xxxxxxx"
strip = 1
class = "premium"
to = "pstn"
`)
	calls{
		{"101", "102", "102"},
		{"101", "0", "101"}, // a phone that calls itself is for call control to refuse
		{"101", "95551234", "pstn 5551234 then sip +12015551234"},
		{"101", "8123", "sip +12015550199"},
		{"101", "7123", "pstn 5550123"},
		{"101", "6", "refused 484"},
		{"101", "61", "refused 488"},
		{"101", "912125551234", "refused 403"}, // national
		{"103", "912125551234", "pstn 12125551234 then sip +12125551234"},
		{"103", "9011442071838750", "pstn 011442071838750 then sip +442071838750"},
		{"103", "919005551234", "refused 403"}, // premium: the wider rule does not open the door
		{"104", "95551234", "refused 403"},
		{"101", "555", "refused 404"},
		{"101", "nobody", "refused 404"},
		{"101", "1", "refused 484"},
		// + and digits, as phones' address books have them.
		{"101", "+12015551234", "pstn 12015551234 then sip +12015551234"},
		{"103", "+442071838750", "pstn 011442071838750 then sip +442071838750"},
		{"101", "+442071838750", "refused 403"},
		{"101", "tel:+1-201-555-1234", "pstn 12015551234 then sip +12015551234"},
	}.check(t, p)
}

func TestTrunksFollowOnFailureOnly(t *testing.T) {
	p := plan(t, phones+outside+outwards)
	r, _ := dials(t, p, "101", "95551234")
	if r.Stages[0].On != Failure|Unreachable || r.Stages[1].On != 0 {
		t.Errorf("stages lead on %v and %v, want failure and unreachable, then nothing", r.Stages[0].On, r.Stages[1].On)
	}
	if next, ok := r.Next(0, Failure); next != 1 || !ok {
		t.Errorf("after a failure comes stage %d, %v", next, ok)
	}
	if _, ok := r.Next(0, Busy); ok {
		t.Error("a busy callee is tried on another trunk")
	}
}

func TestWeights(t *testing.T) {
	p := plan(t, phones+outside+`
[[rule]]
dial = "9."
strip = 1
to = ["pstn", "sip"]
weights = [3, 1]
`)
	first := map[string]int{}
	for turn := range uint32(400) {
		r, _ := p.Match(Query{From: caller(t, p, "101"), Dialed: "95551234", Turn: turn})
		if len(r.Stages) != 2 {
			t.Fatalf("turn %d: %s", turn, r)
		}
		first[r.Stages[0].Targets[0].Name]++
	}
	if first["pstn"] != 300 || first["sip"] != 100 {
		t.Errorf("first choices %v, want 300 and 100", first)
	}
}

func TestPresentation(t *testing.T) {
	p := plan(t, phones+outside+`
[[rule]]
dial = "9."
strip = 1
to = ["pstn", "sip"]
[[rule]]
dial = "8."
strip = 1
to = "sip"
caller_id = "+12015550177"
[[rule]]
dial = "7."
strip = 1
to = "sip"
withhold = true
[features]
withhold = "*67"
`)
	for _, test := range []struct {
		from, dial string
		stage      int
		want       Presentation
	}{
		{"101", "95551234", 0, Presentation{Number: "+12015550101"}},
		{"101", "95551234", 1, Presentation{Number: "+12015550101"}},
		{"102", "95551234", 0, Presentation{}},
		{"102", "95551234", 1, Presentation{Number: "+12015550100"}},
		{"101", "85551234", 0, Presentation{Number: "+12015550177"}},
		{"102", "75551234", 0, Presentation{Number: "+12015550100", Withheld: true}},
		{"101", "*6795551234", 0, Presentation{Number: "+12015550101", Withheld: true}},
	} {
		r, trail := dials(t, p, test.from, test.dial)
		if r.Refusal != nil {
			t.Errorf("%s dials %s: %s\n%s", test.from, test.dial, r, trail)
			continue
		}
		if got := r.Stages[test.stage].Targets[0].From; got != test.want {
			t.Errorf("%s dials %s: shown %+v in stage %d, want %+v", test.from, test.dial, got, test.stage, test.want)
		}
	}
	r, _ := dials(t, p, "101", "*67102")
	if !r.From.Withheld || r.String() != "102" {
		t.Errorf("*67102: %s, shown %+v", r, r.From)
	}
}

func TestContexts(t *testing.T) {
	p := plan(t, phones+outside+outwards+`
[[context]]
name = "p1234"
[[rule]]
context = "p1234"
dial = "777xxxx"
to = "pstn"
[[rule]]
context = "p1234"
dial = "101"
refuse = "the other plan's 101"
[[context]]
name = "branch.example"
include = ["p1234"]
[[rule]]
context = "branch.example"
dial = "2xx"
to = "102"
[[peer]]
name = "branch"
addresses = ["192.0.2.9"]
context = "branch.example"
`)
	calls{
		{"101", "7773660;phone-context=p1234", "pstn 7773660"},
		{"101", "7773660,phone-context=p1234", "pstn 7773660"},
		{"101", "sip:7773660,phone-context=p1234@gw1.wcom.com;user=phone", "pstn 7773660"},
		{"101", "tel:777-3660;phone-context=P1234", "pstn 7773660"},
		{"101", "7773660", "refused 404"},
		{"104", "7773660;phone-context=p1234", "refused 403"},
		{"101", "101;phone-context=p1234", "refused 403"}, // not our 101
		{"101", "202;phone-context=branch.example", "102"},
		{"101", "7773660;phone-context=branch.example", "pstn 7773660"},
		{"101", "1;phone-context=p9", "refused 404"},
		{"101", "5551234;phone-context=+1201", "pstn 12015551234 then sip +12015551234"},
		{"branch", "202", "102"},
		{"branch", "102", "refused 404"},
		{"branch", "7773660", "refused 403"}, // a peer's calls are internal only
		{"branch", "202;phone-context=branch.example", "102"},
		{"branch", "102;phone-context=office", "refused 403"},
	}.check(t, p)
}

func TestConditions(t *testing.T) {
	p := plan(t, phones+outside+outwards+`
[[schedule]]
name = "office hours"
days = "mon-fri"
hours = ["09:00-12:00", "13:00-17:00"]
holidays = ["01-01", "2026-07-03/2026-07-05"]
[[rule]]
dial = "0"
to = "101"
when = "office hours"
[[rule]]
dial = "0"
to = "102"
[[rule]]
name = "103 only"
dial = "50"
from = "103"
to = "101"
[[rule]]
name = "not 103"
dial = "5x"
to = "102"
[[incoming]]
caller = "anonymous"
refuse = "no anonymous calls"
[[incoming]]
caller = ["+1212.", "+44."]
when = "not office hours"
to = "103"
`)
	calls{
		{"102", "0", "101"},
		{"102", "0 at 2026-01-05 12:30", "102"},
		{"102", "0 at 2026-01-04 10:00", "102"}, // Sunday
		{"102", "0 at 2027-01-01 10:00", "102"},
		{"102", "0 at 2026-07-03 10:00", "102"},
		{"102", "0 at 2026-07-06 10:00", "101"},
		{"103", "50", "101"},
		{"101", "50", "102"},
	}.check(t, p)
	for _, test := range []struct{ number, clock, want string }{
		{"2125550123", "2026-01-05 12:30", "103"},
		{"+442071838750", "2026-01-05 20:00", "103"},
		{"2125550123", "2026-01-05 10:00", "101"},
		{"2015550123", "2026-01-05 12:30", "101"},
		{"", "2026-01-05 10:00", "refused 403"},
	} {
		at, err := p.ParseTime(test.clock)
		if err != nil {
			t.Fatal(err)
		}
		r, trail := p.Match(Query{From: Caller{Kind: FromLine, Name: "fxo1", Number: test.number}, At: at})
		if r.String() != test.want {
			t.Errorf("%q calls at %s: %s, want %s\n%s", test.number, test.clock, r, test.want, trail)
		}
	}
}

func TestIncoming(t *testing.T) {
	p := plan(t, phones+outside+`
[[peer]]
name = "fixed"
addresses = ["192.0.2.7"]
incoming = ["101", "102"]
[[incoming]]
dialed = "+1 201 555 010x"
to = "103"
[[incoming]]
dialed = "+1 201 555 0104"
to = ["103", "104"]
[[incoming]]
from = "strangers"
dialed = "102"
to = "102"
`)
	calls{
		{"itsp", "+12015550101", "103"},
		{"itsp", "2015550101", "103"},
		{"itsp", "12015550101", "103"}, // without the +, or as dialled by hand
		{"itsp", "5550101", "103"},     // the local form
		{"itsp", "sip:+12015550104@crosspoint.example", "103 + 104"},
		{"itsp", "+12015550111", "refused 404"},
		{"itsp", "101", "refused 404"}, // extensions are not for providers
		{"fixed", "whatever", "101 + 102"},
		{"fxo2", "", "refused 404"},
		{"stranger", "102", "102"},
		{"stranger", "101", "refused 403"},
		{"stranger", "+12015550101", "refused 403"},
		{"stranger", "95551234", "refused 403"},
	}.check(t, p)
}

func TestEmergency(t *testing.T) {
	p := plan(t, phones+outside+outwards+`
[sip]
domains = ["crosspoint.example"]
[[line]]
name = "fxs1"
kind = "fxs"
extension = "104"
`)
	calls{
		{"104", "911", "pstn 911 then sip 911"},
		{"104", "9911", "pstn 911 then sip 911"},
		{"104", "112", "pstn 112 then sip 112"}, // the country's other one
		{"104", "sip:911@crosspoint.example", "pstn 911 then sip 911"},
		{"104", "sip:911@some-name-of-ours.example", "pstn 911 then sip 911"},
		{"104", "911;phone-context=+1", "pstn 911 then sip 911"},
		{"fxs1", "911", "pstn 911 then sip 911"},
		{"stranger", "911", "refused 403"},
		{"itsp", "911", "refused 404"},
	}.check(t, p)
	r, _ := dials(t, p, "104", "911")
	if !r.Emergency || r.Class != EmergencyCall || r.Notice == nil || r.Notice.Place != "cellar" || r.Notice.Extensions[0] != "101" {
		t.Errorf("emergency route %+v, notice %+v", r, r.Notice)
	}
	if r, _ := dials(t, p, "101", "911"); r.Notice.Place != "main house" {
		t.Errorf("place %q, want the office's", r.Notice.Place)
	}
	// Nothing holds it back.
	full := func(string) Usage { return Usage{Calls: 100, Toll: 100 * time.Hour} }
	r, _ = p.Match(Query{From: caller(t, p, "101"), Dialed: "911", Usage: full})
	if !r.Emergency {
		t.Errorf("with all calls used up: %s", r)
	}
}
func TestRefusalNamesTheLine(t *testing.T) {
	p := plan(t, phones+outside+outwards)
	for _, test := range []struct{ from, dial, reason, line string }{
		{"101", "912125551234", `phone 101 may not call 12125551234: that takes allow "national", and it has internal, local`, `allow = ["internal", "local"]`},
		{"101", "555", `no extension or rule of context "office" is for 555`, ""},
		{"104", "95551234", `phone 104 may not call 5551234: that takes allow "local", and it has internal`, `[[phone]]`},
	} {
		r, _ := dials(t, p, test.from, test.dial)
		if r.Refusal == nil || r.Refusal.Reason != test.reason {
			t.Errorf("%s dials %s: %+v, want %q", test.from, test.dial, r.Refusal, test.reason)
			continue
		}
		if test.line == "" {
			continue
		}
		lines := strings.Split(phones+outside+outwards, "\n")
		if got := lines[r.Refusal.Pos.Line-1]; got != test.line {
			t.Errorf("%s dials %s: the refusal points at %q, want %q", test.from, test.dial, got, test.line)
		}
	}
}
