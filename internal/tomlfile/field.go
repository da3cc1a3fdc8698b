package tomlfile

import (
	"reflect"
	"strings"
)

// A field is how a struct's field takes part.
type field struct {
	name     string
	index    []int
	doc      string
	enum     []string
	required bool
	hidden   bool // its value is shown in no message
	key      bool // it tells tables of a list apart
	kind     reflect.Type
}

// fields are those of a struct and of the structs that it embeds.
type fields struct {
	byName  map[string]field
	byOrder []field
	names   []string
	pos     [][]int // embedded Pos
}

func fieldsOf(t reflect.Type) fields {
	fs := fields{byName: map[string]field{}}
	fs.add(t, nil)
	return fs
}

func (fs *fields) add(t reflect.Type, prefix []int) {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(append([]int{}, prefix...), i)
		tag := sf.Tag.Get("toml")
		switch {
		case sf.Type == posType && sf.Anonymous:
			fs.pos = append(fs.pos, index)
			continue
		case sf.Anonymous && tag == "" && sf.Type.Kind() == reflect.Struct:
			fs.add(sf.Type, index)
			continue
		case tag == "-" || tag == "" || !sf.IsExported():
			continue
		}
		f := field{name: tag, index: index, doc: sf.Tag.Get("doc"), required: sf.Tag.Get("required") == "true", hidden: sf.Tag.Get("secret") == "true", key: sf.Tag.Get("key") == "true", kind: sf.Type}
		if e := sf.Tag.Get("enum"); e != "" {
			f.enum = strings.Split(e, ",")
		}
		fs.byName[f.name] = f
		fs.byOrder = append(fs.byOrder, f)
		fs.names = append(fs.names, f.name)
	}
}
