package infra

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Outputs prints what the environment says of itself, but for what is sensitive.
func (d *Driver) Outputs(ctx context.Context) error {
	out, err := d.work.Outputs(ctx)
	if err != nil {
		return err
	}
	shown := map[string]json.RawMessage{}
	var hidden []string
	for _, name := range slices.Sorted(maps.Keys(out)) {
		if out[name].Sensitive {
			hidden = append(hidden, name)
		} else {
			shown[name] = out[name].Value
		}
	}
	if len(hidden) > 0 {
		d.say("not shown, because they are sensitive: %s", strings.Join(hidden, ", "))
	}
	if d.o.JSON {
		return writeJSON(d.o.Result, shown)
	}
	if len(shown) == 0 {
		d.say("%s has no outputs; apply makes them", d.o.Environment)
	}
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		text := string(shown[name])
		var word string
		if json.Unmarshal(shown[name], &word) == nil {
			text = word
		}
		fmt.Fprintf(d.o.Result, "%s = %s\n", name, text)
	}
	return nil
}
