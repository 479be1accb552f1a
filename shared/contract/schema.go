package contract

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// Schema is the language as JSON Schema (draft 2020-12), for editors. It is
// made from the types that Load decodes into, so the two can't disagree.
// What a schema can't say (overlaps, unbound values) is left to check.
func Schema() []byte {
	kinds := []any{}
	defs := object{}
	for _, k := range []struct {
		name string
		typ  reflect.Type
	}{
		{KindGateway, reflect.TypeFor[Gateway]()},
		{KindAPI, reflect.TypeFor[API]()},
		{KindClient, reflect.TypeFor[Client]()},
		{KindEnvironment, reflect.TypeFor[Environment]()},
	} {
		defs[k.name] = schemaOf(k.typ, "")
		kinds = append(kinds, object{
			"if":   object{"properties": object{"kind": object{"const": k.name}}},
			"then": object{"$ref": "#/$defs/" + k.name},
		})
	}
	root := object{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Tollgate contract",
		"description": "Made from the Go types by `make schema`; don't edit.",
		"type":        "object",
		"required":    []string{"kind"},
		"properties":  object{"kind": object{"enum": []string{KindGateway, KindAPI, KindClient, KindEnvironment}}},
		"allOf":       kinds,
		"$defs":       defs,
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(root) // maps, slices and strings always encode
	return out.Bytes()
}

type object = map[string]any

func schemaOf(t reflect.Type, tag reflect.StructTag) object {
	switch t {
	case reflect.TypeFor[Duration]():
		return object{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`}
	case reflect.TypeFor[Size]():
		return object{"type": "string", "pattern": sizePattern.String()}
	case reflect.TypeFor[Secret]():
		return object{"type": "string", "pattern": secretPattern.String()}
	case reflect.TypeFor[Names]():
		one := object{"type": "string", "minLength": 1}
		return object{"oneOf": []any{one, object{"type": "array", "minItems": 1, "uniqueItems": true, "items": one}}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), tag)
	case reflect.Struct:
		return structSchema(t)
	case reflect.Slice:
		return object{"type": "array", "minItems": 1, "uniqueItems": true, "items": schemaOf(t.Elem(), tag)}
	case reflect.Map:
		return object{"type": "object", "minProperties": 1, "propertyNames": object{"pattern": tag.Get("keys")}, "additionalProperties": schemaOf(t.Elem(), "")}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int:
		s := object{"type": "integer"}
		if low, err := strconv.Atoi(tag.Get("min")); err == nil {
			s["minimum"] = low
		}
		return s
	default:
		return textSchema(tag)
	}
}

func textSchema(tag reflect.StructTag) object {
	s := object{"type": "string", "minLength": 1}
	if enum := tag.Get("enum"); enum != "" {
		s = object{"enum": choices(enum)}
	}
	// shape is a pattern for editors, of a text that check has better words for.
	if p := tag.Get("pattern") + tag.Get("shape"); p != "" {
		s["pattern"] = p
	}
	return s
}

func structSchema(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, f := range fieldsOf(t) {
		s := schemaOf(f.typ, f.tag)
		s["description"] = strings.TrimSpace(f.tag.Get("doc"))
		if d := f.tag.Get("default"); d != "" {
			s["default"] = d
			if f.typ.Kind() == reflect.Slice {
				s["default"] = []string{d}
			}
		}
		properties[f.name] = s
		if f.required {
			required = append(required, f.name)
		}
	}
	s := object{"type": "object", "additionalProperties": false, "minProperties": 1, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}
