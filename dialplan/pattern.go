package dialplan

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"
)

// A set is a set of bytes that a place of a pattern accepts.
type set [4]uint64

func (s *set) add(c byte)     { s[c>>6] |= 1 << (c & 63) }
func (s set) has(c byte) bool { return s[c>>6]&(1<<(c&63)) != 0 }
func (s set) size() (n int) {
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

func digitsOf(s string) (d set) {
	for i := range len(s) {
		d.add(s[i])
	}
	return d
}

// The classes of digits, and what an open end accepts.
var (
	anyDigit = digitsOf("0123456789")   // x
	notZero  = digitsOf("123456789")    // z
	fromTwo  = digitsOf("23456789")     // n
	anyKey   = digitsOf("0123456789*#") // .
)

// A path is one way through a pattern: the sets that the number's places must
// be in, and whether any more digits follow (one at least).
type path struct {
	sets []set
	open bool
}

// maxPaths bounds what the alternatives of one pattern multiply to.
const maxPaths = 512

// parsePattern reads a pattern: digits, * # and + stand for themselves; x is
// any digit, z 1 to 9, n 2 to 9, [2-57] one of a set; (12|13) alternatives, of
// which one may be empty; . at the end any digits, one at least; 'name' stands
// for itself. Blanks and hyphens are only for the eye.
func parsePattern(pattern string) ([]path, error) {
	p := patternParser{text: pattern}
	paths, err := p.alternatives(0)
	if err != nil {
		return nil, err
	}
	if p.at < len(p.text) {
		return nil, fmt.Errorf("there is a %q without its opening bracket", p.text[p.at])
	}
	for _, path := range paths {
		if len(path.sets) == 0 && !path.open {
			return nil, errors.New("it matches the empty number; write at least one digit")
		}
		if len(path.sets) > maxName {
			return nil, fmt.Errorf("it is longer than any number: %d places", len(path.sets))
		}
	}
	return paths, nil
}

type patternParser struct {
	text string
	at   int
}

// alternatives reads up to the end, or to the bracket that closes depth.
func (p *patternParser) alternatives(depth int) ([]path, error) {
	if depth > 8 {
		return nil, errors.New("brackets are nested too deeply")
	}
	var all []path
	current := []path{{}}
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ')':
			if depth == 0 {
				return current, nil
			}
			return append(all, current...), nil
		case '|':
			if depth == 0 {
				return nil, errors.New("alternatives stand in brackets: (12|13)")
			}
			p.at++
			all, current = append(all, current...), []path{{}}
			continue
		}
		tails, err := p.item(depth)
		if err != nil {
			return nil, err
		}
		if current, err = product(current, tails); err != nil {
			return nil, err
		}
	}
	if depth > 0 {
		return nil, errors.New("a ( is not closed")
	}
	return current, nil
}

// item reads one element.
func (p *patternParser) item(depth int) ([]path, error) {
	c := p.text[p.at]
	p.at++
	switch {
	case c >= '0' && c <= '9', c == '*', c == '#', c == '+':
		return one(digitsOf(string(c))), nil
	case c == 'x' || c == 'X':
		return one(anyDigit), nil
	case c == 'z' || c == 'Z':
		return one(notZero), nil
	case c == 'n' || c == 'N':
		return one(fromTwo), nil
	case c == ' ' || c == '-':
		return []path{{}}, nil
	case c == '.':
		return []path{{open: true}}, nil
	case c == '[':
		s, err := p.class()
		return one(s), err
	case c == '\'':
		return p.name()
	case c == '(':
		paths, err := p.alternatives(depth + 1)
		p.at++ // the closing bracket
		return paths, err
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return nil, fmt.Errorf("the letter %q means nothing in a pattern: x is 0-9, z 1-9, n 2-9; a name stands in single quotes, 'name'", c)
	}
	return nil, fmt.Errorf("%q means nothing in a pattern", c)
}

func one(s set) []path { return []path{{sets: []set{s}}} }

// class reads a set after its opening bracket.
func (p *patternParser) class() (set, error) {
	var s set
	body, rest, ok := strings.Cut(p.text[p.at:], "]")
	if !ok {
		return s, errors.New("a [ is not closed")
	}
	p.at = len(p.text) - len(rest)
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case !anyKey.has(c):
			return s, fmt.Errorf("[%s] may hold digits, * and #, and ranges such as 2-5", body)
		case i+2 < len(body) && body[i+1] == '-':
			last := body[i+2]
			if c < '0' || c > '9' || last < '0' || last > '9' || last < c {
				return s, fmt.Errorf("the range %s in [%s] does not rise from one digit to another", body[i:i+3], body)
			}
			for ; c <= last; c++ {
				s.add(c)
			}
			i += 2
		default:
			s.add(c)
		}
	}
	if s.size() == 0 {
		return s, errors.New("[] holds no digit")
	}
	return s, nil
}

