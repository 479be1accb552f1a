package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// spanExporter exports spans by OTLP over HTTP.
type spanExporter struct {
	*sender
	room []byte // of the last batch: one is under way at a time
}

var _ sdktrace.SpanExporter = (*spanExporter)(nil)

// ExportSpans sends all of them at once.
func (x *spanExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	e := &encoder{json: x.json, out: x.room[:0]}
	e.traces(spans)
	err := x.send(ctx, e.out)
	if x.room = e.out; err != nil {
		x.room = nil // a request that was given up may still be read by its connection
	}
	return err
}

// Shutdown has nothing to do: connections are the transport's.
func (x *spanExporter) Shutdown(context.Context) error { return nil }

// traces is an ExportTraceServiceRequest. All spans are of one resource and one
// scope, for one gateway made them.
func (e *encoder) traces(spans []sdktrace.ReadOnlySpan) {
	e.begin()
	e.list("resourceSpans")
	e.open(1, "")
	e.resource(spans[0].Resource())
	e.list("scopeSpans")
	e.open(2, "")
	e.scope(spans[0].InstrumentationScope())
	e.list("spans")
	for _, s := range spans {
		e.span(s)
	}
	e.endList()
	e.close()
	e.endList()
	e.close()
	e.endList()
	e.end()
}

// begin and end are the request itself, which protobuf doesn't mark.
func (e *encoder) begin() {
	if e.json {
		e.out = append(e.out, '{')
	}
}

func (e *encoder) end() {
	if e.json {
		e.out = append(e.out, '}')
	}
}

func (e *encoder) resource(r *resource.Resource) {
	e.open(1, "resource")
	e.attributes(1, r.Attributes())
	e.close()
}

func (e *encoder) scope(s instrumentation.Scope) {
	e.open(1, "scope")
	e.text(1, "name", s.Name)
	e.text(2, "version", s.Version)
	e.close()
}

func (e *encoder) span(s sdktrace.ReadOnlySpan) {
	own, parent := s.SpanContext(), s.Parent()
	trace, id := own.TraceID(), own.SpanID()
	e.open(2, "")
	e.bytes(1, "traceId", trace[:])
	e.bytes(2, "spanId", id[:])
	e.text(3, "traceState", own.TraceState().String())
	flags := uint32(own.TraceFlags()) | 0x100 // whether the parent is remote is known
	if parent.IsRemote() {
		flags |= 0x200
	}
	if parent.HasSpanID() {
		id = parent.SpanID()
		e.bytes(4, "parentSpanId", id[:])
	}
	e.text(5, "name", s.Name())
	e.enum(6, "kind", int(s.SpanKind()))
	e.fixed(7, "startTimeUnixNano", nano(s.StartTime()))
	e.fixed(8, "endTimeUnixNano", nano(s.EndTime()))
	e.attributes(9, s.Attributes())
	if status := s.Status(); status.Code != codes.Unset {
		e.open(15, "status")
		code := 1
		if status.Code == codes.Error {
			code = 2
		}
		e.text(2, "message", status.Description)
		e.enum(3, "code", code)
		e.close()
	}
	e.flags(16, "flags", flags)
	e.close()
}

func nano(t time.Time) uint64 { return uint64(max(t.UnixNano(), 0)) }

func (e *encoder) attributes(field int, attrs []attribute.KeyValue) {
	e.list("attributes")
	for _, a := range attrs {
		e.open(field, "")
		e.text(1, "key", string(a.Key))
		e.open(2, "value")
		switch a.Value.Type() {
		case attribute.BOOL:
			e.flagged(a.Value.AsBool())
		case attribute.INT64:
			e.integer(3, "intValue", a.Value.AsInt64())
		case attribute.FLOAT64:
			e.double(4, "doubleValue", a.Value.AsFloat64())
		default: // nothing here sets lists
			e.value(1, "stringValue", a.Value.AsString())
		}
		e.close()
		e.close()
	}
	e.endList()
}

// flagged is a truth value that says no, too.
func (e *encoder) flagged(b bool) {
	if b || e.json {
		e.bool(2, "boolValue", b)
		return
	}
	e.tag(2, 0)
	e.out = append(e.out, 0)
}
