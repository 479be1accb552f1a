package guard

import (
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/planned"
)

// way is the modules from the root to where the resource stands, with the names they
// are called by; nil if the plan has no configuration.
func (g *guard) way(c *planned.Change) (way []*tfjson.ConfigModule, names []string) {
	if g.plan.Config == nil || g.plan.Config.RootModule == nil {
		return nil, nil
	}
	way = []*tfjson.ConfigModule{g.plan.Config.RootModule}
	for _, m := range c.Modules {
		call := way[len(way)-1].ModuleCalls[m.Call]
		if call == nil || call.Module == nil {
			return nil, nil
		}
		way, names = append(way, call.Module), append(names, m.Call)
	}
	return way, names
}

// written is the resource as its configuration has it, nil if that isn't known.
func written(way []*tfjson.ConfigModule, c *planned.Change) *tfjson.ConfigResource {
	if len(way) == 0 {
		return nil
	}
	for _, r := range way[len(way)-1].Resources {
		if r.Mode == tfjson.ManagedResourceMode && r.Type == c.Type && r.Name == c.Name {
			return r
		}
	}
	return nil
}

// targets are the addresses, without keys, that a diagnostic setting's target refers
// to. Before the first apply there is no id to compare.
func (g *guard) targets(c *planned.Change) map[string]bool {
	return g.refersTo(c, "target_resource_id")
}

func (g *guard) refersTo(c *planned.Change, attribute string) map[string]bool {
	way, names := g.way(c)
	r := resolver{way: way, names: names, out: map[string]bool{}}
	if res := written(way, c); res != nil {
		r.follow(res.Expressions[attribute], len(names))
		r.follow(res.ForEachExpression, len(names))
	}
	return r.out
}

// resolver follows references from a module up through its variables, and down
// through outputs of the modules it calls.
type resolver struct {
	way   []*tfjson.ConfigModule
	names []string
	out   map[string]bool
}

func (r resolver) follow(e *tfjson.Expression, depth int) {
	if e == nil || e.ExpressionData == nil {
		return
	}
	for _, block := range e.NestedBlocks {
		for _, nested := range block {
			r.follow(nested, depth)
		}
	}
	for _, ref := range e.References {
		r.reference(ref, depth)
	}
}

func (r resolver) reference(ref string, depth int) {
	parts := strings.Split(withoutKeys(ref), ".")
	switch {
	case parts[0] == "var" && len(parts) > 1 && depth > 0:
		r.follow(r.way[depth-1].ModuleCalls[r.names[depth-1]].Expressions[parts[1]], depth-1)
	case parts[0] == "module" && len(parts) > 2:
		r.output(parts[1], parts[2], depth)
	case parts[0] == "local":
		// A plan doesn't say what a local is. What the module makes could be it.
		for _, res := range r.way[depth].Resources {
			r.add(res.Type+"."+res.Name, depth)
		}
	case strings.HasPrefix(parts[0], "azurerm_") && len(parts) > 1:
		r.add(parts[0]+"."+parts[1], depth)
	}
}

func (r resolver) output(call, name string, depth int) {
	child := r.way[depth].ModuleCalls[call]
	if child == nil || child.Module == nil || child.Module.Outputs[name] == nil {
		return
	}
	down := resolver{
		way:   append(append([]*tfjson.ConfigModule{}, r.way[:depth+1]...), child.Module),
		names: append(append([]string{}, r.names[:depth]...), call), out: r.out,
	}
	down.follow(child.Module.Outputs[name].Expression, depth+1)
}

func (r resolver) add(resource string, depth int) {
	address := ""
	for _, name := range r.names[:depth] {
		address += "module." + name + "."
	}
	r.out[address+resource] = true
}
