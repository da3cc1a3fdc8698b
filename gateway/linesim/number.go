package linesim

import (
	"fmt"
	"strings"

	"crosspoint/media/tone"
)

// A FurtherNumber is one more number of a line, which rings it in a cadence of
// its own, as telephone companies sell it ("distinctive ringing").
type FurtherNumber struct {
	Number  string
	Cadence Cadence // nil: the country's, as the line's own number rings
}

// furtherMost is how many further numbers a line may have.
const furtherMost = 4

// defaultLines are those of a Config that names no lines: the first has two
// further numbers.
func defaultLines(country tone.Country) []LineConfig {
	var cfg LineConfig
	for i, name := range []string{"dr2", "dr3"} {
		ring, _ := country.Ring(name)
		cfg.Further = append(cfg.Further, FurtherNumber{Number: fmt.Sprintf("555%d001", 3+i), Cadence: ring})
	}
	return []LineConfig{cfg}
}

// checkFurther tells what is wrong with the further numbers of a line; taken
// tells whose a number is already, empty: nobody's.
func checkFurther(further []FurtherNumber, taken func(number string) string) error {
	if len(further) > furtherMost {
		return fmt.Errorf("%d further numbers: a line has up to %d", len(further), furtherMost)
	}
	for i, f := range further {
		if f.Number == "" || strings.Trim(f.Number, "0123456789") != "" {
			return fmt.Errorf("number %q: write digits only", f.Number)
		}
		whose := taken(f.Number)
		for _, other := range further[:i] {
			if other.Number == f.Number {
				whose = "this line's"
			}
		}
		if whose != "" {
			return fmt.Errorf("number %s is %s already", f.Number, whose)
		}
		if err := f.Cadence.check(); err != nil {
			return fmt.Errorf("number %s: %w", f.Number, err)
		}
	}
	return nil
}

// whose tells which line's a number is; empty: nobody's, or this one's further
// number.
func (l *Line) whose(number string) string {
	if number == l.number {
		return "this line's"
	}
	for _, other := range l.sim.town.lines {
		if other != l && other.has(number) {
			return "line " + other.name + "'s"
		}
	}
	return ""
}

// has tells whether a number is one of the line's.
func (l *Line) has(number string) bool {
	_, ok := l.further(number)
	return ok || l.number == number
}

// further is the further number of the line with these digits.
func (l *Line) further(number string) (f FurtherNumber, ok bool) {
	for _, f := range l.cfg.Further {
		if f.Number == number {
			return f, true
		}
	}
	return FurtherNumber{}, false
}

// cadence is how a call to one of the line's numbers rings it.
func (l *Line) cadence(number string) Cadence {
	if f, _ := l.further(number); f.Cadence != nil {
		return f.Cadence
	}
	return l.sim.country.Bell
}
