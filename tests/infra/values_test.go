package infra

import (
	"fmt"
	"testing"

	"tollgate/infra/planned"
)

// one is what will be of the only resource of that type.
func one(t testing.TB, all []planned.Change, kind string) map[string]any {
	t.Helper()
	var found map[string]any
	for _, r := range all {
		if r.Type != kind {
			continue
		}
		if found != nil {
			t.Errorf("there is a second %s: %s", kind, r.Address)
		}
		found = r.After
	}
	if found == nil {
		t.Fatalf("there is no %s", kind)
	}
	return found
}

func items(v any) []any {
	all, _ := v.([]any)
	return all
}

// block is a block as a plan shows it: an object, or a list of one.
func block(v any) map[string]any {
	if all := items(v); len(all) > 0 {
		v = all[0]
	}
	object, _ := v.(map[string]any)
	return object
}

func texts(v any) (out []string) {
	for _, e := range items(v) {
		out = append(out, fmt.Sprint(e))
	}
	return out
}

func column(v any, name string) (out []any) {
	for _, e := range items(v) {
		out = append(out, block(e)[name])
	}
	return out
}

// named are scopes or roles by their value; their ids go into ids.
func named(v any, kind string, ids map[string]string) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, e := range items(v) {
		p := block(e)
		name, _ := p["value"].(string)
		out[name], ids[kind+name] = p, fmt.Sprint(p["id"])
	}
	return out
}
