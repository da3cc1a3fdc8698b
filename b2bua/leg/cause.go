package leg

import (
	"fmt"
	"strings"
	"time"
)

// A Cause says why a leg or a call ended, in the words of ITU-T Q.850 and of
// SIP at once. The zero value is "not said".
type Cause struct {
	Q850   int    // cause value of ITU-T Q.850 §2.2.7; 0: derived from Status
	Status int    // SIP status code; 0: derived from Q850
	Text   string // in words; empty: the table's
	Phrase string // for the status line of a SIP response; empty: Text, if that is short
	By     string // who gave it: a party's name, or Us
	Hint   string // what an operator could do about it: "office.toml:41: …"
	// RetryAfter is when another try may succeed (RFC 3261 §20.33); zero: not said.
	RetryAfter time.Duration
}

// The causes that the exchange itself gives. Their numbers are of Q.850, their
// status codes of RFC 3398 §8.2.6.1 and §7.2.4.1 unless noted.
var (
	NormalClearing   = Cause{Q850: 16, Status: 200, Text: "normal clearing"}
	Unallocated      = Cause{Q850: 1, Status: 404, Text: "no such number"}
	Busy             = Cause{Q850: 17, Status: 486, Text: "user busy"}
	NoResponse       = Cause{Q850: 18, Status: 408, Text: "no user responding"}
	NoAnswer         = Cause{Q850: 19, Status: 480, Text: "no answer"}
	NotRegistered    = Cause{Q850: 20, Status: 480, Text: "phone not registered"}
	Rejected         = Cause{Q850: 21, Status: 403, Text: "call rejected"}
	InvalidNumber    = Cause{Q850: 28, Status: 484, Text: "number incomplete"}
	NoCircuit        = Cause{Q850: 34, Status: 503, Text: "all lines busy"}
	NetworkFailure   = Cause{Q850: 38, Status: 503, Text: "network out of order"}
	TemporaryFailure = Cause{Q850: 41, Status: 503, Text: "temporary failure"}
	NoResource       = Cause{Q850: 47, Status: 503, Text: "no resource left"}
	BearerNotOffered = Cause{Q850: 65, Status: 488, Text: "no codec in common"}
	Recovery         = Cause{Q850: 102, Status: 504, Text: "timer expired"}
	Cancelled        = Cause{Q850: 16, Status: 487, Text: "caller hung up before the answer"}
	ElsewhereAnswer  = Cause{Q850: 26, Status: 487, Text: "answered elsewhere"} // RFC 3326: call completed elsewhere
	LoopDetected     = Cause{Q850: 25, Status: 482, Text: "loop detected"}
	TooManyHops      = Cause{Q850: 25, Status: 483, Text: "too many hops"}
	ShuttingDown     = Cause{Q850: 41, Status: 503, Text: "the exchange is being stopped"}
)

// GivenBy returns the cause with who gave it.
func (c Cause) GivenBy(who string) Cause { c.By = who; return c }

// WithHint returns the cause with what would change it.
func (c Cause) WithHint(format string, args ...any) Cause {
	c.Hint = fmt.Sprintf(format, args...)
	return c
}

// Because returns the cause with other words.
func (c Cause) Because(format string, args ...any) Cause {
	c.Text = fmt.Sprintf(format, args...)
	return c
}

// Filled returns the cause with all of number, status and words, each derived
// from the others where it was missing.
func (c Cause) Filled() Cause {
	if c.Q850 == 0 && c.Status != 0 {
		c.Q850 = q850Of(c.Status)
	}
	if c.Status == 0 {
		c.Status = statusOf(c.Q850)
	}
	if c.Text == "" {
		c.Text = textOf(c.Q850, c.Status)
	}
	return c
}

// Normal tells that nothing went wrong: somebody hung up.
func (c Cause) Normal() bool { return c.Filled().Q850 == 16 && (c.Status < 300 || c.Status == 487) }

// Error makes a Cause usable as the error of whoever can't place a call.
func (c Cause) Error() string {
	f := c.Filled()
	var b strings.Builder
	b.WriteString(f.Text)
	if f.Hint != "" {
		b.WriteString(": " + f.Hint)
	}
	return b.String()
}

// String is the cause for a log line: `17 "user busy"`.
func (c Cause) String() string {
	f := c.Filled()
	return fmt.Sprintf("%d %q", f.Q850, f.Text)
}

// statuses is RFC 3398 §7.2.4.1: what a Q.850 cause becomes in SIP.
var statuses = map[int]int{
	1: 404, 2: 404, 3: 404, 17: 486, 18: 408, 19: 480, 20: 480, 21: 403, 22: 410, 23: 410,
	26: 404, 27: 502, 28: 484, 29: 501, 31: 480, 34: 503, 38: 503, 41: 503, 42: 503, 47: 503,
	55: 403, 57: 403, 58: 503, 65: 488, 70: 488, 79: 501, 87: 403, 88: 503, 102: 504, 111: 500, 127: 500,
}

// causes is RFC 3398 §8.2.6.1: what a SIP status becomes in Q.850.
var causes = map[int]int{
	400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22,
	413: 127, 414: 127, 415: 79, 416: 127, 420: 127, 421: 127, 422: 127, 423: 127, 480: 18, 481: 41, 482: 25,
	483: 25, 484: 28, 485: 1, 486: 17, 487: 16, 488: 65, 491: 41, 500: 41, 501: 79, 502: 38, 503: 41,
	504: 102, 505: 127, 513: 127, 600: 17, 603: 21, 604: 1, 606: 65,
}

func statusOf(q int) int {
	if q == 0 || q == 16 {
		return 200
	}
	if s, ok := statuses[q]; ok {
		return s
	}
	return 500
}

func q850Of(status int) int {
	if status < 300 {
		return 16
	}
	if q, ok := causes[status]; ok {
		return q
	}
	return map[int]int{3: 23, 4: 127, 5: 41, 6: 21}[status/100]
}

// texts are the cause names of Q.850 §2.2.7, in an operator's words.
var texts = map[int]string{
	1: "no such number", 2: "no route to transit network", 3: "no route to destination", 16: "normal clearing",
	17: "user busy", 18: "no user responding", 19: "no answer", 20: "phone not registered", 21: "call rejected",
	22: "number changed", 23: "redirected", 25: "loop or too many hops", 26: "answered elsewhere", 27: "destination out of order",
	28: "number incomplete", 29: "facility rejected", 31: "normal, unspecified", 34: "all lines busy", 38: "network out of order",
	41: "temporary failure", 42: "congestion", 47: "no resource left", 55: "incoming calls barred", 57: "not authorized",
	58: "bearer capability not available", 63: "service not available", 65: "no codec in common", 79: "not implemented",
	87: "not in closed user group", 88: "incompatible destination", 102: "timer expired", 111: "protocol error", 127: "interworking, unspecified",
}

func textOf(q, status int) string {
	if t, ok := texts[q]; ok {
		return t
	}
	return fmt.Sprintf("cause %d, status %d", q, status)
}
