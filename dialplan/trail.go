package dialplan

import (
	"fmt"
	"strings"

	"crosspoint/internal/tomlfile"
)

// A Trail says how a route was found: what was tried, in order, and why it was
// taken or passed over.
type Trail []Step

// A Step is one thing tried.
type Step struct {
	Rule    string       `json:"rule"`    // what was tried, in the file's words: `rule "local"`
	Pos     tomlfile.Pos `json:"pos"`     // where it stands
	Verdict string       `json:"verdict"` // what came of it, in plain words
	Taken   bool         `json:"taken"`   // it decided
	Indent  int          `json:"-"`       // how deep in forwarding it was tried
}

// String is the trail for people, a step a line.
func (t Trail) String() string {
	var b strings.Builder
	for _, s := range t {
		mark := " "
		if s.Taken {
			mark = ">"
		}
		at := s.Pos.String()
		if at != "" {
			at = "  [" + at + "]"
		}
		fmt.Fprintf(&b, "%s %s%s: %s%s\n", mark, strings.Repeat("  ", s.Indent), s.Rule, s.Verdict, at)
	}
	return b.String()
}
