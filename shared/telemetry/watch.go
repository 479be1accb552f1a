package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
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
	call  *pipeline.Call
	ctx   context.Context // holds span; nil where it is
	span  trace.Span      // nil: the call isn't sampled
	tries int             // that went to the backend; a call tries one after another
}

type watchKey struct{}

func watchOf(ctx context.Context) *watch {
	w, _ := ctx.Value(watchKey{}).(*watch)
	return w
}

// Arrived begins the server span, if the call is sampled.
func (t *Telemetry) Arrived(ctx context.Context, c *pipeline.Call, at time.Time) (context.Context, gateway.Watch) {
	w := &watch{Telemetry: t, call: c}
	ctx = context.WithValue(ctx, watchKey{}, w)
	if t.sampler == nil {
		return ctx, w // nothing is recorded here, so the caller's flag passes as it is
	}
	under := ctx
	if c.Trace.Parent != "" {
		under = trace.ContextWithRemoteSpanContext(ctx, parentOf(c.Trace))
	}
	method := methodOf(c.Request.Method)
	verdict := t.sampler.ShouldSample(sdktrace.SamplingParameters{ParentContext: under, TraceID: traceIDOf(c.Trace), Name: method, Kind: trace.SpanKindServer})
	c.Trace.Sampled = verdict.Decision == sdktrace.RecordAndSample
	if c.Trace.Sampled {
		w.ctx, w.span = t.tracer.Start(under, method, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(at))
	}
	return ctx, w
}

// Observe makes each run of a sampled call's stage a span.
func (t *Telemetry) Observe(name string, s pipeline.Stage) pipeline.Stage {
	if t.sampler == nil {
		return s
	}
	granted := trace.WithAttributes(attribute.String("tollgate.stage", name), attribute.String("tollgate.verdict", audit.Granted))
	title := "stage " + name
	return func(ctx context.Context, c *pipeline.Call) *refusal.Refusal {
		w := watchOf(ctx)
		if w == nil || w.span == nil {
			return s(ctx, c)
		}
		began := t.now()
		refused := s(ctx, c)
		// A stage gets no span of its own to hang things on, so its span is made once
		// it is over: that costs a context less.
		_, span := t.tracer.Start(w.ctx, title, trace.WithTimestamp(began), granted)
		if refused != nil {
			span.SetAttributes(attribute.String("tollgate.verdict", audit.Refused), attribute.String("tollgate.code", t.names.code(refused.Code)), attribute.String("tollgate.rule", refused.Rule))
			if refused.Kind.Status() >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, "")
			}
		}
		span.End(trace.WithTimestamp(t.now()))
		return refused
	}
}

// Ended ends the server span, and counts.
func (w *watch) Ended(e *audit.Event) {
	if w.metrics != nil {
		w.metrics.ended(w, e)
	}
	if w.span == nil {
		return
	}
	at := w.now()
	method, route := methodOf(e.Method), w.names.route(e.API, e.Operation)
	attrs := make([]attribute.KeyValue, 0, 16)
	attrs = append(attrs, attribute.String("http.request.method", method), attribute.String("url.scheme", w.scheme),
		attribute.String("tollgate.correlation_id", e.Correlation), attribute.String("tollgate.verdict", e.Verdict), attribute.String("tollgate.code", w.names.code(e.Code)))
	if route != "" {
		w.span.SetName(method + " " + route)
		attrs = append(attrs, attribute.String("http.route", route), attribute.String("tollgate.api", e.API), attribute.String("tollgate.operation", e.Operation))
	}
	if !w.noPath {
		attrs = append(attrs, attribute.String("url.path", e.Path))
	}
	if method == otherMethod {
		attrs = append(attrs, attribute.String("http.request.method_original", e.Method))
	}
	if e.Rule != "" {
		attrs = append(attrs, attribute.String("tollgate.rule", e.Rule))
	}
	if host := w.call.Request.Host; host != "" {
		attrs = append(attrs, attribute.String("server.address", host))
	}
	if e.Invocation != "" {
		attrs = append(attrs, attribute.String("faas.invocation_id", e.Invocation))
	}
	if e.Status != 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", e.Status))
	}
	if kind := w.errorOf(e); kind != "" {
		attrs = append(attrs, attribute.String("error.type", kind))
		w.span.SetStatus(codes.Error, "")
	}
	w.span.SetAttributes(attrs...)
	w.span.End(trace.WithTimestamp(at))
}

// errorOf is error.type: of a server's span only what is the server's fault is
// an error ("HTTP spans", Status).
func (w *watch) errorOf(e *audit.Event) string {
	switch {
	case e.Verdict == audit.Granted && e.Code != audit.Granted: // begun, and not finished
		return w.names.code(e.Code)
	case e.Status < http.StatusInternalServerError:
		return ""
	case e.Verdict == audit.Refused:
		return w.names.code(e.Code)
	}
	return strconv.Itoa(statusOf(e.Status))
}
