package lab

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"crosspoint/b2bua/leg"
)

//go:embed testdata/conformance-head.md
var pageHead string

// page is docs/conformance.md.
func page(done []*replay) string {
	var b strings.Builder
	b.WriteString(pageHead)
	b.WriteString("\n| Section | Service | Messages of the figure | Sent and received as there | What differs, and why |\n|---|---|---|---|---|\n")
	for _, r := range done {
		all := len(r.flow.msgs)
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s |\n", r.flow.section, r.title(), all, r.outcome(), r.differs())
	}
	b.WriteString("\n## The ladders\n\nDrawn from the messages that the phones sent and received, in the order of the draft.\n")
	for _, r := range done {
		fmt.Fprintf(&b, "\n### %s %s\n\n```\n%s```\n", r.flow.section, r.title(), r.figure())
	}
	return b.String()
}

// title is the section's, with what is at the other end where the draft leaves
// that open.
func (r *replay) title() string {
	title := strings.ReplaceAll(r.flow.title, "û", "-")
	switch {
	case r.section == "2.5" && r.gateway == "":
		return title + ", by a line of the exchange"
	case r.section == "2.5":
		return title + ", by another SIP gateway"
	}
	return title
}

func (r *replay) outcome() string {
	lines := 0
	for _, m := range r.flow.msgs {
		if from, to := r.ends(m); from == line || to == line {
			lines++
		}
	}
	switch n := len(r.flow.msgs); {
	case r.shown == n:
		return "all"
	case lines > 0:
		return fmt.Sprintf("%d; %d are line signals here", r.shown, lines)
	default:
		return fmt.Sprintf("%d", r.shown)
	}
}

func (r *replay) differs() string {
	notes := r.notes
	if notes == "" {
		notes = "nothing"
	}
	for _, n := range sortedKeys(r.errata) {
		if e := r.errata[n]; !strings.Contains(e[0], "Ringing") {
			notes += fmt.Sprintf(" (F%d prints %s where %s is meant)", n, e[0], e[1])
		}
	}
	return notes
}

// figure draws what was sent and received. Each phone's column has been held
// against the wire; the order between columns is the draft's.
func (r *replay) figure() string {
	var l leg.Ladder
	for _, m := range r.flow.msgs {
		from, to := r.ends(m)
		if slices.Contains(r.absent, m.n) || from == line || to == line {
			continue
		}
		m.text = r.text(m)
		l.Add(from, to, draw(message(m.text)))
	}
	return l.Figure(false)
}

func sortedKeys[V any](m map[int]V) (keys []int) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
