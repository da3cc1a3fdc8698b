package modem

import (
	"regexp"
	"strings"
	"time"

	"crosspoint/gateway/jack"
)

// nameWait is how long after the number the name may follow; a modem sends
// both at once.
const nameWait = 300 * time.Millisecond

// A caller collects the lines of one caller ID. The zero value has none.
type caller struct {
	jack.Caller
	number, name bool      // was told
	tell         time.Time // when what is there is told; zero: nothing is
}

// Makers spell the same fields differently, with and without blanks.
var (
	callerField = regexp.MustCompile(`(?i)^(DATE|TIME|MESG|NMBR|DDN_NMBR|NBR|FM|CALLER NUMBER|NAME|CALLER NAME)\s*[=:]\s*(.*)$`)
	withheld    = regexp.MustCompile(`(?i)^(P|PRIVATE.*|WITHHELD.*|ANONYMOUS)$`)
	unavailable = regexp.MustCompile(`(?i)^(O|-+|OUT.OF.AREA.*|UNAVAILABLE.*|UNKNOWN.*)?$`)
)

// take takes a line; false: it is none of a caller ID.
func (c *caller) take(line string, now time.Time) bool {
	field := callerField.FindStringSubmatch(strings.TrimSpace(line))
	if field == nil {
		return false
	}
	value := strings.TrimSpace(field[2])
	switch strings.ToUpper(field[1]) {
	case "NMBR", "DDN_NMBR", "NBR", "FM", "CALLER NUMBER":
		c.number = true
		switch {
		case withheld.MatchString(value):
			c.Withheld = true
		case !unavailable.MatchString(value):
			c.Number = value
		}
	case "NAME", "CALLER NAME":
		c.name = true
		switch {
		case withheld.MatchString(value):
			c.Withheld = c.Withheld || c.Number == ""
		case !unavailable.MatchString(value):
			c.Name = value
		}
	}
	if c.tell.IsZero() && (c.number || c.name) {
		c.tell = now.Add(nameWait)
	}
	if c.number && c.name {
		c.tell = now
	}
	return true
}
