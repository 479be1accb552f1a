package gateway

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/cors"
	"tollgate/shared/forward"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// manners is how an API's answers behave, whoever gives them: the backend, a
// stage that refuses, or the gateway itself.
type manners struct {
	answer    http.Header // on each answer; never changed
	style     refusal.Style
	cors      *cors.Policy // nil where the contract doesn't say
	preflight *route       // what answers its preflights; nil without cors
}

func newManners(answer map[string]string, policy *cors.Policy, style refusal.Style) manners {
	m := manners{answer: http.Header{}, cors: policy, style: style}
	for name, value := range answer {
		m.answer[name] = []string{value}
	}
	if policy != nil {
		m.answer["Vary"] = []string{policy.Vary()}
	}
	return m
}

// addManners makes them those of all that lies below the API's path, and of its metadata.
func (g *Gateway) addManners(api contract.PlannedAPI) {
	var policy *cors.Policy
	if api.CORS != nil {
		policy = cors.New(*api.CORS)
	}
	m := newManners(api.Answer, policy, style(g.plan, api))
	if policy != nil {
		m.preflight = g.preflight(api, policy)
	}
	varyByKey(m.answer, api)
	for _, below := range [][]contract.Segment{nil, wellKnownSegments()} {
		n := &g.root
		for _, s := range append(below, api.Segments...) {
			n = n.child(s.Literal)
		}
		n.api = &m
	}
}

// mannersAt are those of the API whose path the given one lies below, whether
// any operation has it or not; nil for none.
func (n *node) mannersAt(path string) *manners {
	for segment := range strings.SplitSeq(path[1:], "/") {
		below := n.literals[segment]
		if len(below) == 0 {
			return nil
		}
		if n = below[0]; n.api != nil {
			return n.api
		}
	}
	return nil
}

// toward is what answers to this request say.
func (m *manners) toward(request http.Header) http.Header {
	if m.cors == nil || len(request["Origin"]) == 0 {
		return m.answer
	}
	answer := maps.Clone(m.answer)
	m.cors.Decorate(answer, request)
	return answer
}

// preflight is the route that answers an API's preflights. A browser sends them
// without credentials (Fetch, "CORS-preflight fetch"), so no key and no token is
// asked for; where it comes from is.
func (g *Gateway) preflight(api contract.PlannedAPI, policy *cors.Policy) *route {
	check := func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		return policy.Check(c.Request.Header, func(method string) *refusal.Refusal {
			_, refused := g.operation(method, c.Path)
			return refused
		})
	}
	answer := func(_ context.Context, w http.ResponseWriter, c *pipeline.Call) *refusal.Refusal {
		h := w.Header()
		c.Announce(h)
		policy.Preflight(h, c.Request.Header, g.methods(c.Path))
		h.Set(forward.CorrelationHeader, c.Correlation)
		w.WriteHeader(http.StatusNoContent)
		c.Outcome.Status = http.StatusNoContent
		return nil
	}
	steps := append(origin(g.plan, api), step{"cors", check})
	return &route{api: api.Name, operation: contract.Preflight, stages: steps, decide: chained(steps), deliver: answer}
}

// methods are those that a path takes, in order.
func (g *Gateway) methods(path string) []string {
	_, named := g.root.find("", path) // no route has no method
	return slices.DeleteFunc(named, func(method string) bool {
		rt, _ := g.operation(method, path)
		return rt == nil
	})
}
