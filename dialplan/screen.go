package dialplan

import "fmt"

// A callerPattern is an element of a screening list.
type callerPattern struct {
	text      string
	anonymous bool // callers without a number
	paths     []path
}

// callerPatterns compiles a list; a plain extension or name stands for itself.
func (c *compiler) callerPatterns(list []string, wrong func(text string, err error)) []callerPattern {
	var compiled []callerPattern
	for _, text := range list {
		p := callerPattern{text: text}
		switch {
		case text == "anonymous":
			p.anonymous = true
		case c.plan.extensions[text] != nil:
			p.paths = literal(text)
		default:
			var err error
			if p.paths, err = parsePattern(text); err != nil {
				wrong(text, err)
				continue
			}
		}
		compiled = append(compiled, p)
	}
	return compiled
}

// screened returns the pattern of a list that a caller is on, by the name or the
// number, as sent or as + and digits.
func (p *Plan) screened(list []callerPattern, c Caller) (callerPattern, bool) {
	if len(list) == 0 {
		return callerPattern{}, false
	}
	names := []string{c.Name, c.Number}
	if c.Kind != FromPhone {
		names[0] = "" // a line's name is not who calls
	}
	anonymous := c.Withheld || c.Kind != FromPhone && c.Number == ""
	if c.Withheld {
		names[1] = ""
	}
	return p.listed(list, anonymous, names...)
}

// listed returns the pattern that one of the names matches, as it is or as + and
// digits.
func (p *Plan) listed(list []callerPattern, anonymous bool, names ...string) (callerPattern, bool) {
	for _, name := range names[:len(names):len(names)] {
		if digits, ok := telephoneNumber(name); ok && digits != "" && len(digits) > 3 {
			names = append(names, digits)
			if global := p.country.e164(digits); global != "" {
				names = append(names, global)
			}
		}
	}
	for _, pattern := range list {
		if pattern.anonymous {
			if anonymous {
				return pattern, true
			}
			continue
		}
		for _, name := range names {
			if name != "" && matchesAny(pattern.paths, name) {
				return pattern, true
			}
		}
	}
	return callerPattern{}, false
}

func matchesAny(paths []path, number string) bool {
	for _, p := range paths {
		if p.matches(number) {
			return true
		}
	}
	return false
}

// The phrases of the 403 responses to screened calls, as the SIP service
// examples print them.
const (
	terminatingFailure = "Screening Failure (Terminating)"
	originatingFailure = "Screening Failure (Originating)"
)

// screens returns why an extension does not accept the caller, nil if it does.
func (p *Plan) screens(e *extension, c Caller) *Refusal {
	if e.phone == nil {
		return nil
	}
	refuse := func(key, why string) *Refusal {
		return &Refusal{Status: 403, Q850: 21, Phrase: terminatingFailure, Reason: fmt.Sprintf("phone %s does not accept calls from %s: %s", e.number, c, why), Pos: e.phone.Key(key)}
	}
	if pattern, ok := p.screened(e.refuse, c); ok {
		return refuse("refuse", fmt.Sprintf("%q is on its refuse list", pattern.text))
	}
	if e.accept != nil {
		if _, ok := p.screened(e.accept, c); !ok {
			return refuse("accept", "the caller is not on its accept list")
		}
	}
	return nil
}