// name reads a literal after its opening quote.
func (p *patternParser) name() ([]path, error) {
	name, rest, ok := strings.Cut(p.text[p.at:], "'")
	if !ok {
		return nil, errors.New("a ' is not closed")
	}
	p.at = len(p.text) - len(rest)
	if name == "" || len(name) > maxName {
		return nil, fmt.Errorf("a name in quotes has 1 to %d letters", maxName)
	}
	return literal(name), nil
}

// literal is the pattern of exactly one number or name.
func literal(name string) []path {
	sets := make([]set, len(name))
	for i := range sets {
		sets[i].add(name[i])
	}
	return []path{{sets: sets}}
}

// product puts each tail behind each head.
func product(heads, tails []path) ([]path, error) {
	if len(tails) == 1 && !tails[0].open && len(tails[0].sets) == 0 {
		return heads, nil
	}
	if len(heads)*len(tails) > maxPaths {
		return nil, fmt.Errorf("its alternatives multiply to more than %d; write several rules", maxPaths)
	}
	out := make([]path, 0, len(heads)*len(tails))
	for _, h := range heads {
		if h.open {
			return nil, errors.New(". stands for all further digits: nothing can follow it")
		}
		for _, t := range tails {
			sets := make([]set, 0, len(h.sets)+len(t.sets))
			out = append(out, path{sets: append(append(sets, h.sets...), t.sets...), open: t.open})
		}
	}
	return out, nil
}

// matches tells whether the number fits the path. It is the definition that the
// tree must agree with.
func (p path) matches(number string) bool {
	if len(number) < len(p.sets) || !p.open && len(number) != len(p.sets) || p.open && len(number) == len(p.sets) {
		return false
	}
	for i := range len(number) {
		switch {
		case i < len(p.sets) && !p.sets[i].has(number[i]), i >= len(p.sets) && !anyKey.has(number[i]):
			return false
		}
	}
	return true
}

// before tells whether the path decides before another that matches the same
// number: at the first place where they differ the one that accepts fewer
// digits, an open end last.
func (p path) before(q path) (before, same bool) {
	for i := range max(len(p.sets), len(q.sets)) {
		switch {
		case i >= len(p.sets):
			return false, false // p's open end against a set of q's
		case i >= len(q.sets):
			return true, false
		case p.sets[i] == q.sets[i]:
			continue
		}
		return less(p.sets[i], q.sets[i]), false
	}
	if p.open != q.open {
		return !p.open, false
	}
	return false, true
}

// less orders sets: fewer digits first, then the lower ones, so that the order
// is total.
func less(a, b set) bool {
	if n, m := a.size(), b.size(); n != m {
		return n < m
	}
	for i := range a {
		if a[i] != b[i] {
			return bits.TrailingZeros64(a[i]^b[i]) == bits.TrailingZeros64(a[i]&^b[i])
		}
	}
	return false
}

// miss explains why the number does not fit any of the paths, by the one that
// comes furthest.
func miss(paths []path, number string) string {
	best, why := -1, ""
	for _, p := range paths {
		at := 0
		for at < len(number) && at < len(p.sets) && p.sets[at].has(number[at]) {
			at++
		}
		if at <= best {
			continue
		}
		best = at
		switch left := len(p.sets) - at; {
		case at == len(number) && p.open && left == 0:
			why = "needs one more digit at least"
		case at == len(number):
			why = fmt.Sprintf("needs %d more digit%s", left, plural(left))
		case at == len(p.sets) && !p.open:
			n := len(number) - at
			why = fmt.Sprintf("is %d digit%s shorter than the number", n, plural(n))
		case at == len(p.sets):
			why = "continues with digits only"
		default:
			why = fmt.Sprintf("wants %s as digit %d, which is %q", p.sets[at], at+1, number[at])
		}
	}
	return why
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// String lists the set's bytes: "2-9".
func (s set) String() string {
	var b strings.Builder
	for c := 0; c < 256; c++ {
		if !s.has(byte(c)) {
			continue
		}
		first := c
		for c < '9' && c >= '0' && s.has(byte(c+1)) {
			c++
		}
		switch c - first {
		case 0:
			b.WriteByte(byte(c))
		case 1:
			b.WriteString(string(rune(first)) + string(rune(c)))
		default:
			b.WriteString(string(rune(first)) + "-" + string(rune(c)))
		}
	}
	return b.String()
}
