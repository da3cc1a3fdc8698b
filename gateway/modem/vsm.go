package modem

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"crosspoint/media/g711"
)

// A coding is a compression method that a modem offers: its number for +VSM and
// the law that it means.
type coding struct {
	number int
	law    g711.Law
}

// What the manuals call the two laws. The numbers differ per maker (V.253 table
// 17 has 4 and 5, Conexant 131 and 132, USRobotics 131 and 130), so that only
// the names count.
var (
	muLawName = regexp.MustCompile(`(?i)mu-?\s?law|u-?law|g\.?711\s?u`)
	aLawName  = regexp.MustCompile(`(?i)\ba-?\s?law|g\.?711\s?a`)
)

// parseVSM reads a line of the answer to AT+VSM=?. Two forms are in use:
//
//	131,"8-BIT ULAW",(8000)
//	131,"Mu-Law",8,0,8000,0,0
//
// In both the number comes first, then the name, and 8000 stands somewhere in
// the rest as a rate of its own or within a range. ok is false for a method
// that is neither law or cannot run at 8000 samples a second.
func parseVSM(line string) (c coding, ok bool) {
	head, rest, found := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "+VSM:"), ",")
	number, err := strconv.Atoi(strings.TrimSpace(head))
	if !found || err != nil {
		return c, false
	}
	name, rates := rest, rest
	if open := strings.IndexByte(rest, '"'); open >= 0 {
		if end := strings.IndexByte(rest[open+1:], '"'); end >= 0 {
			name, rates = rest[open+1:open+1+end], rest[open+2+end:]
		}
	}
	switch {
	case muLawName.MatchString(name):
		c = coding{number, g711.MuLaw}
	case aLawName.MatchString(name):
		c = coding{number, g711.ALaw}
	default:
		return c, false
	}
	return c, runsAt8000(rates)
}

var (
	numbers = regexp.MustCompile(`\d+`)
	span    = regexp.MustCompile(`(\d{4,5})-(\d{4,5})`)
)

// runsAt8000 finds the rate of 8000 in a list such as "(7200,8000)", "8,0,8000,0,0"
// or "(7200-11025)". One that names no rate at all has the only one there is.
func runsAt8000(rates string) bool {
	for _, s := range span.FindAllStringSubmatch(rates, -1) {
		low, _ := strconv.Atoi(s[1])
		high, _ := strconv.Atoi(s[2])
		if low <= 8000 && 8000 <= high {
			return true
		}
	}
	named := false
	for _, n := range numbers.FindAllString(rates, -1) {
		rate, _ := strconv.Atoi(n)
		if rate == 8000 {
			return true
		}
		named = named || rate >= 1000
	}
	return !named
}

// choose takes µ-law if it is offered, A-law if not. The error lists what is.
func choose(lines []string) (coding, error) {
	best, found := coding{}, false
	for _, l := range lines {
		if c, ok := parseVSM(l); ok && (!found || best.law != g711.MuLaw && c.law == g711.MuLaw) {
			best, found = c, true
		}
	}
	if !found {
		return best, fmt.Errorf("the modem offers neither µ-law nor A-law at 8000 samples a second (AT+VSM=? says %q): "+
			"it cannot carry telephone audio; use one of the models in the documentation", strings.Join(lines, " / "))
	}
	return best, nil
}
