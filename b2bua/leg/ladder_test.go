package leg

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFigure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Ladder
		l.In("101", "INVITE")
		l.Out("fxo1", "off-hook")
		time.Sleep(300 * time.Millisecond)
		l.In("fxo1", "dial tone")
		l.Out("101", "183 (SDP)")
		l.In("101", "BYE")
		want := strings.TrimPrefix(`
                101             b2bua              fxo1
   0.000          |----INVITE---->|                 |
   0.000          |               |----off-hook---->|
   0.300          |               |<---dial tone----|
   0.300          |<--183 (SDP)---|                 |
   0.300          |------BYE----->|                 |
`, "\n")
		if got := l.Figure(true); squeeze(got) != squeeze(want) {
			t.Errorf("figure is\n%swant\n%s", got, want)
		}
		if got := l.String(); !strings.HasPrefix(got, "101 -> b2bua") || strings.Count(got, "\n") != 5 {
			t.Errorf("list is\n%s", got)
		}
	})
}

// squeeze folds runs of blanks and of dashes, whose number is a matter of taste.
func squeeze(s string) string {
	var b strings.Builder
	last := rune(0)
	for _, r := range s {
		if r != last || (r != ' ' && r != '-') {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

func TestFigureOfAwkwardLadders(t *testing.T) {
	if got := new(Ladder).Figure(false); got != "" {
		t.Errorf("an empty ladder draws %q", got)
	}
	var nilLadder *Ladder
	nilLadder.In("a", "b") // takes nothing
	if nilLadder.Rungs() != nil {
		t.Error("a nil ladder has rungs")
	}
	var l Ladder
	l.In("a party with quite a long name indeed, longer than a column", strings.Repeat("INVITE ", 30))
	l.Add("x", "x", "alone")
	if got := l.Figure(false); !strings.Contains(got, "…") || !strings.Contains(got, "alone") {
		t.Errorf("figure is\n%s", got)
	}
	for range maxRungs + 7 {
		l.In("a", "INVITE")
	}
	if got := l.Figure(false); !strings.Contains(got, "and 9 more") {
		t.Errorf("a ladder that is too long does not say so")
	}
}

func TestColumnsStandAsInTheStandard(t *testing.T) {
	var l Ladder
	l.Out("102", "INVITE") // the first arrow may be ours
	l.In("101", "BYE")
	got := columns(l.Rungs())
	if strings.Join(got, " ") != "102 b2bua 101" {
		t.Errorf("columns %v", got)
	}
}

// What led to a call stands in its ladder where it happened, with what follows.
func TestLadderLeadsToAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var call, taker Ladder
		call.In("101", "INVITE")
		time.Sleep(time.Second)
		taker.In("103", "INVITE (Replaces)")
		time.Sleep(time.Second)
		call.In("101", "INVITE (hold)")
		taker.Lead(&call)
		taker.Out("103", "200")
		call.In("101", "BYE")
		var got []string
		for _, r := range call.Rungs() {
			got = append(got, r.Text)
		}
		if want := "INVITE, INVITE (Replaces), INVITE (hold), 200, BYE"; strings.Join(got, ", ") != want {
			t.Errorf("%s, want %s", strings.Join(got, ", "), want)
		}
		taker.Lead(nil) // draws nothing anywhere
	})
}
