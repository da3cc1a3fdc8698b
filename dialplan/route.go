package dialplan

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"crosspoint/internal/tomlfile"
)

// A Query is a call to be routed.
type Query struct {
	From   Caller
	Dialed string    // a user part with its parameters, a SIP or tel address; empty on a line without digits
	At     time.Time // when; schedules are looked up by it. The zero time is no time of any schedule.

	// What is going on. Each may be nil: nobody is busy, nobody has set or used anything.
	Busy     func(extension string) bool
	Settings func(extension string) Settings
	Usage    func(name string) Usage // of a phone, trunk or peer

	// Turn numbers the calls, so that groups rotate and weighted trunks take
	// their shares. The zero value always begins at the first.
	Turn uint32

	// With is whom the callee will talk to where From only sends a call there, as
	// in a transfer: telephones ring by it. Nil: From.
	With *Caller
	// AlertInfo is how the side of the one who calls wants telephones to ring (RFC
	// 3261 §20.4), if it may say so; empty: it does not.
	AlertInfo string

	// Why asks for a trail that also has the rules whose pattern the number does
	// not match, each with what is missing. It is for people who ask, not for
	// calls: the search then takes as long as the plan has rules.
	Why bool
}

// Settings is what a phone's user has set from the phone. A set forwarding
// replaces the file's.
type Settings struct {
	ForwardAlways, ForwardBusy, ForwardNoAnswer string
	DoNotDisturb                                bool
	Withhold                                    bool
	CallWaiting                                 CallWaiting
}

// Usage is what limits are held against.
type Usage struct {
	Calls int           // at this moment
	Toll  time.Duration // talked today on toll calls
}

// A Caller is who calls, as far as is known. The zero Caller is a stranger.
type Caller struct {
	Kind     CallerKind `json:"kind"`
	Name     string     `json:"name,omitempty"`   // the extension, the line's or the peer's name in the file
	Number   string     `json:"number,omitempty"` // the caller's number, for screening
	Withheld bool       `json:"withheld,omitempty"`
}

// String is the caller for people: `phone 101`.
func (c Caller) String() string {
	s := c.Kind.String()
	if c.Name != "" {
		s += " " + c.Name
	}
	switch {
	case c.Withheld:
		s += " (number withheld)"
	case c.Number != "" && c.Number != c.Name:
		s += " (" + c.Number + ")"
	}
	return s
}

// CallerKind orders callers by what is known of them.
type CallerKind uint8

const (
	FromStranger CallerKind = iota // nobody we know
	FromPhone                      // a phone of ours
	FromLine                       // a PSTN line
	FromPeer                       // a SIP peer
)

func (k CallerKind) String() string {
	return [...]string{"stranger", "phone", "line", "peer"}[k&3]
}

