package gateway

import (
	"context"
	"net/http"
	"slices"

	"tollgate/shared/assertion"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// addAssertions makes the signer, and the route to its public keys, where an API asks for assertions.
func (g *Gateway) addAssertions() {
	key := g.plan.AssertionKey
	if key == nil {
		return
	}
	var root assertion.Root
	if g.parts.AssertionRoot != nil {
		root = g.parts.AssertionRoot(*key)
	}
	g.signer = assertion.New(g.plan, root, g.parts.Now)
	t := contract.Template{Method: http.MethodGet, Segments: []contract.Segment{{Literal: "_gateway"}, {Literal: "jwks"}}}
	g.root.add(t, &route{operation: "jwks", decide: pipeline.Chain(), deliver: g.keySet})
}

// keySet answers the keys that backends verify assertions with. They are public,
// and whoever asks is a backend, so no list of callers' addresses holds here.
func (g *Gateway) keySet(ctx context.Context, w http.ResponseWriter, c *pipeline.Call) *refusal.Refusal {
	body, refused := g.signer.KeySet(ctx)
	if refused != nil {
		return refused
	}
	// RFC 7517 §8.5.2.
	return document(body, "application/jwk-set+json", "public, max-age=300")(ctx, w, c)
}

// provers are an API's, the assertion last: it states what the others made of the request.
func (g *Gateway) provers(api contract.PlannedAPI) []pipeline.Prover {
	all := g.parts.provers(api)
	if api.Backend.Assertion == nil {
		return all
	}
	return append(slices.Clone(all), g.signer.Prove(api))
}
