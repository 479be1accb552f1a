package telemetry

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"tollgate/shared/audit"
)

// maxText bounds what a caller chose of an attribute.
const maxText = 1024

// clipped is a copy: what it is cut from may be a whole request's head, and waits
// with it.
func clipped(s string) string { return strings.Clone(s[:min(len(s), maxText)]) }

// describe is the server span by the conventions ("HTTP server span"), without
// the query, which can hold keys, and without who called: that is the event's.
func (r *record) describe(host string, e *audit.Event) {
	method, route := methodOf(e.Method), r.names.route(e.API, e.Operation)
	r.name = method
	attrs := make([]attribute.KeyValue, 0, 14)
	attrs = append(attrs, attribute.String("http.request.method", method), attribute.String("url.scheme", r.scheme),
		attribute.String("tollgate.correlation_id", e.Correlation), attribute.String("tollgate.verdict", e.Verdict), attribute.String("tollgate.code", r.names.code(e.Code)))
	if route != "" {
		r.name = method + " " + route
		attrs = append(attrs, attribute.String("http.route", route), attribute.String("tollgate.api", e.API), attribute.String("tollgate.operation", e.Operation))
	}
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, attribute.String(key, value))
		}
	}
	if !r.noPath {
		text("url.path", clipped(e.Path))
	}
	if method == otherMethod {
		text("http.request.method_original", clipped(e.Method))
	}
	text("tollgate.rule", e.Rule)
	text("server.address", clipped(host))
	text("faas.invocation_id", clipped(e.Invocation))
	text("error.type", r.failed)
	if e.Status != 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", e.Status))
	}
	r.attrs = attrs
}

func newStage(name string) *stage {
	of := attribute.String("tollgate.stage", name)
	return &stage{"stage " + name, of, []attribute.KeyValue{of, attribute.String("tollgate.verdict", audit.Granted)}}
}

// refusal names the stage, and what it said.
func (v *view) refusal() []attribute.KeyValue {
	said := v.mark.refused
	attrs := []attribute.KeyValue{v.mark.stage.name, attribute.String("tollgate.verdict", audit.Refused), attribute.String("tollgate.code", v.record.names.code(said.Code))}
	if said.Rule != "" {
		attrs = append(attrs, attribute.String("tollgate.rule", said.Rule))
	}
	return attrs
}

// attributes don't say url.full: a backend's address can hold what contracts put
// into it, and the path is on the server span.
func (t *try) attributes() []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 7)
	attrs = append(attrs, attribute.String("http.request.method", t.method), attribute.String("url.scheme", t.scheme),
		attribute.String("server.address", t.host), attribute.Int("server.port", t.port))
	if t.resend > 0 {
		attrs = append(attrs, attribute.Int("http.request.resend_count", t.resend))
	}
	if t.status > 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", t.status))
	}
	if t.failed != "" {
		attrs = append(attrs, attribute.String("error.type", t.failed))
	}
	return attrs
}
