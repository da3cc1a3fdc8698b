package tomlfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Problem is one thing wrong in a file: where it is, what was read, what was
// expected. A Warning leaves the file usable.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`             // from 1; 0: the file as a whole
	Column  int    `json:"column,omitempty"` // in bytes from 1; 0: not known
	Message string `json:"message"`
	Warning bool   `json:"warning,omitempty"`
}

// Error is the problem for people: `office.toml:41: …`.
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:", p.Line)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	return b.String()
}

func (p Problem) String() string { return p.Error() }

// Sort orders problems by file, line and column and drops repetitions.
func Sort(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(problems)
}

// Fatal tells whether any problem is more than a warning.
func Fatal(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// Text writes one problem a line, for a terminal.
func Text(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.Error() + "\n")
	}
	return b.String()
}
