package gateway

import (
	"context"
	"fmt"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// record leaves the one event of this request.
func (g *Gateway) record(ctx context.Context, began time.Time, c *pipeline.Call, rt *route, refused *refusal.Refusal) {
	e := &audit.Event{
		Time: began.UTC(), Correlation: c.Correlation, Invocation: pipeline.Invocation(ctx), Contract: g.plan.Version,
		Method: c.Request.Method, Path: c.Path,
		Verdict: audit.Granted, Code: "granted", Status: c.Outcome.Status, Cause: c.Outcome.Broken, Marks: c.Marks,
	}
	if rt != nil {
		e.API, e.Operation = rt.api, rt.operation
	}
	if c.Client.IsValid() {
		e.Client = c.Client.String()
	}
	if c.Subscription != nil {
		e.Subscription, e.Product = c.Subscription.ID, c.Subscription.Product
	}
	switch {
	case refused != nil:
		e.Verdict, e.Status, e.Code, e.Rule, e.Cause = audit.Refused, c.Outcome.Status, refused.Code, refused.Rule, refused.Cause()
	case c.Outcome.ClientGone:
		e.Code = "client_gone"
	case c.Outcome.Broken != "":
		e.Code = c.Outcome.Code
	}
	if err := g.parts.Events.Record(context.WithoutCancel(ctx), e); err != nil {
		g.report(fmt.Errorf("an event is lost: %w", err))
	}
}
