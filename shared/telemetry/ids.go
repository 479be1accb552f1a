package telemetry

import (
	"context"
	"encoding/binary"
	"encoding/hex"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tollgate/shared/pipeline"
)

// ids gives the span of a call the ids that its event has: who reads one finds
// the other, sampled or not. All others are drawn.
type ids struct{ random func() uint64 }

var _ sdktrace.IDGenerator = ids{}

func (g ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if w := watchOf(ctx); w != nil && w.span == nil {
		return traceIDOf(w.call.Trace), spanIDOf(w.call.Trace.Span)
	}
	var t trace.TraceID
	binary.BigEndian.PutUint64(t[:8], g.random())
	binary.BigEndian.PutUint64(t[8:], g.random()|1)
	return t, g.fresh()
}

func (g ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if w := watchOf(ctx); w != nil && w.span == nil {
		return spanIDOf(w.call.Trace.Span)
	}
	return g.fresh()
}

func (g ids) fresh() (s trace.SpanID) {
	for !s.IsValid() {
		binary.BigEndian.PutUint64(s[:], g.random())
	}
	return s
}

func traceIDOf(t pipeline.Trace) (id trace.TraceID) {
	_, _ = hex.Decode(id[:], []byte(t.ID)) // 32 lower-case hex digits, always
	return id
}

func spanIDOf(text string) (id trace.SpanID) {
	_, _ = hex.Decode(id[:], []byte(text)) // 16
	return id
}

// parentOf is the caller's step.
func parentOf(t pipeline.Trace) trace.SpanContext {
	var flags trace.TraceFlags
	state, _ := trace.ParseTraceState(t.State) // one that OpenTelemetry can't read passes to the backend all the same
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceIDOf(t), SpanID: spanIDOf(t.Parent), TraceFlags: flags.WithSampled(t.Sampled), TraceState: state, Remote: true,
	})
}
