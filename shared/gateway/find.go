package gateway

import (
	"errors"

	"tollgate/shared/cors"
	"tollgate/shared/headers"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// route finds the operation. Its path is checked first: only one that has a
// single reading may choose a rule.
func (g *Gateway) route(c *pipeline.Call) (*route, *refusal.Refusal) {
	if err := checkPath(c.Path); err != nil {
		return nil, ambiguous(err)
	}
	if err := checkTarget(c.Request); err != nil {
		return nil, refusal.New(refusal.Malformed, "target_ambiguous", "The request target can be read in more than one way.").Because(err)
	}
	m := g.root.mannersAt(c.Path)
	if m != nil {
		c.Answer, c.Style = m.toward(c.Request.Header), m.style
	}
	if refused := headers.Single(c.Request.Header); refused != nil {
		return nil, refused
	}
	if m != nil && m.preflight != nil && cors.IsPreflight(c.Request) {
		return m.preflight, nil
	}
	return g.operation(c.Request.Method, c.Path)
}

// operation is the route for a method and a path that checkPath accepted.
//
// An encoded slash is taken only where the operation says so, and only if a
// backend that decodes it before it routes would run that same operation, or
// none, whether case counts there or not. It can stand in a parameter only: a literal holds no percent sign.
func (g *Gateway) operation(method, path string) (*route, *refusal.Refusal) {
	rt, allow := g.root.find(method, path)
	if slashes(path) {
		if rt == nil || !rt.encodedSlash {
			return nil, ambiguous(errors.New("it holds an encoded slash, which no operation there takes"))
		}
		for _, literals := range []func(*node, string) []*node{(*node).exactly, (*node).ignoringCase} {
			other := g.root.walk(opened(path)[1:], literals, func(l leaf) *route { return l.take(method) })
			if other != nil && other != rt {
				return nil, ambiguous(errors.New("with its encoded slash decoded it is the path of " + other.api + "." + other.operation))
			}
		}
	}
	switch {
	case rt != nil:
		return rt, nil
	case len(allow) > 0:
		r := refusal.New(refusal.MethodNotAllowed, "method_not_allowed", "This path doesn't take that method.")
		r.Allow = allow
		return nil, r
	}
	return nil, refusal.New(refusal.NotFound, "no_route", "No operation has this path.")
}

func ambiguous(err error) *refusal.Refusal {
	return refusal.New(refusal.Malformed, "path_not_canonical", "The path can be read in more than one way.").Because(err)
}
