package dialplan

import (
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	for _, test := range []struct{ pattern, yes, no string }{
		{"101", "101", "10 1011 102"},
		{"1xx", "100 199", "10 1000 200 1*0"},
		{"zn", "12 99", "02 11 10"},
		{"[2-57]1", "21 51 71", "11 61 81"},
		{"9 nxx-xxxx", "92345678", "91345678 9234567"},
		{"(12|13)4", "124 134", "144 1 12134"},
		{"(1|)nxx", "1234 234", "134 11234"},
		{"((1|2)3|4)5", "135 235 45", "5 15 4135"},
		{"0.", "01 0123456789 0*#", "0 1 0+1 0a"},
		{".", "1 *43 0123456789", "+1 a UserB"},
		{"+49.", "+491 +4930123456", "+49 4930 +48123"},
		{"*7[23]x", "*720 *739", "*710 *7 720"},
		{"'UserB'", "UserB", "userb UserB1"},
		{"'line-'xx", "line-12", "line-1 line-ab"},
		{"XZN", "012 999", "902 091"},
	} {
		paths, err := parsePattern(test.pattern)
		if err != nil {
			t.Errorf("%q: %v", test.pattern, err)
			continue
		}
		for _, n := range strings.Fields(test.yes) {
			if !matchesAny(paths, n) {
				t.Errorf("%q does not match %q: it %s", test.pattern, n, miss(paths, n))
			}
		}
		for _, n := range append(strings.Fields(test.no), "") {
			if matchesAny(paths, n) {
				t.Errorf("%q matches %q", test.pattern, n)
			}
		}
	}
}

func TestPatternRefuses(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                          "matches the empty number",
		" ":                         "matches the empty number",
		"(1|)":                      "matches the empty number",
		"1y":                        `the letter 'y' means nothing in a pattern: x is 0-9, z 1-9, n 2-9; a name stands in single quotes`,
		"1/2":                       `'/' means nothing`,
		"[2-":                       "a [ is not closed",
		"[5-2]":                     "the range 5-2 in [5-2] does not rise",
		"[ab]":                      "may hold digits, * and #",
		"[]":                        "[] holds no digit",
		"(12":                       "a ( is not closed",
		"12)":                       `')' without its opening bracket`,
		"1|2":                       "alternatives stand in brackets",
		"1.2":                       "nothing can follow it",
		"'ab":                       "a ' is not closed",
		"''":                        "a name in quotes has 1 to 64 letters",
		strings.Repeat("(", 99):     "nested too deeply",
		strings.Repeat("(1|2)", 12): "multiply to more than 512",
		strings.Repeat("x", 65):     "longer than any number",
	} {
		if _, err := parsePattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", pattern, err, want)
		}
	}
}

func TestMiss(t *testing.T) {
	for _, test := range []struct{ pattern, number, want string }{
		{"9nxxxxxx", "9555123", "needs 1 more digit"},
		{"9nxxxxxx", "95", "needs 6 more digits"},
		{"9nxxxxxx", "955512345", "is 1 digit shorter than the number"},
		{"9nxxxxxx", "91551234", `wants 2-9 as digit 2, which is '1'`},
		{"0.", "0", "needs one more digit at least"},
		{"(12|345)6", "347", `wants 5 as digit 3, which is '7'`},
	} {
		paths, err := parsePattern(test.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := miss(paths, test.number); got != test.want {
			t.Errorf("%s dialled for %s: it %s, want %q", test.number, test.pattern, got, test.want)
		}
	}
}

// Whatever is written as a pattern is refused or compiled, and what it compiles
// to is found again in the tree.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"9nxxxxxx", "(1|)nxxnxxxxxx", "[2-57]z.", "'UserB'", "*7[23]x", "+49.", "((1|2)3|4)5"} {
		f.Add(s, "5551234")
	}
	f.Fuzz(func(t *testing.T, pattern, number string) {
		paths, err := parsePattern(pattern)
		if err != nil {
			return
		}
		var root node
		e := &entry{paths: paths, service: &service{}}
		for _, p := range paths {
			root.insert(p, e)
		}
		root.sort()
		v := &counter{}
		root.walk(number, v)
		if (v.n > 0) != (number != "" && matchesAny(paths, number)) {
			t.Fatalf("%q and %q: the tree finds %d, the pattern matches: %v", pattern, number, v.n, matchesAny(paths, number))
		}
	})
}

type counter struct{ n int }

func (c *counter) visit(*entry) bool { c.n++; return false }
