package dialplan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"crosspoint/internal/tomlfile"
)

// TimeLayout is how times of day are written in tests and asked for.
const TimeLayout = "2006-01-02 15:04"

// testDay is when a test takes place that does not say: a Monday at noon.
const testDay = "2026-01-05 12:00"

// runTests holds the plan against its own tests.
func (p *Plan) runTests() []tomlfile.Problem {
	var problems []tomlfile.Problem
	for i := range p.config.Tests {
		t := &p.config.Tests[i]
		q, err := p.testQuery(t)
		if err != nil {
			problems = append(problems, t.Pos.Problem("test: %v", err))
			continue
		}
		route, _ := p.Match(q)
		problems = append(problems, p.testRing(t, route)...)
		if got := route.String(); !expected(t.Expect, got) {
			why := ""
			if route.Refusal != nil {
				why = ": " + route.Refusal.Reason
			} else if at := route.Pos.String(); at != "" {
				why = fmt.Sprintf(" by %q (%s)", route.Rule, at)
			}
			problems = append(problems, t.KeyProblem("expect", "test: %s dialling %q at %s: expected %q, got %q%s", t.From, t.Dial, q.At.Format(TimeLayout), t.Expect, got, why))
		}
	}
	return problems
}

// testRing holds the ring of a route's first phones against a test that has one.
func (p *Plan) testRing(t *Test, route Route) []tomlfile.Problem {
	got := "no telephone rings"
	if len(route.Stages) > 0 && slices.ContainsFunc(route.Stages[0].Targets, func(t Target) bool { return t.Kind == ToPhone }) {
		got = route.Stages[0].Ring.Name
	}
	switch _, known := p.rings[t.Ring]; {
	case t.Ring == "" || t.Ring == got:
		return nil
	case !known:
		return []tomlfile.Problem{t.KeyProblem("ring", "test: ring = %q is no distinctive ring%s", t.Ring, tomlfile.Suggest(t.Ring, p.ringNames()))}
	}
	return []tomlfile.Problem{t.KeyProblem("ring", "test: %s dialling %q: expected ring %q, got %q", t.From, t.Dial, t.Ring, got)}
}

// expected tells whether a route is as expected; "refused" is any refusal.
func expected(want, got string) bool {
	want = strings.Join(strings.Fields(want), " ")
	return want == got || want == "refused" && strings.HasPrefix(got, "refused ")
}

func (p *Plan) testQuery(t *Test) (Query, error) {
	from, ok := p.Caller(t.From)
	if !ok {
		return Query{}, fmt.Errorf("from = %q is no phone, line or peer, nor stranger%s", t.From, tomlfile.Suggest(t.From, p.Callers()))
	}
	switch t.Caller {
	case "":
	case "anonymous":
		from.Withheld = true
	default:
		from.Number = t.Caller
	}
	at := t.At
	if at == "" {
		at = testDay
	}
	when, err := p.ParseTime(at)
	if err != nil {
		return Query{}, err
	}
	for _, b := range t.Busy {
		if p.extensions[b] == nil {
			return Query{}, fmt.Errorf("busy = %q is no extension%s", b, tomlfile.Suggest(b, p.Callers()))
		}
	}
	return Query{From: from, Dialed: t.Dial, At: when, Busy: func(e string) bool { return slices.Contains(t.Busy, e) }}, nil
}

// ParseTime reads a time of the office: 2026-03-02 10:00, or as RFC 3339 writes
// it.
func (p *Plan) ParseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	t, err := time.ParseInLocation(TimeLayout, s, p.zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time: write date and time such as %s", s, testDay)
	}
	return t, nil
}
