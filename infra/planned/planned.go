// Package planned reads a plan of Terraform: what each resource was, what it
// becomes, and which module made it. It judges nothing.
package planned

import (
	"path"
	"strconv"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// Change is one resource that Terraform keeps, and what the plan does to it, which may be nothing.
type Change struct {
	Address string // such as module.estate.module.api["orders"].azuread_application.this
	Type    string
	Name    string
	Key     string // its own index, "" without
	Modules []Module

	Before  map[string]any // nil for what is created
	After   map[string]any // nil for what is destroyed
	Unknown any            // true at each place of After that only apply will know
	Secret  any            // true at each place of After that is sensitive

	actions tfjson.Actions
}

// Module is one step of the way to a resource.
type Module struct {
	Call   string // its name where it is called
	Source string // the last element of its source, such as entra-api
	Key    string // its index, "" without
}

// Of are all resources of the plan, changed or not, in its order.
func Of(plan *tfjson.Plan) []Change { return read(plan, plan.ResourceChanges) }

// Drift is what changed outside Terraform since its state was written.
func Drift(plan *tfjson.Plan) []Change { return read(plan, plan.ResourceDrift) }

func read(plan *tfjson.Plan, all []*tfjson.ResourceChange) []Change {
	var out []Change
	for _, r := range all {
		if r.Mode != tfjson.ManagedResourceMode || r.Change == nil {
			continue
		}
		c := Change{
			Address: r.Address, Type: r.Type, Name: r.Name, Key: index(r.Index), Modules: modules(plan, r.ModuleAddress),
			Unknown: r.Change.AfterUnknown, Secret: r.Change.AfterSensitive, actions: r.Change.Actions,
		}
		c.Before, _ = r.Change.Before.(map[string]any)
		c.After, _ = r.Change.After.(map[string]any)
		out = append(out, c)
	}
	return out
}

// index is a key of for_each. A position of count says nothing to a reader.
func index(v any) string { return Text(v) }

// Nothing tells that the plan leaves it as it is.
func (c *Change) Nothing() bool { return c.actions.NoOp() || c.actions.Read() }

// Created, Updated, Replaced and Removed are what can happen to it. Forgotten is
// removed from the state and left where it is.
func (c *Change) Created() bool   { return c.actions.Create() }
func (c *Change) Updated() bool   { return c.actions.Update() }
func (c *Change) Replaced() bool  { return c.actions.Replace() }
func (c *Change) Removed() bool   { return c.actions.Delete() }
func (c *Change) Forgotten() bool { return c.actions.Forget() }

// In is the innermost module of that source, nil if it is in none.
func (c *Change) In(source string) *Module {
	for i := len(c.Modules) - 1; i >= 0; i-- {
		if c.Modules[i].Source == source {
			return &c.Modules[i]
		}
	}
	return nil
}

// Was and Will are the value at a path such as "site_config.0.minimum_tls_version", nil if there is none.
func (c *Change) Was(at string) any  { return Value(c.Before, at) }
func (c *Change) Will(at string) any { return Value(c.After, at) }

// WillText is Will for text, "" for anything else.
func (c *Change) WillText(at string) string { return Text(c.Will(at)) }

// Undecided tells that only apply will know the value at the path, or what holds it.
func (c *Change) Undecided(at string) bool {
	v := c.Unknown
	for step := range strings.SplitSeq(at, ".") {
		if v == true {
			return true
		}
		v = Value(v, step)
	}
	return v == true
}

// Value is what stands at a path of member names and positions.
func Value(v any, at string) any {
	if at == "" {
		return v
	}
	for step := range strings.SplitSeq(at, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// List is a list of blocks or values; nil for anything else.
func List(v any) []any {
	out, _ := v.([]any)
	return out
}

// Texts are the texts of a list.
func Texts(v any) []string {
	var out []string
	for _, e := range List(v) {
		if s := Text(e); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Text is v if it is text.
func Text(v any) string {
	s, _ := v.(string)
	return s
}

// modules follows an address such as module.estate.module.api["orders"] through the configuration.
func modules(plan *tfjson.Plan, address string) []Module {
	var at *tfjson.ConfigModule
	if plan.Config != nil {
		at = plan.Config.RootModule
	}
	var out []Module
	for address != "" {
		var m Module
		m, address = step(address)
		source := ""
		if at != nil && at.ModuleCalls[m.Call] != nil {
			call := at.ModuleCalls[m.Call]
			source, at = call.Source, call.Module
		} else {
			at = nil
		}
		if source != "" {
			m.Source = path.Base(source)
		}
		out = append(out, m)
	}
	return out
}

// step takes the first module off an address. A key may hold dots and brackets.
func step(address string) (Module, string) {
	address = strings.TrimPrefix(address, "module.")
	end := strings.IndexAny(address, ".[")
	if end < 0 {
		return Module{Call: address}, ""
	}
	m, rest := Module{Call: address[:end]}, address[end:]
	if strings.HasPrefix(rest, "[") {
		if quoted, err := strconv.QuotedPrefix(rest[1:]); err == nil {
			m.Key, _ = strconv.Unquote(quoted) // QuotedPrefix has read it
			rest = rest[1+len(quoted):]
		} else if end := strings.IndexByte(rest, ']'); end > 0 {
			rest = rest[end:] // of count
		}
		rest = strings.TrimPrefix(rest, "]")
	}
	return m, strings.TrimPrefix(rest, ".")
}
