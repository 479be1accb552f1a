package telemetry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"

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
	this := try{method: methodOf(r.Method), scheme: r.URL.Scheme, resend: w.tries}
	this.host, this.port = hostOf(r)
	var id trace.SpanID
	if w.record != nil {
		id = b.fresh()
		r.Header["Traceparent"] = []string{w.call.Trace.Header(id.String())} // the request is made for this try alone
	}
	began := b.now()
	resp, err := b.next.RoundTrip(r)
	took := b.now().Sub(began)
	if this.failed = failure(r.Context(), resp, err); resp != nil {
		this.status = resp.StatusCode
	}
	if b.metrics != nil {
		b.metrics.asked(this, took)
	}
	if w.record != nil {
		kept := this
		w.record.marks = append(w.record.marks, mark{id: id, began: began, took: took, try: &kept})
	}
	w.tries++
	return resp, err
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
