package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tollgate/shared/audit"
	"tollgate/shared/gateway"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// watch is one call's.
type watch struct {
	*Telemetry
	call   *pipeline.Call
	record *record // nil: the call isn't sampled
	tries  int     // that went to the backend; a call tries one after another
}

type watchKey struct{}

func watchOf(ctx context.Context) *watch {
	w, _ := ctx.Value(watchKey{}).(*watch)
	return w
}

// Arrived begins the server span, if the call is sampled.
func (t *Telemetry) Arrived(ctx context.Context, c *pipeline.Call, at time.Time) (context.Context, gateway.Watch) {
	w := &watch{Telemetry: t, call: c}
	if t.sampler == nil { // nothing is recorded here, so the caller's flag passes as it is
		return context.WithValue(ctx, watchKey{}, w), w
	}
	id, under := traceIDOf(c.Trace), context.Background()
	if c.Trace.Parent != "" {
		under = trace.ContextWithRemoteSpanContext(under, parentOf(c.Trace, id))
	}
	verdict := t.sampler.ShouldSample(sdktrace.SamplingParameters{ParentContext: under, TraceID: id, Name: methodOf(c.Request.Method), Kind: trace.SpanKindServer})
	if c.Trace.Sampled = verdict.Decision == sdktrace.RecordAndSample; c.Trace.Sampled {
		w.record = &record{Telemetry: t, context: c.Trace, trace: id, id: spanIDOf(c.Trace.Span), began: at}
		w.record.marks = w.record.room[:0]
	}
	return context.WithValue(ctx, watchKey{}, w), w
}

// Observe makes each run of a sampled call's stage a span.
func (t *Telemetry) Observe(name string, s pipeline.Stage) pipeline.Stage {
	if t.sampler == nil {
		return s
	}
	about := newStage(name)
	return func(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
		w := watchOf(ctx)
		if w == nil || w.record == nil {
			return s(ctx, c)
		}
		began := t.now()
		refused := s(ctx, c)
		w.record.marks = append(w.record.marks, mark{id: t.fresh(), began: began, took: t.now().Sub(began), stage: about, refused: refused})
		return refused
	}
}

// Ended ends the server span, and counts.
func (w *watch) Ended(e *audit.Event) {
	if w.metrics != nil {
		w.metrics.ended(w, e)
	}
	r := w.record
	if r == nil {
		return
	}
	r.ended, r.failed = e.Time.Add(e.Duration), w.errorOf(e)
	r.describe(w.call.Request.Host, e)
	w.spans.add(r)
}

// errorOf is error.type: of a server's span only what is the server's fault is
// an error ("HTTP spans", Status).
func (t *Telemetry) errorOf(e *audit.Event) string {
	switch {
	case e.Verdict == audit.Granted && e.Code != audit.Granted: // begun, and not finished
		return t.names.code(e.Code)
	case e.Status < http.StatusInternalServerError:
		return ""
	case e.Verdict == audit.Refused:
		return t.names.code(e.Code)
	}
	return strconv.Itoa(statusOf(e.Status))
}
