package sipleg

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosspoint/b2bua/leg"
	"github.com/emiago/sipgo/sip"
)

// refusalStatus is the status that a caller's INVITE is refused with. It is the
// cause's, except where that would mislead the caller: a challenge or a
// redirection that was meant for us, or the success of a hang-up.
func refusalStatus(why leg.Cause) int {
	switch s := why.Filled().Status; {
	case s == 401, s == 407:
		return 403
	case s == 491, s < 400, s > 699:
		return 480
	default:
		return s
	}
}

// reasonHeader is RFC 3326: why a call ends, in the terms of Q.850.
func reasonHeader(why leg.Cause) string {
	f := why.Filled()
	if f.Q850 == 0 {
		return ""
	}
	return fmt.Sprintf(`Q.850;cause=%d;text="%s"`, f.Q850, quotable(f.Text))
}

// cancelReason is the Reason of a CANCEL. A phone that sees that its call was
// answered elsewhere does not list it as missed (RFC 3326 §3.1).
func cancelReason(why leg.Cause) string {
	if why.Q850 == leg.ElsewhereAnswer.Q850 {
		return `SIP;cause=200;text="Call completed elsewhere"`
	}
	return reasonHeader(why)
}

// causeOf is what a final response to our INVITE means. A Reason of Q.850 says
// more than the status where both agree that the call failed.
func causeOf(res *sip.Response, by string) leg.Cause {
	c := leg.Cause{Status: res.StatusCode, By: by}
	if n, text := q850(res); n > 0 {
		c.Q850, c.Text = n, text
	}
	c = c.Filled()
	if c.Text == "" || wordy(res) {
		c.Text = strings.ToValidUTF8(strings.TrimSpace(res.Reason), "")
	}
	if res.StatusCode/100 == 3 {
		if contact := res.Contact(); contact != nil {
			c.Text = "moved to " + contact.Address.String()
		}
	}
	if n, ok := seconds(res, "Retry-After"); ok {
		c.RetryAfter = time.Duration(n) * time.Second
	}
	return c
}

// wordy tells whether a response's phrase is the callee's own rather than the
// standard's.
func wordy(res *sip.Response) bool {
	said := strings.TrimSpace(res.Reason)
	return said != "" && !isMade(res) && !strings.EqualFold(said, reasonPhrase(res.StatusCode)) && res.StatusCode >= 400 && value(res, "Reason") == ""
}

// q850 reads a Reason header of protocol Q.850; 0: there is none.
func q850(msg sip.Message) (cause int, text string) {
	for _, v := range values(msg, "Reason") {
		protocol, rest, _ := strings.Cut(v, ";")
		if !strings.EqualFold(strings.TrimSpace(protocol), "Q.850") {
			continue
		}
		n, err := strconv.Atoi(param(rest, "cause"))
		if err != nil || n < 1 || n > 127 {
			continue
		}
		if i := strings.Index(rest, `text="`); i >= 0 {
			text, _, _ = strings.Cut(rest[i+6:], `"`)
		}
		return n, text
	}
	return 0, ""
}

// goodbyeCause is why the peer hangs up, from its BYE or CANCEL.
func goodbyeCause(req *sip.Request, usual leg.Cause, by string) leg.Cause {
	c := usual
	if n, text := q850(req); n > 0 && n != usual.Q850 {
		c = leg.Cause{Q850: n, Status: usual.Status, Text: text}.Filled()
	}
	return c.GivenBy(by)
}

// phraseOf is the reason phrase of a refusal: the cause's own words where they
// are more than the usual ones and short enough for a telephone's display.
func phraseOf(why leg.Cause, status int) string {
	if why.Phrase != "" && why.Status == status {
		return quotable(why.Phrase)
	}
	usual := leg.Cause{Q850: why.Filled().Q850, Status: why.Filled().Status}.Filled().Text
	if why.Text == "" || why.Text == usual || strings.EqualFold(why.Text, reasonPhrase(status)) || why.Status != status || len(why.Text) > 60 {
		return reasonPhrase(status)
	}
	return quotable(why.Text)
}

// has tells whether a list of tokens has one.
func has(list []string, token string) bool { return slices.Contains(list, token) }
