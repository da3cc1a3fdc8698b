package gateway

import (
	"fmt"
	"strings"
	"time"
)

// AnswerRule says how the answer of a party called over an FXO line is known.
// The zero value is AnswerAuto after 15 s.
type AnswerRule struct {
	By AnswerBy
	// After is the time since the last digit that AnswerAfter counts, and that
	// AnswerAuto, AnswerVoice and AnswerRingbackEnd grant a call of which they
	// hear nothing that they know; a ringback starts it anew. Zero is 15 s.
	After time.Duration
}

// AnswerBy is the sign that is taken as an answer.
type AnswerBy uint8

const (
	// AnswerAuto takes whichever comes first of a reversal of polarity, a
	// voice, or the end of the ringback; AnswerRule.After at the latest.
	AnswerAuto AnswerBy = iota
	// AnswerPolarity takes nothing but the reversal that the exchange gives on answer.
	AnswerPolarity
	// AnswerVoice takes a voice (or anything that is no signal tone).
	AnswerVoice
	// AnswerRingbackEnd takes the end of the ringback.
	AnswerRingbackEnd
	// AnswerAfter takes the passing of AnswerRule.After since the last digit.
	AnswerAfter
)

var answers = [...]string{"auto", "polarity", "voice", "ringback-end", "after"}

// ParseAnswerRule reads "auto", "polarity", "voice", "ringback-end" or
// "after 3s"; empty is the zero rule.
func ParseAnswerRule(s string) (AnswerRule, error) {
	word, rest, more := strings.Cut(strings.TrimSpace(s), " ")
	if word == "" {
		return AnswerRule{}, nil
	}
	for by, name := range answers {
		if word != name {
			continue
		}
		r := AnswerRule{By: AnswerBy(by)}
		if !more && r.By != AnswerAfter {
			return r, nil
		}
		d, err := time.ParseDuration(strings.TrimSpace(rest))
		if err != nil || d <= 0 || r.By != AnswerAfter {
			break
		}
		r.After = d
		return r, nil
	}
	return AnswerRule{}, fmt.Errorf(`answer = %q is not "auto", "polarity", "voice", "ringback-end" or "after 3s"`, s)
}

// String is the rule as the configuration writes it.
func (r AnswerRule) String() string {
	if r.By == AnswerAfter {
		return "after " + r.After.String()
	}
	return answers[r.By]
}
