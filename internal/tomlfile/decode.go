package tomlfile

import (
	"encoding"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Strings is a list of strings that may be written as one string.
type Strings []string

// Load reads a file into a pointer to a struct. An unreadable file is a Problem
// too.
func Load(path string, into any) []Problem {
	data, err := os.ReadFile(path)
	if err != nil {
		return []Problem{{File: path, Message: fmt.Sprintf("cannot be read: %v", err)}}
	}
	return Decode(path, data, into)
}

// Decode reads the text of a file into a pointer to a struct. What can be read
// is read whatever else is wrong. It panics only if into is not such a pointer.
func Decode(file string, data []byte, into any) []Problem {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		panic("tomlfile: into must be a pointer to a struct")
	}
	d := decoder{file: file, fields: map[reflect.Type]fields{}}
	root, problem := newDocument(data).read()
	if problem != nil {
		d.problems = append(d.problems, *problem)
	}
	d.broken = problem != nil
	d.table(root, v.Elem(), "")
	for i := range d.problems {
		d.problems[i].File = file
	}
	return Sort(d.problems)
}

type decoder struct {
	file     string
	problems []Problem
	fields   map[reflect.Type]fields
	broken   bool // the document ends early, so that absence proves nothing
}

func (d *decoder) wrong(at place, format string, args ...any) {
	d.problems = append(d.problems, Problem{Line: at.line, Column: at.column, Message: fmt.Sprintf(format, args...)})
}

var (
	posType         = reflect.TypeFor[Pos]()
	durationType    = reflect.TypeFor[time.Duration]()
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// table decodes a table into a struct. name is the table's path for messages,
// empty for the file itself.
func (d *decoder) table(n *node, v reflect.Value, name string) {
	fields, ok := d.fields[v.Type()]
	if !ok {
		fields = fieldsOf(v.Type())
		d.fields[v.Type()] = fields
	}
	places := keys(n.where)
	for _, index := range fields.pos {
		v.FieldByIndex(index).Set(reflect.ValueOf(Pos{File: d.file, Line: n.place.line, keys: &places}))
	}
	for _, key := range n.keys {
		f, ok := fields.byName[key]
		if !ok {
			d.unknown(n, key, name, fields.names)
			continue
		}
		value := n.table[key]
		at := value.place
		if value.kind == unstable.Table || value.kind == unstable.Array {
			at = n.where[key]
		}
		d.value(value, v.FieldByIndex(f.index), f, join(name, key), at)
	}
	if d.broken {
		return
	}
	for _, f := range fields.byOrder {
		if f.required && v.FieldByIndex(f.index).IsZero() && !d.reported(n, f.name) {
			d.wrong(n.place, "%s needs %s: %s", header(name), f.name, f.doc)
		}
	}
}

// reported tells whether a problem at the key's line was already found, so that
// a wrong value is not reported as a missing one too.
func (d *decoder) reported(n *node, key string) bool {
	at, ok := n.where[key]
	return ok && slices.ContainsFunc(d.problems, func(p Problem) bool { return p.Line >= at.line && p.Line <= n.table[key].place.line })
}

func (d *decoder) unknown(n *node, key, name string, known []string) {
	message := fmt.Sprintf("unknown key %q", key)
	if n.table[key].kind == unstable.Table {
		message = fmt.Sprintf("unknown table [%s]", join(name, key))
	} else if a := n.table[key]; a.kind == unstable.Array && len(a.items) > 0 && a.items[0].kind == unstable.Table {
		message = fmt.Sprintf("unknown table [[%s]]", join(name, key))
	}
	if name != "" {
		message += " in " + header(name)
	}
	suggestion := Suggest(key, known)
	if suggestion == "" && len(known) > 0 {
		suggestion = "; known are " + strings.Join(known, ", ")
	}
	d.wrong(n.where[key], "%s%s", message, suggestion)
}

func join(name, key string) string {
	if name == "" {
		return key
	}
	return name + "." + key
}

func header(name string) string {
	if name == "" {
		return "the file"
	}
	return "[" + name + "]"
}

// value decodes one value. at is where a message about it points.
func (d *decoder) value(n *node, v reflect.Value, f field, name string, at place) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch {
	case v.Type() == durationType:
		d.duration(n, v, name, at)
	case v.CanAddr() && v.Addr().Type().Implements(unmarshalerType):
		d.text(n, v, name, at)
	case v.Kind() == reflect.Struct:
		if n.kind != unstable.Table {
			d.mismatch(n, name, "a table", at)
			return
		}
		d.table(n, v, name)
	case v.Kind() == reflect.Slice:
		d.list(n, v, f, name, at)
	case v.Kind() == reflect.Map:
		d.dictionary(n, v, f, name, at)
	default:
		d.scalar(n, v, f, name, at)
	}
}

