package tomlfile

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// A node is a value of the document with its place.
type node struct {
	kind  unstable.Kind // Table (also an inline one), Array, or a scalar's
	text  string        // a scalar's, unquoted
	place place
	items []*node  // of an Array
	keys  []string // of a Table, in order
	table map[string]*node
	where map[string]place // where each key of a Table stands
}

func newTable(at place) *node {
	return &node{kind: unstable.Table, place: at, table: map[string]*node{}, where: map[string]place{}}
}

func (n *node) set(key string, at place, v *node) {
	if _, ok := n.table[key]; !ok {
		n.keys = append(n.keys, key)
		n.where[key] = at
	}
	n.table[key] = v
}

// A document is a file's text and where its lines begin.
type document struct {
	data  []byte
	lines []int
}

func newDocument(data []byte) *document {
	d := &document{data: data, lines: []int{0}}
	for i, c := range data {
		if c == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	return d
}

func (d *document) place(offset int) place {
	line := sort.SearchInts(d.lines, offset+1)
	return place{line: line, column: offset - d.lines[line-1] + 1}
}

// read parses the document into a tree. A document that is not TOML gives the
// first mistake, as go-toml words it, and what stood before it.
func (d *document) read() (*node, *Problem) {
	problem := d.syntax()
	root := newTable(place{1, 1})
	var parser unstable.Parser
	parser.Reset(d.data)
	table := root
	for parser.NextExpression() {
		e := parser.Expression()
		if e.Kind != unstable.Table && e.Kind != unstable.ArrayTable && e.Kind != unstable.KeyValue {
			continue
		}
		key := e.Key()
		key.Next()
		if problem != nil && d.place(int(key.Node().Raw.Offset)).line >= problem.Line {
			break
		}
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = d.open(root, e)
		case unstable.KeyValue:
			d.keyValue(table, e)
		}
	}
	return root, problem
}

// syntax returns the first thing that is not TOML: a mistake of syntax, a key
// given twice, an impossible date.
func (d *document) syntax() *Problem {
	var whole map[string]any
	err := toml.Unmarshal(d.data, &whole)
	if err == nil {
		return nil
	}
	p := &Problem{Message: strings.TrimPrefix(err.Error(), "toml: ")}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		p.Line, p.Column = de.Position()
		p.Message = d.explain(p.Line, p.Message)
	}
	return p
}

// explain adds to go-toml's message what the line looks like and what was
// probably meant.
func (d *document) explain(line int, message string) string {
	if line < 1 || line > len(d.lines) {
		return message
	}
	text, _, _ := bytes.Cut(d.data[d.lines[line-1]:], []byte("\n"))
	text = bytes.TrimSpace(text)
	if len(text) == 0 || secretive(text) {
		return message
	}
	message += fmt.Sprintf(" in %q", clip(string(text)))
	key, value, found := bytes.Cut(text, []byte("="))
	value = bytes.TrimSpace(value)
	if found && len(value) > 0 && bareWord(value) {
		message += fmt.Sprintf("; write text in quotes: %s= %q", key, value)
	}
	return message
}

// secretive tells whether a line may hold a password, which no message shows.
func secretive(line []byte) bool {
	line = bytes.ToLower(line)
	return bytes.Contains(line, []byte("secret")) || bytes.Contains(line, []byte("passw"))
}

// bareWord tells whether a value looks like text that lacks its quotes.
func bareWord(value []byte) bool {
	letter := false
	for _, c := range value {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= 0x80:
			letter = true
		case c == '"', c == '\'', c == '[', c == '{', c == '#':
			return false
		}
	}
	return letter || bytes.ContainsAny(value, "*+-:")
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// open returns the table that a [header] or [[header]] begins.
func (d *document) open(root *node, e *unstable.Node) *node {
	table := root
	for it := e.Key(); it.Next(); {
		key, at := string(it.Node().Data), d.place(int(it.Node().Raw.Offset))
		child := table.table[key]
		last := it.IsLast()
		switch {
		case last && e.Kind == unstable.ArrayTable:
			if child == nil || child.kind != unstable.Array {
				child = &node{kind: unstable.Array, place: at}
				table.set(key, at, child)
			}
			element := newTable(at)
			child.items = append(child.items, element)
			table = element
			continue
		case child == nil:
			child = newTable(at)
			table.set(key, at, child)
		case child.kind == unstable.Array && len(child.items) > 0:
			child = child.items[len(child.items)-1]
		}
		if child.kind != unstable.Table { // go-toml has refused it
			return newTable(at)
		}
		if last {
			child.place = at
		}
		table = child
	}
	return table
}

// keyValue puts `a.b = v` into the table.
func (d *document) keyValue(table *node, e *unstable.Node) {
	for it := e.Key(); it.Next(); {
		key, at := string(it.Node().Data), d.place(int(it.Node().Raw.Offset))
		if it.IsLast() {
			table.set(key, at, d.value(e.Value(), at))
			return
		}
		child := table.table[key]
		if child == nil || child.kind != unstable.Table {
			child = newTable(at)
			table.set(key, at, child)
		}
		table = child
	}
}

// value makes the tree of a value that begins near the given place.
func (d *document) value(v *unstable.Node, near place) *node {
	at := near
	if v.Raw.Length > 0 {
		at = d.place(int(v.Raw.Offset))
	}
	switch v.Kind {
	case unstable.Array:
		n := &node{kind: unstable.Array, place: at}
		for it := v.Children(); it.Next(); {
			n.items = append(n.items, d.value(it.Node(), at))
		}
		return n
	case unstable.InlineTable:
		n := newTable(at)
		for it := v.Children(); it.Next(); {
			if it.Node().Kind == unstable.KeyValue {
				d.keyValue(n, it.Node())
			}
		}
		return n
	}
	return &node{kind: v.Kind, text: string(v.Data), place: at}
}
