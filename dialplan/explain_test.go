package dialplan

import (
	"encoding/json"
	"strings"
	"testing"
)

func explained(t *testing.T, p *Plan, q Query) string {
	t.Helper()
	return strings.TrimSpace(Explain(p.Match(q)))
}

func TestExplain(t *testing.T) {
	p := plan(t, phones+outside+`
[[rule]]
name = "town"
dial = "9 nxx-xxxx"
strip = 1
to = ["pstn", "sip"]
[[rule]]
name = "visitors"
dial = "9 nxx-xxxx"
from = "104"
refuse = "not for visitors"
[[phone]]
extension = "105"
secret = "valley-2-yew"
forward = { busy = "102" }
`)
	for _, test := range []struct {
		name string
		q    Query
		want string
	}{
		{"a trunk", Query{From: caller(t, p, "101"), Dialed: "95551234"}, `
pstn 5551234 then sip +12015551234   by "town" (office.toml:46)
  1. dials 5551234 on trunk pstn as +12015550101  [office.toml:46]
     on unreachable, failure: 2
  2. dials +12015551234 on trunk sip as +12015550101  [office.toml:46]

how it was found:
  rule "visitors": passed over: it is not for phone 101  [office.toml:51]
> rule "town": matches 95551234: 5551234 on pstn, sip takes "local", a number without area code  [office.toml:46]`},
		{"a forwarding", Query{From: caller(t, p, "101"), Dialed: "105"}, `
105 then 102   by "105" (office.toml:56)
  1. rings 105  [office.toml:56]
     on busy: 2
  2. rings 102, forwarded by 105 (user-busy)  [office.toml:10]

how it was found:
> extension 105: a phone  [office.toml:56]
    forward.busy of 105: leads to 102  [office.toml:59]
>   extension 102: a phone  [office.toml:10]`},
		{"a refusal", Query{From: caller(t, p, "102"), Dialed: "955512"}, `
refused 484: 955512 is incomplete: rules of context "office" need more digits (office.toml)

how it was found:
  rule "town": passed over: 9 nxx-xxxx needs 2 more digits  [office.toml:46]
  rule "visitors": passed over: 9 nxx-xxxx needs 2 more digits  [office.toml:51]
> refused: 955512 is incomplete: rules of context "office" need more digits  [office.toml]`},
		{"with all rules", Query{From: caller(t, p, "102"), Dialed: "101", Why: true}, `
101   by "101" (office.toml:5)
  1. rings 101  [office.toml:5]

how it was found:
  rule "town": passed over: 9 nxx-xxxx wants 9 as digit 1, which is '1'  [office.toml:46]
  rule "visitors": passed over: 9 nxx-xxxx wants 9 as digit 1, which is '1'  [office.toml:51]
> extension 101: a phone  [office.toml:5]`},
		{"an emergency", Query{From: caller(t, p, "104"), Dialed: "911"}, `
pstn 911 then sip 911   by "emergency 911" (office.toml:41)
  an emergency call: it takes a busy line if none is free
  told: 101; place: "cellar"
  1. dials 911 on trunk pstn  [office.toml:41]
     on anything: 2
  2. dials 911 on trunk sip  [office.toml:41]

how it was found:
> emergency: 911 is an emergency number: no permission, schedule or limit holds it back  [office.toml:41]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			compareLines(t, explained(t, p, test.q), strings.TrimSpace(test.want))
		})
	}
}

// What a trunk dials before the number is no part of it: it changes neither what it
// means nor where it stands in a test.
func TestAccessIsExplained(t *testing.T) {
	p := plan(t, strings.Replace(phones+outside, `name = "pstn"`, "name = \"pstn\"\naccess = \"9w\"", 1))
	text := explained(t, p, Query{From: caller(t, p, "104"), Dialed: "911"})
	for _, want := range []string{"pstn 911 then", "1. dials 9w and 911 on trunk pstn"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestRouteAsJSON(t *testing.T) {
	p := plan(t, users+`
[[phone]]
extension = "X"
secret = "own-set-of-x"
forward = { busy = "UserB" }
`)
	route, trail := dials(t, p, "UserA", "X")
	text, err := json.Marshal(struct {
		Route Route `json:"route"`
		Trail Trail `json:"trail"`
	}{route, trail})
	if err != nil {
		t.Fatal(err)
	}
	const inside = `"ring":{"name":"inside","alert_info":"\u003curn:alert:source:internal\u003e"},`
	const want = `{"route":{"stages":[` +
		`{"targets":[{"kind":"phone","name":"X","pos":{"file":"office.toml","line":42}}],` + inside + `"on":["busy"],"pos":{"file":"office.toml","line":42}},` +
		`{"targets":[{"kind":"phone","name":"UserB","pos":{"file":"office.toml","line":29}}],` + inside + `"reason":"user-busy","by":"X",` +
		`"diversions":[{"by":"X","reason":"user-busy","pos":{"file":"office.toml","line":45}}],"pos":{"file":"office.toml","line":29}}],` +
		`"rule":"X","pos":{"file":"office.toml","line":42},"class":"internal"},"trail":[` +
		`{"rule":"extension X","pos":{"file":"office.toml","line":42},"verdict":"a phone","taken":true},` +
		`{"rule":"forward.busy of X","pos":{"file":"office.toml","line":45},"verdict":"leads to UserB","taken":false},` +
		`{"rule":"extension UserB","pos":{"file":"office.toml","line":29},"verdict":"a phone","taken":true}]}`
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
