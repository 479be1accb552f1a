package graph

import (
	"reflect"
	"slices"
	"strings"
)

// told is an object of Graph's without what nobody decides: read-only members,
// annotations, and members that say nothing. What is left and isn't wanted
// changes what the object does, so it counts as a difference.
func told(have object) object {
	out := object{}
	for name, v := range have {
		if name == "id" || name == "templateId" || strings.HasSuffix(name, "DateTime") || strings.Contains(name, "@odata.") {
			continue
		}
		if name == "authenticationStrength" { // Graph tells all of it; the id is what counts
			if strength, ok := v.(object); ok && strength["id"] != nil {
				out[name] = object{"id": strength["id"]}
			}
			continue
		}
		if v = tidy(v); v != nil {
			out[name] = v
		}
	}
	return out
}

// tidy is nil for what says nothing: null, an empty text, list or object, and false, which is every flag's default here.
func tidy(v any) any {
	switch v := v.(type) {
	case object:
		if o := told(v); len(o) > 0 {
			return o
		}
		return nil
	case []any:
		if len(v) == 0 {
			return nil
		}
		out := slices.Clone(v)
		slices.SortFunc(out, func(a, b any) int { return strings.Compare(text(a), text(b)) })
		return out
	case string:
		if v == "" {
			return nil
		}
		return v
	case bool:
		if !v {
			return nil
		}
		return v
	}
	return v
}

func text(v any) string { s, _ := v.(string); return s }

// agree tells whether Graph's object says what is wanted, and no more.
func agree(want, have object) bool { return reflect.DeepEqual(told(want), told(have)) }

// mended is what is wanted, with every member cleared that the present object has besides.
func mended(want, have object) object {
	out := object{}
	for name, v := range want {
		out[name] = v
	}
	for name, v := range told(have) {
		wanted, there := want[name]
		inner, isObject := v.(object)
		switch {
		case there && isObject:
			if w, ok := wanted.(object); ok {
				out[name] = mended(w, inner)
			}
		case there:
		default:
			out[name] = cleared(v)
		}
	}
	return out
}

func cleared(v any) any {
	switch v.(type) {
	case []any:
		return []any{}
	case bool:
		return false
	}
	return nil
}
