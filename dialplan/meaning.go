package dialplan

import (
	"cmp"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// A meaning is what a public number is. It does not change once it is found.
type meaning struct {
	class    Permission
	why      string                    // how class was found, for the trail
	number   *phonenumbers.PhoneNumber // nil: nothing that the country knows
	e164     string                    // + and digits; empty: the country does not know it
	national string                    // what a subscriber of the country dials
}

// meanings are those of numbers dialled before: to find one takes longer than
// all else that a plan does. Everybody who routes shares them.
type meanings struct {
	mu sync.Mutex
	of map[string]*meaning
}

// maxMet is how many numbers are remembered; then it begins anew. Those that an
// office dials in some weeks are fewer.
const maxMet = 4096

// mean tells what a number dialled on the public network means.
func (c country) mean(digits string) *meaning {
	if c.met == nil {
		return c.understand(digits)
	}
	c.met.mu.Lock()
	defer c.met.mu.Unlock()
	m := c.met.of[digits]
	if m == nil {
		m = c.understand(digits)
		if len(c.met.of) >= maxMet || c.met.of == nil {
			c.met.of = make(map[string]*meaning)
		}
		c.met.of[strings.Clone(digits)] = m
	}
	return m
}

// understand finds out what a number means, and how it is written.
func (c country) understand(digits string) *meaning {
	m := c.find(digits)
	if m.number != nil && phonenumbers.IsPossibleNumber(m.number) {
		m.e164 = phonenumbers.Format(m.number, phonenumbers.E164)
	}
	switch {
	case m.number == nil || !strings.HasPrefix(digits, "+"):
		m.national = strings.Clone(digits)
	case int(m.number.GetCountryCode()) == phonenumbers.GetCountryCodeForRegion(c.region):
		m.national = phonenumbers.GetNddPrefixForRegion(c.region, true) + phonenumbers.GetNationalSignificantNumber(m.number)
	default:
		m.national = phonenumbers.NormalizeDigitsOnly(phonenumbers.FormatOutOfCountryCallingNumber(m.number, c.region))
	}
	return &m
}

// e164 returns the number as + and digits, or empty if the country does not
// know it.
func (c country) e164(digits string) string { return c.mean(digits).e164 }

// national returns the digits that a subscriber of the country dials.
func (c country) national(digits string) string { return c.mean(digits).national }

// A publicNumber is a number as dialled on the public network, whose meaning is
// found when it is asked for.
type publicNumber struct {
	country country
	digits  string
	meant   *meaning
}

func (n *publicNumber) mean() *meaning {
	if n.meant == nil {
		n.meant = n.country.mean(n.digits)
	}
	return n.meant
}

// format returns the number as a trunk's format asks. A number that the country
// does not know stays as it is.
func (n *publicNumber) format(format string) string {
	switch format {
	case "e164":
		return cmp.Or(n.mean().e164, n.digits)
	case "e164-no-plus":
		return cmp.Or(strings.TrimPrefix(n.mean().e164, "+"), n.digits)
	case "national":
		return n.mean().national
	}
	return n.digits
}
