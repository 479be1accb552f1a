package gateway

import (
	"context"
	"net/http"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Judge decides about a call that somebody else delivers: the front end that asks
// for the verdict. It counts, and leaves an event, as if the call had come here.
func (g *Gateway) Judge(r *http.Request) (*pipeline.Call, *refusal.Refusal) {
	call := g.NewCall(r)
	v := g.visit(r.Context(), call)
	refused := v.run(nil)
	if refused != nil {
		call.Outcome.Status, _ = call.Style.Answer(refused)
	}
	g.afterwards(context.WithoutCancel(v.ctx), call, refused)
	if v.route == nil || !v.route.quiet || refused != nil {
		v.record(refused)
	}
	return call, refused
}
