package gateway

import (
	"net/url"
	"slices"
	"strings"

	"tollgate/shared/contract"
)

// node is one segment of the paths that can be called. The tree is built once
// and then only read.
type node struct {
	literals map[string][]*node // one for each
	folded   map[string][]*node // the literals by what they are where case doesn't count
	param    *node              // {name}
	rest     leaf               // {name...}
	leaf     leaf               // what ends here
	api      *manners           // the API whose path ends here
}

// leaf is what a whole path leads to, by method.
type leaf map[string]*route

func (n *node) add(t contract.Template, rt *route) {
	for _, s := range t.Segments {
		if s.Rest {
			if n.rest == nil {
				n.rest = leaf{}
			}
			n.rest[t.Method] = rt
			return
		}
		n = n.child(s.Literal)
	}
	if n.leaf == nil {
		n.leaf = leaf{}
	}
	n.leaf[t.Method] = rt
}

// child is the node below for a literal, or for a parameter if literal is "".
func (n *node) child(literal string) *node {
	if literal == "" {
		if n.param == nil {
			n.param = &node{}
		}
		return n.param
	}
	if n.literals == nil {
		n.literals, n.folded = map[string][]*node{}, map[string][]*node{}
	}
	if n.literals[literal] == nil {
		child := &node{}
		n.literals[literal] = []*node{child}
		n.folded[fold(literal)] = append(n.folded[fold(literal)], child)
	}
	return n.literals[literal][0]
}

// fold is a segment where case doesn't count. Upper case first: ſ and K (the
// Kelvin sign) fold to ASCII letters.
func fold(segment string) string {
	if decoded, err := url.PathUnescape(segment); err == nil {
		segment = decoded
	}
	return strings.ToLower(strings.ToUpper(segment))
}

// find is the route for a method and a canonical path. Without one, allow holds
// the methods that the path does take.
//
// A literal is tried before a parameter. check refuses templates that overlap
// without one being narrower, so the first match is the narrowest one.
//
// A backend that ignores case would run another operation for a path that is a
// narrower template's but for case, such as /Health beside /{id}: such a path
// has no route, so nothing is reached under a rule that isn't its own.
func (n *node) find(method, path string) (rt *route, allow []string) {
	take := func(l leaf) *route { return l.take(method) }
	rt = n.walk(path[1:], (*node).exactly, take)
	if rt != nil && rt == n.walk(path[1:], (*node).ignoringCase, take) {
		return rt, nil
	}
	if rt != nil {
		return nil, nil
	}
	n.walk(path[1:], (*node).exactly, func(l leaf) *route {
		for m := range l {
			allow = append(allow, m)
			if m == "GET" {
				allow = append(allow, "HEAD")
			}
		}
		return nil
	})
	slices.Sort(allow)
	return nil, slices.Compact(allow)
}

// exactly is the literal that a segment is.
func (n *node) exactly(segment string) []*node { return n.literals[segment] }

// ignoringCase are the literals that a segment may be taken for, itself first.
func (n *node) ignoringCase(segment string) []*node {
	if n.folded == nil {
		return nil
	}
	twins, own := n.folded[fold(segment)], n.literals[segment]
	if len(twins) < 2 || own == nil {
		return twins
	}
	return append(slices.Clone(own), slices.DeleteFunc(slices.Clone(twins), func(t *node) bool { return t == own[0] })...)
}

// take: a GET operation answers HEAD too, under the same rule.
func (l leaf) take(method string) *route {
	if rt := l[method]; rt != nil || method != "HEAD" {
		return rt
	}
	return l["GET"]
}

// walk visits the leaves that path leads to, narrowest first, until visit takes
// one. literals are the children that a segment names. No node is visited twice,
// so the cost is bounded by the size of the contracts.
func (n *node) walk(path string, literals func(*node, string) []*node, visit func(leaf) *route) *route {
	segment, rest, more := strings.Cut(path, "/")
	if segment == "" {
		return nil // the root, or a slash at the end: neither is an operation's path
	}
	below := func(c *node) *route {
		if more {
			return c.walk(rest, literals, visit)
		}
		return visit(c.leaf)
	}
	for _, c := range literals(n, segment) {
		if rt := below(c); rt != nil {
			return rt
		}
	}
	if n.param != nil {
		if rt := below(n.param); rt != nil {
			return rt
		}
	}
	if n.rest != nil && !strings.HasSuffix(path, "/") {
		return visit(n.rest)
	}
	return nil
}
