package sipleg

import (
	"fmt"
	"strings"
	"testing"

	"crosspoint/b2bua/leg"
)

// A forwarded call tells by whom, as Diversion and as History-Info (RFC 7044
// §5, with the causes of RFC 4458).
func TestHistoryInfo(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		e := f.dial("sip:102@127.0.0.1:5072", func(o *leg.Outgoing) {
			o.Diversions = []leg.Diversion{
				{By: leg.Party{Number: "200", Name: "Sales"}, Reason: "user-busy"},
				{By: leg.Party{Number: "201", Withheld: true}, Reason: "unconditional"},
				{By: leg.Party{Number: "+4930123", Host: "itsp.example"}, Reason: "follow-me"},
			}
		})
		m := p.Expect("INVITE")
		want := `<sip:+4930123@itsp.example>;index=1, ` +
			`<sip:201@127.0.0.1;cause=404?Privacy=history>;index=1.1;mp=1, ` +
			`"Sales" <sip:200@127.0.0.1;cause=302?Reason=SIP%3Bcause%3D486>;index=1.1.1;mp=1.1, ` +
			`<sip:102@127.0.0.1:5072;cause=486>;index=1.1.1.1;mp=1.1.1`
		if got := m.Get("History-Info"); got != want {
			t.Errorf("History-Info: %s\nwant %s", got, want)
		}
		if n := len(m.All("Diversion")); n != 3 {
			t.Errorf("%d Diversions", n)
		}
		p.Respond(m, 486)
		p.Expect("ACK")
		e.expect("HungUp 17")
	})
}

// To a phone of ours the history names its number first, then the place where
// it is. A call that nobody forwarded has no history.
func TestHistoryOfAPhone(t *testing.T) {
	play(t, nil, func(f *fixture) {
		p := f.phone("102", 5072)
		p.Register()
		for _, list := range [][]leg.Diversion{nil, {{By: leg.Party{Number: "101"}, Reason: "no-answer"}}} {
			e := f.extension("102", func(o *leg.Outgoing) { o.Diversions = list })
			m := p.Expect("INVITE")
			want := ""
			if list != nil {
				want = `<sip:101@127.0.0.1?Reason=SIP%3Bcause%3D408>;index=1, <sip:102@127.0.0.1;cause=408>;index=1.1;mp=1, ` +
					`<sip:102@127.0.0.1:5072>;index=1.1.1;rc=1.1`
			}
			if got := m.Get("History-Info"); got != want {
				t.Errorf("History-Info: %s\nwant %s", got, want)
			}
			p.Respond(m, 486)
			p.Expect("ACK")
			e.expect("HungUp 17")
		}
	})
}

// By whom an incoming call was forwarded is read from either header.
func TestForwardedOnTheWay(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []string
		want    string // "by reason", latest first
	}{
		{"none", nil, ""},
		{"history alone", []string{`History-Info: <sip:bob@b.example?Reason=SIP%3Bcause%3D302>;index=1, <sip:carol@c.example;cause=302>;index=1.1;mp=1`},
			"bob@b.example unconditional"},
		{"places of a user", []string{`History-Info: "Bob, jr" <sip:bob@b.example>;index=1,` +
			` <sip:bob@10.0.0.9?Reason=SIP%3Bcause%3D486>;index=1.1;rc=1, <sip:carol@c.example;cause=486>;index=1.2;mp=1.1`},
			`bob@b.example "Bob, jr" user-busy`},
		{"causes left out", []string{`History-Info: <sip:bob@b.example?Reason=SIP%3Bcause%3D408>;index=1, <sip:carol@c.example>;index=1.1;mp=1`},
			"bob@b.example no-answer"},
		{"two, hidden", []string{`History-Info: <sip:bob@b.example?Privacy=history>;index=1, <sip:carol@c.example;cause=487>;index=1.1;mp=1, <sip:dave@d.example;cause=404>;index=1.1.1;mp=1.1`},
			"carol@c.example unknown, withheld deflection"},
		{"Diversion tells more", []string{`Diversion: <sip:x@x.example>;reason=user-busy;privacy=full`, `History-Info: <sip:y@y.example>;index=1`},
			"withheld user-busy"},
		{"nobody forwarded", []string{`History-Info: <sip:bob@b.example>;index=1, <sip:bob@10.0.0.9>;index=1.1;rc=1`}, ""},
		{"a circle", []string{`History-Info: <sip:a@a.example>;index=1;mp=1.1, <sip:b@b.example>;index=1.1;mp=1`}, "a@a.example unknown"},
		{"nonsense", []string{`History-Info: <sip:a@a.example>;index=one, garbage, <sip:;index=2, <sip:b@b.example>`}, ""},
		{"a gap", []string{`History-Info: <sip:a@a.example>;index=1, <sip:b@b.example;cause=302>;index=1.1.1;mp=1.1`}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(f *fixture) {
				p := f.trunk()
				d := p.Dial("101")
				d.Request("INVITE", append(c.headers, sdpAt(4000))...)
				e := f.incoming()
				var got []string
				for _, d := range e.in.Diversions {
					got = append(got, fmt.Sprintf("%s %s", d.By, d.Reason))
				}
				if s := strings.Join(got, ", "); s != c.want {
					t.Errorf("%q, want %q", s, c.want)
				}
				e.Hangup(leg.Busy)
				d.Ack(p.Expect("486"))
			})
		})
	}
}
