package telemetry

import (
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// record is what a sampled call leaves: marks while it runs, and what became of
// it. Spans are made of it when they are exported. The SDK's own recording costs
// a call three times as much; DECISIONS.md has the figures.
type record struct {
	*Telemetry
	context pipeline.Trace
	trace   trace.TraceID
	id      trace.SpanID
	began   time.Time
	ended   time.Time

	name, failed string
	attrs        []attribute.KeyValue
	marks        []mark
	room         [8]mark
}

// mark is one stage that ran, or one try that went to the backend.
type mark struct {
	id      trace.SpanID
	began   time.Time
	took    time.Duration
	stage   *stage // or else
	try     *try
	refused *refusal.Refusal // by the stage; nil: it granted
}

// stage is one of the pipeline's, by what its spans have in common.
type stage struct {
	title   string
	name    attribute.KeyValue
	granted []attribute.KeyValue
}

// try is one request to a backend.
type try struct {
	method, scheme, host string
	port, status, resend int
	failed               string // error.type; "" for none
}

// tree is the server span and all below it.
func (r *record) tree(into []sdktrace.ReadOnlySpan) []sdktrace.ReadOnlySpan {
	views := make([]view, 1+len(r.marks))
	for i := range views {
		views[i] = view{record: r}
		if i > 0 {
			views[i].mark = &r.marks[i-1]
		}
		into = append(into, &views[i])
	}
	return into
}

// view is a record's server span, or that of one of its marks, as exporters read
// it. The embedded interface is nil: it lends the one method that nobody but the
// SDK can write.
type view struct {
	sdktrace.ReadOnlySpan
	record *record
	mark   *mark // nil: the server's
}

var _ sdktrace.ReadOnlySpan = (*view)(nil)

func (v *view) context(id trace.SpanID) trace.SpanContext {
	state, _ := trace.ParseTraceState(v.record.context.State) // one that OpenTelemetry can't read passes to the backend all the same
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: v.record.trace, SpanID: id, TraceFlags: trace.FlagsSampled, TraceState: state})
}

func (v *view) SpanContext() trace.SpanContext {
	if v.mark != nil {
		return v.context(v.mark.id)
	}
	return v.context(v.record.id)
}

func (v *view) Parent() trace.SpanContext {
	switch {
	case v.mark != nil:
		return v.context(v.record.id)
	case v.record.context.Parent == "":
		return trace.SpanContext{}
	}
	return v.context(spanIDOf(v.record.context.Parent)).WithRemote(true)
}

func (v *view) Name() string {
	switch {
	case v.mark == nil:
		return v.record.name
	case v.mark.try != nil:
		return v.mark.try.method
	}
	return v.mark.stage.title
}

func (v *view) SpanKind() trace.SpanKind {
	switch {
	case v.mark == nil:
		return trace.SpanKindServer
	case v.mark.try != nil:
		return trace.SpanKindClient
	}
	return trace.SpanKindInternal
}

func (v *view) StartTime() time.Time {
	if v.mark != nil {
		return v.mark.began
	}
	return v.record.began
}

func (v *view) EndTime() time.Time {
	if v.mark != nil {
		return v.mark.began.Add(v.mark.took)
	}
	return v.record.ended
}

func (v *view) Status() sdktrace.Status {
	var failed bool
	switch m := v.mark; {
	case m == nil:
		failed = v.record.failed != ""
	case m.try != nil:
		failed = m.try.failed != ""
	default: // a refusal that is the caller's own fault is no error
		failed = m.refused != nil && m.refused.Kind.Status() >= http.StatusInternalServerError
	}
	if failed {
		return sdktrace.Status{Code: codes.Error}
	}
	return sdktrace.Status{}
}

func (v *view) Attributes() []attribute.KeyValue {
	switch {
	case v.mark == nil:
		return v.record.attrs
	case v.mark.try != nil:
		return v.mark.try.attributes()
	case v.mark.refused != nil:
		return v.refusal()
	}
	return v.mark.stage.granted
}

func (v *view) InstrumentationScope() instrumentation.Scope   { return v.record.scope }
func (v *view) InstrumentationLibrary() instrumentation.Scope { return v.record.scope }
func (v *view) Resource() *resource.Resource                  { return v.record.what }
func (v *view) Links() []sdktrace.Link                        { return nil }
func (v *view) Events() []sdktrace.Event                      { return nil }
func (v *view) DroppedAttributes() int                        { return 0 }
func (v *view) DroppedLinks() int                             { return 0 }
func (v *view) DroppedEvents() int                            { return 0 }

func (v *view) ChildSpanCount() int {
	if v.mark != nil {
		return 0
	}
	return len(v.record.marks)
}

// Ids. Those of a call's server span are those of its event: who reads one finds
// the other. All others are drawn.

func (t *Telemetry) fresh() (s trace.SpanID) {
	for !s.IsValid() {
		binary.BigEndian.PutUint64(s[:], t.random())
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

// parentOf is the caller's step, for the sampler.
func parentOf(t pipeline.Trace, id trace.TraceID) trace.SpanContext {
	var flags trace.TraceFlags
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: spanIDOf(t.Parent), TraceFlags: flags.WithSampled(t.Sampled), Remote: true})
}
