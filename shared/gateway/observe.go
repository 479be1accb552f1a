package gateway

import (
	"context"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/pipeline"
)

// Observer watches calls from outside: no stage holds a tracer or a counter.
type Observer interface {
	// Arrived begins to watch a call, before anything is asked of it. The context is
	// the call's from then on. It may change c.Trace.Sampled, and nothing else.
	Arrived(ctx context.Context, c *pipeline.Call, at time.Time) (context.Context, Watch)
	// Observe is the stage of that name, watched.
	Observe(name string, s pipeline.Stage) pipeline.Stage
}

// Watch is what one call is watched by.
type Watch interface {
	// Ended is told what became of the call, once, after the answer. It must not
	// change the event, nor keep it.
	Ended(e *audit.Event)
}

// observed are the stages, each watched.
func (g *Gateway) observed(steps []step) []step {
	if g.parts.Observer == nil {
		return steps
	}
	for i, s := range steps {
		steps[i].stage = g.parts.Observer.Observe(s.name, s.stage)
	}
	return steps
}
