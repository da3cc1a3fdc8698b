package modem

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crosspoint/gateway/jack"
)

// A listener writes down what a port tells of rings.
type listener struct{ told []string }

func (l *listener) Tick(_, _ []byte, _ uint64) {}
func (l *listener) Changed(c jack.Change) {
	s := c.What.String()
	if c.For > 0 {
		s += " " + c.For.String()
	}
	if c.State.Untimed {
		s += " untimed"
	}
	l.told = append(l.told, s)
}

// TestRingReports: what modems say of a ring, in the ways that they do, and what is
// told of it.
func TestRingReports(t *testing.T) {
	for name, c := range map[string]struct {
		says string // lines; a number is a wait in tenths of a second
		want string
	}{
		"each as it happens": {"DRON=8 4 DROF=4 8 DRON=8 5 RING 35 DROF=40 8 DRON=8",
			"ring on|ring off 800ms|ring on 400ms|ring off 800ms|ring on 4s|ring off 800ms"},
		"the pause before the first ring": {"DROF=38 14 DRON=14 5 RING", "ring on|ring off 1.4s"},
		"a whole ring at its end":         {"DROF=40 DRON=8 DROF=4 DRON=8 RING", "ring on|ring off 800ms|ring on 400ms|ring off 800ms"},
		"other spellings":                 {"dron=20 1 DROF=~3 3 DRON=~3", "ring on|ring off 2s|ring on 300ms|ring off 300ms"},
		"RING as a ring begins":           {"RING 20 DRON=20", "ring on|ring off 2s"},
		"a pause that no ring follows":    {"DROF=255 100", ""},
		"a pause without end, after a ring": {"DRON=20 60 DROF=60 70 RING",
			"ring on|ring off 2s|ring on 6s|ring off"}, // RING may have a report yet
		"RING and no report": {"RING 24", ""},
		"no report for long": {"RING 26 10 RING", "ring on untimed|ring off untimed|ring on untimed"},
		"reports after all":  {"RING 26 10 DRON=5", "ring on untimed|ring off untimed|ring on|ring off 500ms"},
		"nonsense":           {"DRON= DRON=x DROF=99999 DRONE=1", ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := &listener{}
			m := &Modem{log: slog.New(slog.DiscardHandler), handler: l, up: true, state: idle, family: &families[len(families)-1]}
			m.cadence = cadence{wanted: true, asked: true, timed: true}
			time.Sleep(time.Minute)
			for word := range strings.FieldsSeq(c.says) {
				if d, err := time.ParseDuration(word + "00ms"); err == nil {
					for range d / (100 * time.Millisecond) {
						time.Sleep(100 * time.Millisecond)
						m.expire(time.Now())
					}
					continue
				}
				m.line(strings.ReplaceAll(word, "~", " "))
			}
			var want []string
			if c.want != "" {
				want = strings.Split(c.want, "|")
			}
			if !slices.Equal(l.told, want) {
				t.Errorf("%s: told %q, want %q", name, l.told, want)
			}
		})
	}
}
