package host

import (
	"maps"
	"slices"
	"strings"
)

// environment is a set of environment variables in which later ones win.
type environment struct {
	values map[string]string
}

func newEnvironment(inherited []string, settings map[string]string) environment {
	env := environment{values: map[string]string{}}
	for _, pair := range inherited {
		if name, value, ok := strings.Cut(pair, "="); ok && name != "" {
			env.values[name] = value
		}
	}
	maps.Copy(env.values, settings)
	return env
}

func (e environment) with(settings map[string]string) environment {
	joined := maps.Clone(e.values)
	maps.Copy(joined, settings)
	return environment{values: joined}
}

func (e environment) names() []string {
	return slices.Sorted(maps.Keys(e.values))
}

func (e environment) pairs() []string {
	pairs := make([]string, 0, len(e.values))
	for _, name := range e.names() {
		pairs = append(pairs, name+"="+e.values[name])
	}
	return pairs
}

// flag tells whether an app setting is switched on ("true" or "1").
func (e environment) flag(name string) bool {
	return strings.EqualFold(e.values[name], "true") || e.values[name] == "1"
}
