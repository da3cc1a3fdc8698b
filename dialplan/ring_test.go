package dialplan

import (
	"strings"
	"testing"
	"time"

	"crosspoint/internal/tomlfile"
)

// ringing is an office with all that can say how telephones ring.
const ringing = `
country = "us"
[[phone]]
extension = "101"
secret = "lantern-7-fig"
[[phone]]
extension = "102"
secret = "harbour-3-oak"
forward = { no_answer = "101" }
[[phone]]
extension = "103"
secret = "gate-station-8"
calls_ring = "door"
[[group]]
extension = "200"
members = ["101", "102"]
calls_ring = "sales"
then = "103"
[[group]]
extension = "300"
members = ["200", "103"]
[[line]]
name = "fxo1"
kind = "fxo"
incoming = "101"
number = "+12015550101"
numbers = [{ ring = "dr2", number = "+12015550102" }, { ring = "dr3", number = "2015550103" }]
[[line]]
name = "fxo2"
kind = "fxo"
incoming = "200"
calls_ring = "dr4"
[[line]]
name = "fxs1"
kind = "fxs"
extension = "103"
[[peer]]
name = "itsp"
addresses = "192.0.2.1"
incoming = "101"
[[peer]]
name = "branch"
addresses = "192.0.2.2"
context = "office"
calls_ring = "inside"
[[peer]]
name = "works"
addresses = "192.0.2.3"
context = "office"
alert_info = true
[[incoming]]
dialed = "+12015550102"
to = "102"
calls_ring = "sales"
[[incoming]]
dialed = "+12015550101"
caller = "+12125550000"
to = "200"
calls_ring = "urgent"
[[rule]]
dial = "9"
to = "101"
calls_ring = "dr1"
[[distinctive_ring]]
name = "door"
cadence = ["300ms", "200ms", "300ms", "4s"]
[[distinctive_ring]]
name = "sales"
cadence = ["1s", "3s"]
alert_info = "<http://office.example>;info=sales"
[[distinctive_ring]]
name = "recall"
alert_info = ""
[[distinctive_ring]]
name = "inside"
alert_info = "<http://office.example>;info=alert-internal"
`

// How telephones ring: by the rule that leads to them, by the group that is
// called, by what the file says of the caller, by what the caller's side asks
// for, by where the caller is; the first of these that says something.
func TestHowTelephonesRing(t *testing.T) {
	p := plan(t, ringing)
	for _, test := range []struct {
		from, number, dial, alertInfo string
		want                          string // of each stage
	}{
		{"101", "", "102", "", "inside inside"}, // also where it is forwarded to
		{"fxo1", "", "", "", "outside"},
		{"itsp", "", "2015550100", "", "outside"},
		{"branch", "", "101", "", "inside"},
		{"103", "", "101", "", "door"},
		{"fxs1", "", "101", "", "door"},       // a call from the line is one from its telephone
		{"101", "", "200", "", "sales sales"}, // also where the group leads
		{"103", "", "200", "", "sales sales"}, // whom they call says more than who calls
		{"101", "", "300", "", "inside"},      // a group in a group, rung with others
		{"fxo2", "", "", "", "sales sales"},
		{"fxo1", "", "+12015550102", "", "sales sales"}, // also where the rule's place forwards
		{"fxo1", "2125550000", "", "", "urgent urgent"}, // the rule before the group
		{"101", "", "9", "", "dr1"},
		{"101", "", "102", "<Bellcore-dr2>", "dr2 dr2"},
		{"103", "", "102", "<Bellcore-dr2>", "door door"}, // the file says more than the phone
		{"works", "", "101", "<http://office.example/rings>;info=other, <urn:alert:source:internal>", "inside"},
		{"works", "", "101", "<urn:alert:priority:high:fire@works.example>", "urgent"},
		{"works", "", "101", "<urn:alert:duration:long>", "outside"},
		{"itsp", "", "101", "<Bellcore-dr2>", "outside"}, // it may not ask
	} {
		from := caller(t, p, test.from)
		if test.number != "" {
			from.Number = test.number
		}
		route, trail := p.Match(Query{From: from, Dialed: test.dial, AlertInfo: test.alertInfo})
		var got []string
		for _, s := range route.Stages {
			got = append(got, s.Ring.Name)
		}
		if g := strings.Join(got, " "); g != test.want {
			t.Errorf("%s (%s) dials %q with %q: %v rings %q, want %q\n%s", test.from, test.number, test.dial, test.alertInfo, route, g, test.want, trail)
		}
	}
}

// Somebody who is transferred is who calls: by that the telephone rings, not by
// who transfers.
func TestRingOfATransfer(t *testing.T) {
	p := plan(t, ringing)
	outside, door, works := caller(t, p, "itsp"), caller(t, p, "103"), caller(t, p, "works")
	for _, test := range []struct {
		with      *Caller
		alertInfo string
		want      string
	}{{nil, "", "inside"}, {&outside, "", "outside"}, {&outside, "<Bellcore-dr2>", "outside"}, {&works, "<Bellcore-dr2>", "dr2"}, {&door, "<Bellcore-dr2>", "door"}} {
		route, _ := p.Match(Query{From: caller(t, p, "101"), Dialed: "102", With: test.with, AlertInfo: test.alertInfo})
		if got := route.Stages[0].Ring.Name; got != test.want {
			t.Errorf("with %v: rings %q, want %q", test.with, got, test.want)
		}
	}
}

