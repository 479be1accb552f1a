package gateway

import (
	"slices"
	"strings"

	"tollgate/shared/contract"
)

// node is one segment of the paths that can be called. The tree is built once
// and then only read.
type node struct {
	literals map[string]*node
	folded   map[string]bool // the literals in lower case
	param    *node           // {name}
	rest     *leaf           // {name...}
	leaf     leaf            // what ends here
}

// leaf is what a whole path leads to, by method.
type leaf map[string]*route

func (n *node) add(t contract.Template, rt *route) {
	for _, s := range t.Segments {
		if s.Rest {
			if n.rest == nil {
				n.rest = &leaf{}
			}
			(*n.rest)[t.Method] = rt
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
		n.literals, n.folded = map[string]*node{}, map[string]bool{}
	}
	if n.literals[literal] == nil {
		n.literals[literal] = &node{}
		n.folded[strings.ToLower(literal)] = true
	}
	return n.literals[literal]
}

// find is the route for a method and a canonical path. Without one, allow holds
// the methods that the path does take.
//
// A literal is tried before a parameter. check refuses templates that overlap
// without one being narrower, so the first match is the narrowest one.
func (n *node) find(method, path string) (rt *route, allow []string) {
	rt = n.walk(path[1:], func(l leaf) *route {
		if found := l.take(method); found != nil {
			return found
		}
		for m := range l {
			allow = append(allow, m)
			if m == "GET" {
				allow = append(allow, "HEAD")
			}
		}
		return nil
	})
	if rt != nil {
		return rt, nil
	}
	slices.Sort(allow)
	return nil, slices.Compact(allow)
}

// take: a GET operation answers HEAD too, under the same rule.
func (l leaf) take(method string) *route {
	if rt := l[method]; rt != nil || method != "HEAD" {
		return rt
	}
	return l["GET"]
}

// walk visits the leaves that path leads to, narrowest first, until visit takes one.
func (n *node) walk(path string, visit func(leaf) *route) *route {
	segment, below, more := strings.Cut(path, "/")
	if segment == "" {
		return nil // the root, or a slash at the end: neither is an operation's path
	}
	next := func(c *node) *route {
		switch {
		case c == nil:
			return nil
		case more:
			return c.walk(below, visit)
		}
		return visit(c.leaf)
	}
	literal := n.literals[segment]
	if rt := next(literal); rt != nil {
		return rt
	}
	// A backend that ignores case takes /Health for /health: it must not be
	// reached under the rule of /{id}.
	if literal == nil && n.folded[strings.ToLower(segment)] {
		return nil
	}
	if rt := next(n.param); rt != nil {
		return rt
	}
	if n.rest != nil && !strings.HasSuffix(path, "/") {
		return visit(*n.rest)
	}
	return nil
}