func (d *decoder) list(n *node, v reflect.Value, f field, name string, at place) {
	switch {
	case n.kind == unstable.Array:
	case v.Type() == reflect.TypeFor[Strings]() && n.kind == unstable.String:
		n = &node{kind: unstable.Array, place: n.place, items: []*node{n}}
	case v.Type().Elem().Kind() == reflect.Struct && n.kind == unstable.Table:
		d.wrong(at, "[%s] must be written [[%s]]: there may be several", name, name)
		return
	default:
		d.mismatch(n, name, "a list, such as "+example(v.Type().Elem(), true), at)
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		d.value(item, list.Index(i), f, name, item.place)
	}
	v.Set(list)
}

func (d *decoder) dictionary(n *node, v reflect.Value, f field, name string, at place) {
	if n.kind != unstable.Table || v.Type().Key().Kind() != reflect.String {
		d.mismatch(n, name, "a table", at)
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.keys)))
	for _, key := range n.keys {
		element := reflect.New(v.Type().Elem()).Elem()
		d.value(n.table[key], element, f, join(name, key), n.where[key])
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), element)
	}
}

func (d *decoder) duration(n *node, v reflect.Value, name string, at place) {
	if n.kind != unstable.String {
		d.mismatch(n, name, `a time with its unit in quotes, such as "20s", "500ms" or "1h30m"`, at)
		return
	}
	t, err := time.ParseDuration(n.text)
	if err != nil {
		d.wrong(at, "%s = %q is not a time: write a number and its unit, such as \"20s\", \"500ms\" or \"1h30m\"", name, n.text)
		return
	}
	if t < 0 {
		d.wrong(at, "%s = %q is negative: write a time of zero or more, such as \"20s\"", name, n.text)
		return
	}
	v.SetInt(int64(t))
}

func (d *decoder) text(n *node, v reflect.Value, name string, at place) {
	if n.kind != unstable.String {
		d.mismatch(n, name, "text in quotes", at)
		return
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.text)); err != nil {
		d.wrong(at, "%s = %q: %v", name, n.text, err)
	}
}

func (d *decoder) scalar(n *node, v reflect.Value, f field, name string, at place) {
	switch v.Kind() {
	case reflect.String:
		if n.kind != unstable.String {
			if f.hidden {
				n = &node{kind: n.kind, text: "not text"}
			}
			d.mismatch(n, name, "text in quotes", at)
			return
		}
		if len(f.enum) > 0 && !slices.Contains(f.enum, n.text) {
			d.wrong(at, "%s = %q is not one of %s%s", name, n.text, Quoted(f.enum), Meant(n.text, f.enum))
			return
		}
		v.SetString(n.text)
	case reflect.Bool:
		if n.kind != unstable.Bool {
			d.mismatch(n, name, "true or false, without quotes", at)
			return
		}
		v.SetBool(n.text == "true")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		i, err := strconv.ParseInt(strings.ReplaceAll(n.text, "_", ""), 0, 64)
		if n.kind != unstable.Integer || err != nil || v.OverflowInt(i) {
			d.mismatch(n, name, "a whole number, without quotes", at)
			return
		}
		v.SetInt(i)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		i, err := strconv.ParseUint(strings.ReplaceAll(n.text, "_", ""), 0, 64)
		if n.kind != unstable.Integer || err != nil || v.OverflowUint(i) {
			d.mismatch(n, name, "a whole number of zero or more, without quotes", at)
			return
		}
		v.SetUint(i)
	case reflect.Float32, reflect.Float64:
		x, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64)
		if n.kind != unstable.Integer && n.kind != unstable.Float || err != nil {
			d.mismatch(n, name, "a number, without quotes", at)
			return
		}
		v.SetFloat(x)
	case reflect.Interface:
		v.Set(reflect.ValueOf(n.plain()))
	default:
		panic("tomlfile: no TOML value fits a " + v.Type().String())
	}
}

// plain is a value for a field of type any: as go-toml would give it, but for
// dates, which stay text.
func (n *node) plain() any {
	switch n.kind {
	case unstable.Table:
		m := make(map[string]any, len(n.keys))
		for key, v := range n.table {
			m[key] = v.plain()
		}
		return m
	case unstable.Array:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	case unstable.Bool:
		return n.text == "true"
	case unstable.Integer:
		if i, err := strconv.ParseInt(strings.ReplaceAll(n.text, "_", ""), 0, 64); err == nil {
			return i
		}
	case unstable.Float:
		if x, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64); err == nil {
			return x
		}
	}
	return n.text
}

// mismatch reports a value of the wrong type.
func (d *decoder) mismatch(n *node, name, expected string, at place) {
	read := map[unstable.Kind]string{
		unstable.Table: "a table", unstable.Array: "a list",
	}[n.kind]
	if read == "" {
		read = clip(n.text)
		if n.kind == unstable.String {
			read = strconv.Quote(read)
		}
	}
	d.wrong(at, "%s is %s, expected %s", name, read, expected)
}

func example(t reflect.Type, list bool) string {
	e := "1, 2"
	switch {
	case t.Kind() == reflect.Struct:
		e = "{ … }, { … }"
	case t.Kind() == reflect.String:
		e = `"a", "b"`
	}
	if list {
		return "[" + e + "]"
	}
	return e
}
