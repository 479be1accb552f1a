package audit

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

type object = map[string]any

// Schema is an event as JSON Schema (draft 2020-12). It is made from the types
// that Parse decodes into.
func Schema() []byte {
	root := schemaOf(reflect.TypeFor[record](), "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Tollgate event"
	root["description"] = "One decision, as an OCSF 1.6.0 API Activity. Made from the Go types by `make schema`; don't edit."
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(root) // maps, slices and strings always encode
	return out.Bytes()
}

func schemaOf(t reflect.Type, tag reflect.StructTag) object {
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), tag)
	case reflect.Struct:
		return structSchema(t)
	case reflect.Slice:
		return object{"type": "array", "minItems": 1, "maxItems": maxValues, "items": schemaOf(t.Elem(), "")}
	case reflect.Map:
		values := schemaOf(t.Elem(), "")
		delete(values, "minItems") // a claim may be an empty list
		return object{"type": "object", "additionalProperties": values}
	case reflect.Bool:
		return object{"const": true}
	case reflect.String:
		return textSchema(tag)
	default:
		return numberSchema(tag)
	}
}

func structSchema(t reflect.Type) object {
	properties, required := object{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, absent, _ := strings.Cut(f.Tag.Get("json"), ",")
		s := schemaOf(f.Type, f.Tag)
		if doc := f.Tag.Get("doc"); doc != "" {
			s["description"] = doc
		}
		properties[name] = s
		if absent == "" {
			required = append(required, name)
		}
	}
	return object{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
}

// textSchema: printable ASCII, and the mark of what was cut.
func textSchema(tag reflect.StructTag) object {
	if c := tag.Get("const"); c != "" {
		return object{"const": c}
	}
	if enum := tag.Get("enum"); enum != "" {
		return object{"enum": strings.Split(enum, ",")}
	}
	s := object{"type": "string", "pattern": "^[ -~]*\u2026?$"}
	if p := tag.Get("pattern"); p != "" {
		s["pattern"] = p
	}
	if f := tag.Get("format"); f != "" {
		s["format"] = f
	}
	if n, err := strconv.Atoi(tag.Get("max")); err == nil {
		s["maxLength"] = n
	}
	return s
}

func numberSchema(tag reflect.StructTag) object {
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // the tags above are numbers
	if c := tag.Get("const"); c != "" {
		return object{"const": number(c)}
	}
	if enum := tag.Get("enum"); enum != "" {
		all := []int{}
		for s := range strings.SplitSeq(enum, ",") {
			all = append(all, number(s))
		}
		return object{"enum": all}
	}
	s := object{"type": "integer"}
	if low := tag.Get("min"); low != "" {
		s["minimum"] = number(low)
	}
	return s
}
