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

// ofStage names the stage, and what it said.
func (m *mark) ofStage() []attribute.KeyValue {
	if m.code == "" {
		return []attribute.KeyValue{attribute.String("tollgate.stage", m.name), attribute.String("tollgate.verdict", audit.Granted)}
	}
	attrs := []attribute.KeyValue{attribute.String("tollgate.stage", m.name), attribute.String("tollgate.verdict", audit.Refused), attribute.String("tollgate.code", m.code)}
	if m.rule != "" {
		attrs = append(attrs, attribute.String("tollgate.rule", m.rule))
	}
	return attrs
}

// ofTry doesn't say url.full: a backend's address can hold what contracts put
// into it, and the path is on the server span.
func (m *mark) ofTry() []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 7)
	attrs = append(attrs, attribute.String("http.request.method", m.name), attribute.String("url.scheme", m.scheme),
		attribute.String("server.address", m.host), attribute.Int("server.port", m.port))
	if m.resend > 0 {
		attrs = append(attrs, attribute.Int("http.request.resend_count", m.resend))
	}
	if m.status > 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", m.status))
	}
	if m.failed != "" {
		attrs = append(attrs, attribute.String("error.type", m.failed))
	}
	return attrs
}
