package tomlfile

import (
	"encoding/json"
	"reflect"
)

// Schema returns a JSON Schema (draft 2020-12) of the files that Decode reads
// into a struct like v, so that an editor completes and explains keys.
func Schema(title string, v any) ([]byte, error) {
	s := schemaOf(reflect.Indirect(reflect.ValueOf(v)).Type(), field{})
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = title
	return json.MarshalIndent(s, "", "  ")
}

type schema map[string]any

// schemaOf describes a type as the value of a field.
func schemaOf(t reflect.Type, f field) schema {
	s := schema{}
	switch {
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem(), f)
	case t == durationType:
		s["type"], s["pattern"] = "string", `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$`
		s["examples"] = []string{"20s", "1h30m"}
	case reflect.PointerTo(t).Implements(unmarshalerType):
		s["type"] = "string"
	case t == reflect.TypeFor[Strings]():
		one := schemaOf(reflect.TypeFor[string](), f)
		delete(one, "description")
		s["oneOf"] = []schema{one, {"type": "array", "items": one}}
	case t.Kind() == reflect.Struct:
		return structSchema(t, f)
	case t.Kind() == reflect.Slice:
		s["type"], s["items"] = "array", schemaOf(t.Elem(), field{enum: f.enum})
	case t.Kind() == reflect.Map:
		s["type"], s["additionalProperties"] = "object", schemaOf(t.Elem(), field{enum: f.enum})
	default:
		s = scalarSchema(t, f)
	}
	describe(s, f)
	return s
}

func scalarSchema(t reflect.Type, f field) schema {
	switch t.Kind() {
	case reflect.String:
		s := schema{"type": "string"}
		if len(f.enum) > 0 {
			s["enum"] = f.enum
		}
		return s
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return schema{"type": "number"}
	case reflect.Interface:
		return schema{}
	}
	return schema{"type": "integer"}
}

func structSchema(t reflect.Type, f field) schema {
	properties, required := schema{}, []string{}
	for _, sub := range fieldsOf(t).byOrder {
		properties[sub.name] = schemaOf(sub.kind, sub)
		if sub.required {
			required = append(required, sub.name)
		}
	}
	s := schema{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	describe(s, f)
	return s
}

func describe(s schema, f field) {
	if f.doc != "" {
		s["description"] = f.doc
	}
}