// What SIP phones are told, and what a line finds the cadence by.
func TestRingsOfTheFile(t *testing.T) {
	p := plan(t, ringing)
	for name, want := range map[string]Ring{
		"outside": {"outside", "<urn:alert:source:external>"},
		"inside":  {"inside", "<http://office.example>;info=alert-internal"},
		"recall":  {"recall", ""},
		"door":    {"door", ""},
		"sales":   {"sales", "<http://office.example>;info=sales"},
		"dr3":     {"dr3", "<http://127.0.0.1/Bellcore-dr3>"},
		"nothing": {"outside", "<urn:alert:source:external>"},
	} {
		if got := p.Ring(name); got != want {
			t.Errorf("Ring(%q) = %v, want %v", name, got, want)
		}
	}
	own := p.Cadences()
	if len(own) != 2 || len(own["door"]) != 4 || own["door"][3] != 4*time.Second || len(own["sales"]) != 2 {
		t.Errorf("Cadences() = %v, want those of door and sales", own)
	}
}

// What a value of Alert-Info asks for, in the spellings that phones and exchanges
// have for it.
func TestAlertInfo(t *testing.T) {
	p := plan(t, ringing)
	for text, want := range map[string]string{
		"<urn:alert:source:internal>":                  "inside",
		"<URN:Alert:Source:External>":                  "outside",
		"<urn:alert:source:internal:vip@office>":       "inside",
		"<urn:alert:source:internals>":                 "",
		"<urn:alert:source>":                           "",
		"<urn:alert:service:recall:hold>":              "recall",
		"<urn:alert:service:recall:callback>":          "recall",
		"<urn:alert:service:recalls>":                  "",
		"<urn:alert:service:call-waiting>":             "",
		"<Bellcore-dr2>":                               "dr2",
		"Bellcore-dr3":                                 "dr3",
		"<http://192.0.2.9/rings/bellcore-DR4>;x=y":    "dr4",
		"<Bellcore-dr22>":                              "",
		"<http://Office.example> ; info = sales":       "sales",
		"<http://office.example>;info=alert-internal":  "inside",
		"<http://office.example>":                      "",
		"<http://office.example>;info=sales;more=true": "",
		"<nothing>, <Bellcore-dr2>":                    "dr2",
		"<http://a.example/1,2>, <Bellcore-dr3>":       "dr3",
		"<http://a.example/,Bellcore-dr2,>":            "",
		",,<>,;":                                       "",
		"<":                                            "",
		">":                                            "",
		strings.Repeat("<", 3000):                      "",
	} {
		if got, ok := p.ringAskedFor(text); got.Name != want || ok != (want != "") {
			t.Errorf("%q asks for %q, %v; want %q", clip(text), got.Name, ok, want)
		}
	}
}

// On a line on which nothing is dialled, its own number was; the file may tell
// it, and rules hold for it.
func TestNumberOfALine(t *testing.T) {
	p := plan(t, ringing)
	calls{
		{"fxo1", "", "101"},
		{"fxo1", "+12015550102", "102 then 101"},
		{"fxo1", "2015550103", "101"}, // no rule is for it: what rings for all
		{"fxo2", "", "101 + 102 then 103"},
	}.check(t, p)
	from := caller(t, p, "fxo1")
	from.Number = "+12125550000"
	if route, _ := p.Match(Query{From: from}); route.Pos.Line == 0 || route.String() != "101 + 102 then 103" {
		t.Errorf("a call to the line's own number goes to %v, want the group that the rule for it names", route)
	}
}

// What decided how a telephone rings stands in the trail and in the route.
func TestRingIsExplained(t *testing.T) {
	p := plan(t, ringing)
	text := explained(t, p, Query{From: caller(t, p, "fxo2"), Dialed: ""})
	for _, want := range []string{
		`rings 101 and rings 102, for 20s, ring "sales"`,
		`  calls_ring: telephones ring as "dr4", if no rule or group says otherwise  [office.toml:32]`,
		`calls_ring: telephones ring as "sales"  [office.toml:17]`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	text = explained(t, p, Query{From: caller(t, p, "works"), Dialed: "101", AlertInfo: "<urn:alert:delay:yes>"})
	if want := "Alert-Info: passed over: the caller's side asks for <urn:alert:delay:yes>, which no distinctive_ring has"; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

// A test of the plan may say how the first phones ring.
func TestRingInATest(t *testing.T) {
	for _, test := range []struct{ ring, want string }{
		{"dr4", `test: fxo2 dialling "": expected ring "dr4", got "sales"`},
		{"dr9", `test: ring = "dr9" is no distinctive ring`},
		{"sales", ""},
	} {
		_, problems := compileText(t, ringing+"[[test]]\nfrom = \"fxo2\"\nring = \""+test.ring+"\"\nexpect = \"101 + 102 then 103\"\n")
		if got := tomlfile.Text(problems); test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("ring = %q: %q, want %q", test.ring, got, test.want)
		}
	}
}

func TestUnusedRing(t *testing.T) {
	p := plan(t, ringing+"[[distinctive_ring]]\nname = \"attic\"\ncadence = [\"1s\", \"2s\"]\n")
	text := tomlfile.Text(p.Lint())
	if !strings.Contains(text, `distinctive ring "attic" is used by nothing`) || strings.Contains(text, `distinctive ring "door"`) {
		t.Errorf("got\n%s", text)
	}
}

func compileText(t *testing.T, text string) (*Plan, []tomlfile.Problem) {
	t.Helper()
	config, problems := decode(t, "office.toml", text)
	if problems != nil {
		t.Fatal(tomlfile.Text(problems))
	}
	return Compile(config)
}
