package tomlfile

import (
	"encoding/json"
	"fmt"
)

// A Pos says where in a file something stands. A struct that embeds Pos has it
// set by Decode to where its table begins. The zero Pos is nowhere: the value
// was not read from a file.
type Pos struct {
	File string
	Line int // from 1; 0: nowhere

	keys *keys // where the table's keys stand; nil for a Pos that Key returned
}

type keys map[string]place

type place struct{ line, column int }

// String is the position as compilers write it, "office.toml:41". It is empty
// for the zero Pos.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.File == "":
		return fmt.Sprintf("line %d", p.Line)
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// MarshalJSON writes {"file":…,"line":…}.
func (p Pos) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		File string `json:"file"`
		Line int    `json:"line"`
	}{p.File, p.Line})
}

// Key returns where the table's key stands, or where the table begins if the
// key is not written there.
func (p Pos) Key(name string) Pos {
	if p.keys != nil {
		if at, ok := (*p.keys)[name]; ok {
			return Pos{File: p.File, Line: at.line}
		}
	}
	return p.At()
}

// Has tells whether the key is written in the table. It distinguishes a zero
// value from an absent one.
func (p Pos) Has(name string) bool {
	if p.keys == nil {
		return false
	}
	_, ok := (*p.keys)[name]
	return ok
}

// At returns the position alone, without the table's keys, so that what keeps
// it does not keep the file.
func (p Pos) At() Pos { return Pos{File: p.File, Line: p.Line} }

// Problem returns a problem that stands at p.
func (p Pos) Problem(format string, args ...any) Problem {
	return Problem{File: p.File, Line: p.Line, Message: fmt.Sprintf(format, args...)}
}

// KeyProblem returns a problem that stands at a key of the table.
func (p Pos) KeyProblem(key, format string, args ...any) Problem {
	problem := p.Key(key).Problem(format, args...)
	if p.keys != nil {
		problem.Column = (*p.keys)[key].column
	}
	return problem
}

// Warning returns a problem at p that does not make the file unusable.
func (p Pos) Warning(format string, args ...any) Problem {
	problem := p.Problem(format, args...)
	problem.Warning = true
	return problem
}
