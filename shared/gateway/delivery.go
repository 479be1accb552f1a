package gateway

import (
	"context"
	"net/http"
	"strconv"

	"tollgate/shared/contract"
	"tollgate/shared/forward"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// deliveries gives each operation of an API its delivery: to the backend, or the
// answer that the contract holds.
func (g *Gateway) deliveries(api contract.PlannedAPI) func(contract.PlannedOperation) pipeline.Delivery {
	if len(api.Backend.Targets) == 0 { // check made sure that every operation has a reply
		return func(op contract.PlannedOperation) pipeline.Delivery { return reply(*op.Reply) }
	}
	backend := forward.At(api, g.plan.Forward, g.parts.Backends(api), g.parts.Now, g.provers(api)...)
	return func(op contract.PlannedOperation) pipeline.Delivery {
		if op.Reply != nil {
			return reply(*op.Reply)
		}
		return backend.To(op)
	}
}

// reply is the delivery of an answer that stands in the contract.
func reply(r contract.Reply) pipeline.Delivery {
	bodiless := r.Status == http.StatusNoContent || r.Status == http.StatusNotModified // RFC 9110 §8.6, RFC 9112 §6.3
	return func(_ context.Context, w http.ResponseWriter, c *pipeline.Call) *refusal.Refusal {
		h := w.Header()
		for name, values := range r.Header {
			h[name] = values
		}
		c.Announce(h)
		if !bodiless {
			h.Set("Content-Length", strconv.Itoa(len(r.Body)))
		}
		if r.Header["Content-Type"] == nil {
			h["Content-Type"] = nil // see forward
		}
		h.Set(forward.CorrelationHeader, c.Correlation)
		w.WriteHeader(r.Status)
		c.Outcome.Status = r.Status
		if c.Request.Method != http.MethodHead && !bodiless {
			n, _ := w.Write([]byte(r.Body)) // the client may be gone; there is nothing left to do
			c.Outcome.Bytes = int64(n)
		}
		return nil
	}
}
