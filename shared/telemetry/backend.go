package telemetry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"tollgate/shared/contract"
	"tollgate/shared/wire"
)

// Backends makes each request to a backend a client span, whose id is what the
// backend hears, and measures it.
func (t *Telemetry) Backends(to func(contract.PlannedAPI) http.RoundTripper) func(contract.PlannedAPI) http.RoundTripper {
	if t == nil {
		return to
	}
	return func(api contract.PlannedAPI) http.RoundTripper { return &client{t, to(api)} }
}

type client struct {
	*Telemetry
	next http.RoundTripper
}

// RoundTrip ends the span when the answer's head is there, or none will be
// ("HTTP client spans" leaves that to the instrumentation): the body is the
// server span's to wait for, and an upgraded connection stays what it is.
func (b *client) RoundTrip(r *http.Request) (*http.Response, error) {
	w := watchOf(r.Context())
	if w == nil {
		return b.next.RoundTrip(r)
	}
	began := b.now()
	var span trace.Span
	if w.span != nil {
		_, span = b.tracer.Start(w.ctx, methodOf(r.Method), trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(began))
		id := span.SpanContext().SpanID()
		r.Header["Traceparent"] = []string{w.call.Trace.Header(id.String())} // the request is made for this try alone
	}
	resp, err := b.next.RoundTrip(r)
	at := b.now()
	if b.metrics != nil {
		b.metrics.asked(r, resp, err, at.Sub(began))
	}
	if span != nil {
		w.finish(span, r, resp, err, at)
	}
	w.tries++
	return resp, err
}

// finish doesn't say url.full: a backend's address can hold what contracts put
// into it, and the path is on the server span.
func (w *watch) finish(span trace.Span, r *http.Request, resp *http.Response, err error, at time.Time) {
	host, port := hostOf(r)
	attrs := make([]attribute.KeyValue, 0, 8)
	attrs = append(attrs, attribute.String("http.request.method", methodOf(r.Method)), attribute.String("url.scheme", r.URL.Scheme),
		attribute.String("server.address", host), attribute.Int("server.port", port))
	if w.tries > 0 {
		attrs = append(attrs, attribute.Int("http.request.resend_count", w.tries))
	}
	if resp != nil {
		attrs = append(attrs, attribute.Int("http.response.status_code", resp.StatusCode))
	}
	if kind := failure(r.Context(), resp, err); kind != "" {
		attrs = append(attrs, attribute.String("error.type", kind))
		span.SetStatus(codes.Error, "")
	}
	span.SetAttributes(attrs...)
	span.End(trace.WithTimestamp(at))
}

// failure is error.type: of a client's span every status from 400 on is one.
func failure(ctx context.Context, resp *http.Response, err error) string {
	var timeout net.Error
	switch {
	case err == nil && resp.StatusCode < http.StatusBadRequest:
		return ""
	case err == nil:
		return strconv.Itoa(statusOf(resp.StatusCode))
	case errors.Is(context.Cause(ctx), context.Canceled): // the caller left
		return "canceled"
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, wire.ErrNotSent):
		return "not_sent"
	}
	return otherName
}

// hostOf is the target's: of the plan, never of the caller.
func hostOf(r *http.Request) (host string, port int) {
	port = 443
	if r.URL.Scheme == "http" {
		port = 80
	}
	if said, err := strconv.Atoi(r.URL.Port()); err == nil {
		port = said
	}
	return r.URL.Hostname(), port
}
