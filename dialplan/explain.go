package dialplan

import (
	"fmt"
	"strings"
	"time"
)

// Explain tells people what a route does and how it was found: a line for the
// route, one for each stage, and the trail. Ask with Query.Why for a trail that
// names all rules.
func Explain(route Route, trail Trail) string {
	var b strings.Builder
	switch {
	case route.Refusal != nil:
		fmt.Fprintf(&b, "refused %s\n", route.Refusal)
	default:
		explainRoute(&b, route)
	}
	if len(trail) > 0 {
		b.WriteString("\nhow it was found:\n" + trail.String())
	}
	return b.String()
}

func explainRoute(b *strings.Builder, route Route) {
	fmt.Fprintf(b, "%s", route)
	if route.Rule != "" {
		fmt.Fprintf(b, "   by %q", route.Rule)
	}
	if at := route.Pos.String(); at != "" {
		fmt.Fprintf(b, " (%s)", at)
	}
	b.WriteByte('\n')
	if route.Emergency {
		b.WriteString("  an emergency call: it takes a busy line if none is free\n")
		if route.Notice != nil && len(route.Notice.Extensions) > 0 {
			fmt.Fprintf(b, "  told: %s; place: %q\n", strings.Join(route.Notice.Extensions, ", "), route.Notice.Place)
		}
	}
	if route.MaxTalk > 0 {
		fmt.Fprintf(b, "  ends after %v: the day's toll calls are used up then\n", route.MaxTalk)
	}
	for i, s := range route.Stages {
		explainStage(b, route, i, s)
	}
}

func explainStage(b *strings.Builder, route Route, i int, s Stage) {
	var targets []string
	for _, t := range s.Targets {
		targets = append(targets, t.describe(route.From))
	}
	fmt.Fprintf(b, "  %d. %s", i+1, strings.Join(targets, " and "))
	if s.RingFor > 0 {
		fmt.Fprintf(b, ", for %v", s.RingFor.Round(time.Millisecond))
	}
	if s.Ring.Name != RingInside && s.Ring.Name != RingOutside && s.Ring.Name != "" {
		fmt.Fprintf(b, ", ring %q", s.Ring.Name)
	}
	if s.Reason != "" {
		fmt.Fprintf(b, ", forwarded by %s (%s)", s.By, s.Reason)
	}
	if at := s.Pos.String(); at != "" {
		fmt.Fprintf(b, "  [%s]", at)
	}
	b.WriteByte('\n')
	groups := map[int]Condition{}
	var order []int
	for bit := range conditions {
		if next, ok := route.Next(i, 1<<bit); ok {
			if groups[next] == 0 {
				order = append(order, next)
			}
			groups[next] |= 1 << bit
		}
	}
	for _, next := range order {
		fmt.Fprintf(b, "     on %s: %d\n", groups[next], next+1)
	}
}

// describe is the target in words.
func (t Target) describe(from Presentation) string {
	if t.From != (Presentation{}) {
		from = t.From
	}
	shown := ""
	switch {
	case from.Withheld:
		shown = " without showing a number"
	case from.Number != "":
		shown = " as " + from.Number
	}
	switch t.Kind {
	case ToPhone:
		return "rings " + t.Name + shown
	case ToTrunk:
		before := ""
		if t.Access != "" {
			before = t.Access + " and "
		}
		return fmt.Sprintf("dials %s%s on trunk %s%s", before, t.Number, t.Name, shown)
	case ToSIPAddress:
		return "calls " + t.URI + shown
	}
	return strings.TrimSpace("does " + t.Name + " " + t.Number)
}
