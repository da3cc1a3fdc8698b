package tomlfile

import (
	"fmt"
	"reflect"
	"strings"
)

// Diff returns what differs between two structs of the same type that Decode
// has read, a line for each change in the order of the fields: `phone 101: class
// "staff" -> "guest"`, `+ phone 105`, `- line fxo2`. Tables of a list are told
// apart by their fields with the tag `key:"true"`, else by the first text that is
// required. Values of fields with the tag secret are not shown.
func Diff(from, to any) []string {
	var d differ
	d.structs("", reflect.Indirect(reflect.ValueOf(from)), reflect.Indirect(reflect.ValueOf(to)))
	return d.lines
}

type differ struct{ lines []string }

func (d *differ) add(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *differ) structs(prefix string, a, b reflect.Value) {
	for _, f := range fieldsOf(a.Type()).byOrder {
		x, y := a.FieldByIndex(f.index), b.FieldByIndex(f.index)
		name := prefix + f.name
		switch t := f.kind; {
		case t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(unmarshalerType):
			d.structs(name+".", x, y)
		case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
			d.tables(f.name, x, y)
		case !reflect.DeepEqual(x.Interface(), y.Interface()) && !(x.Kind() == reflect.Slice && x.Len() == 0 && y.Len() == 0):
			if f.hidden {
				d.add("%s changed", name)
				continue
			}
			d.add("%s %s -> %s", name, shown(x), shown(y))
		}
	}
}

// tables compares lists of tables by key.
func (d *differ) tables(name string, a, b reflect.Value) {
	was, wasKeys := keyed(a)
	is, isKeys := keyed(b)
	for _, key := range isKeys {
		if old, ok := was[key]; ok {
			d.structs(name+" "+key+": ", old, is[key])
		} else {
			d.add("+ %s %s", name, key)
		}
	}
	for _, key := range wasKeys {
		if _, ok := is[key]; !ok {
			d.add("- %s %s", name, key)
		}
	}
}

// keyed tells the tables of a list apart: by the fields with the tag key, else
// by the first text that is required. What is still the same is numbered.
func keyed(list reflect.Value) (map[string]reflect.Value, []string) {
	byKey, keys := map[string]reflect.Value{}, []string{}
	for i := range list.Len() {
		key := keyOf(list.Index(i))
		for n := 2; byKey[key].IsValid() || key == ""; n++ {
			key = strings.TrimSpace(fmt.Sprintf("%s #%d", keyOf(list.Index(i)), n))
		}
		byKey[key], keys = list.Index(i), append(keys, key)
	}
	return byKey, keys
}

func keyOf(v reflect.Value) string {
	var parts []string
	required := ""
	for _, f := range fieldsOf(v.Type()).byOrder {
		x := v.FieldByIndex(f.index)
		switch {
		case f.kind.Kind() != reflect.String || x.Len() == 0:
		case f.key:
			parts = append(parts, x.String())
		case f.required && required == "":
			required = x.String()
		}
	}
	if parts == nil {
		return required
	}
	return strings.Join(parts, " ")
}

func shown(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.String:
		return fmt.Sprintf("%q", v.String())
	case v.Type() == reflect.TypeFor[Strings]():
		return "[" + Quoted(v.Interface().(Strings)) + "]"
	}
	return fmt.Sprint(v.Interface())
}