// MarshalText writes the kind's name.
func (k CallerKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// A Route says what becomes of a call: it is refused, or tried stage by stage.
type Route struct {
	Stages  []Stage  `json:"stages,omitempty"`
	Refusal *Refusal `json:"refusal,omitempty"` // nil if there are stages

	Rule string       `json:"rule,omitempty"` // name of the rule, extension or group that decided
	Pos  tomlfile.Pos `json:"pos"`            // where it stands
	// From is how the caller is shown to the targets. Zero: unchanged.
	From Presentation `json:"from,omitzero"`
	// Class is the permission that the call takes.
	Class Permission `json:"class,omitempty"`
	// MaxTalk ends the call after this time, for the day's allowance is used up
	// then. Zero: no limit.
	MaxTalk time.Duration `json:"max_talk,omitempty"`
	// Emergency: the call takes precedence of any other, and Notice is given.
	Emergency bool `json:"emergency,omitempty"`
	// Undisturbed: the caller is offered no other call during this one.
	Undisturbed bool    `json:"undisturbed,omitempty"`
	Notice      *Notice `json:"notice,omitempty"`
}

// A Notice is what is told, and to whom, about an emergency call.
type Notice struct {
	Extensions []string `json:"extensions,omitempty"`
	Place      string   `json:"place"` // where the caller is; empty: nobody wrote it down
}

// A Presentation is how the caller is shown.
type Presentation struct {
	Number   string `json:"number,omitempty"` // empty: unchanged
	Name     string `json:"name,omitempty"`   // empty: unchanged
	Withheld bool   `json:"withheld,omitempty"`
}

// A Stage rings its targets together.
type Stage struct {
	Targets []Target      `json:"targets"`
	RingFor time.Duration `json:"ring_for,omitempty"` // 0: until the caller gives up
	Ring    Ring          `json:"ring,omitzero"`      // how their telephones ring
	// On is what leads on to another stage. Which one, Route.Next tells.
	On Condition `json:"on,omitempty"`
	// Reason is why the call was forwarded here, as RFC 5806 §4.1 names it:
	// "unconditional", "user-busy", "no-answer", "unavailable",
	// "do-not-disturb", "follow-me". Empty if it was not.
	Reason string `json:"reason,omitempty"`
	By     string `json:"by,omitempty"` // the extension that forwarded
	// Diversions are all forwardings that lead here, latest first; the first is
	// Reason and By.
	Diversions []Diversion  `json:"diversions,omitempty"`
	Pos        tomlfile.Pos `json:"pos"`

	listed bool            // one of a list whose ring time is written: it holds for the last too
	next   [conditions]int // stage that a condition leads to; 0: the following one
}

// A Diversion is one forwarding.
type Diversion struct {
	By     string       `json:"by"` // the extension that forwarded
	Reason string       `json:"reason"`
	Pos    tomlfile.Pos `json:"pos"` // of the line that says so
}

// A Target is a place that can be rung.
type Target struct {
	Kind   TargetKind   `json:"kind"`
	Name   string       `json:"name,omitempty"`   // extension, trunk or feature
	Number string       `json:"number,omitempty"` // digits to dial on the trunk; argument of the feature
	Access string       `json:"access,omitempty"` // what the trunk's lines dial before the number
	URI    string       `json:"uri,omitempty"`    // SIP address
	From   Presentation `json:"from,omitzero"`    // how the caller is shown here; zero: as the route says
	Pos    tomlfile.Pos `json:"pos"`
}

// TargetKind is what a Target is.
type TargetKind uint8

const (
	ToPhone      TargetKind = iota // an extension: its registered phones and its analog line
	ToTrunk                        // a number on a trunk
	ToSIPAddress                   // a SIP address outside
	ToFeature                      // a service of the exchange
)

func (k TargetKind) String() string {
	return [...]string{"phone", "trunk", "address", "feature"}[k&3]
}

// MarshalText writes the kind's name.
func (k TargetKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// String is the target as [[test]] expects it: "101", "pstn 5551234".
func (t Target) String() string {
	switch t.Kind {
	case ToSIPAddress:
		return t.URI
	case ToPhone:
		return t.Name
	}
	if t.Number == "" {
		return t.Name
	}
	return t.Name + " " + t.Number
}

// A Refusal is why a call goes nowhere.
type Refusal struct {
	Status int          `json:"status"` // SIP
	Q850   int          `json:"q850"`   // cause value of ITU-T Q.850
	Reason string       `json:"reason"` // in plain words, with what would change it
	Phrase string       `json:"phrase,omitempty"`
	Pos    tomlfile.Pos `json:"pos"`            // the line that would change it
	Busy   string       `json:"busy,omitempty"` // the extension that is in a call; empty: that is not why
}

// String is the refusal for people: `403: …`.
func (r *Refusal) String() string {
	s := fmt.Sprintf("%d: %s", r.Status, r.Reason)
	if at := r.Pos.String(); at != "" {
		s += " (" + at + ")"
	}
	return s
}

// A Condition is a set of outcomes of a stage.
type Condition uint8

const (
	Busy        Condition = 1 << iota // the callee is busy (486, 600)
	NoAnswer                          // it rang for its time, or 480 after ringing
	Unreachable                       // nobody there: not registered, 404, 408, 480, 410
	Failure                           // anything else: 5xx, all lines busy, refused

	conditions = 4
	Any        = Busy | NoAnswer | Unreachable | Failure
)

var conditionNames = [conditions]string{"busy", "no-answer", "unreachable", "failure"}

// String lists the outcomes: "busy, no-answer".
func (c Condition) String() string {
	if c&Any == Any {
		return "anything"
	}
	var names []string
	for i, name := range conditionNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// MarshalJSON writes the list of outcomes.
func (c Condition) MarshalJSON() ([]byte, error) {
	names := []string{}
	for i, name := range conditionNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return json.Marshal(names)
}

// Next returns the stage to try after stage i ended with the given outcome
// (one bit of Condition). False: there is none, the call ends with it.
func (r Route) Next(i int, outcome Condition) (int, bool) {
	if i < 0 || i >= len(r.Stages) || r.Stages[i].On&outcome == 0 {
		return 0, false
	}
	next := i + 1
	for bit := range conditions {
		if outcome == 1<<bit && r.Stages[i].next[bit] > 0 {
			next = r.Stages[i].next[bit]
		}
	}
	return next, next < len(r.Stages)
}

// String is the route in a line, as [[test]] expects it.
func (r Route) String() string {
	if r.Refusal != nil {
		return fmt.Sprintf("refused %d", r.Refusal.Status)
	}
	var b strings.Builder
	for i, s := range r.Stages {
		if i > 0 {
			b.WriteString(" then ")
		}
		for j, t := range s.Targets {
			if j > 0 {
				b.WriteString(" + ")
			}
			b.WriteString(t.String())
		}
	}
	return b.String()
}
