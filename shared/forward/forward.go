// Package forward hands a granted call over to its backend and streams the
// answer back.
package forward

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// CorrelationHeader names the call to the backend and to the caller.
const CorrelationHeader = "X-Correlation-Id"

// Backend is one API's backend, with what this instance knows of its targets.
type Backend struct {
	plan     contract.PlannedBackend
	maxBody  int64
	targets  *targets
	places   places
	cleaner  cleaner
	withheld []string // parameters, in lower case
	way      forwarding
	rt       http.RoundTripper
	now      func() time.Time
	prove    []pipeline.Prover
}

// At is the backend of an API that has one. prove adds to each request what
// proves the gateway to it.
func At(api contract.PlannedAPI, claims []contract.Header, rt http.RoundTripper, now func() time.Time, prove ...pipeline.Prover) *Backend {
	return &Backend{
		plan: api.Backend, maxBody: api.MaxBody, targets: newTargets(api.Backend, now), places: newPlaces(api.Backend.MaxConcurrent),
		cleaner: newCleaner(claims, api), withheld: slices.Concat(contract.WithheldParameters(), api.KeyNames.Parameters), way: newForwarding(api.PublicURL), rt: rt, now: now, prove: prove,
	}
}

// route is one operation's way to its backend.
type route struct {
	api *Backend
	op  contract.PlannedOperation
}

// To is the delivery of one operation's calls.
func (b *Backend) To(op contract.PlannedOperation) pipeline.Delivery {
	return (&route{b, op}).deliver
}

var errDeadline = errors.New("the backend missed its deadline")

func (rt *route) deliver(ctx context.Context, w http.ResponseWriter, c *pipeline.Call) *refusal.Refusal {
	if c.Request.ContentLength > rt.api.maxBody {
		return tooLarge()
	}
	if _, can := w.(http.Hijacker); !can && rt.op.WebSocket && asksForWebSocket(c.Request) {
		return refusal.New(refusal.NotImplemented, "websocket_unsupported", "No WebSocket can pass the gateway's front end.")
	}
	if !rt.api.places.take() {
		return refusal.New(refusal.Unavailable, "backend_busy", "The backend has as many calls under way as it may.").
			By("backend.maxConcurrent").Retry(time.Second)
	}
	defer rt.api.places.leave()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := rt.api.now()
	defer func() { c.Outcome.Delivering = rt.api.now().Sub(began) }()
	waiting := newClock(rt.api.plan.Timeout, func() { cancel(errDeadline) })
	sent := rt.body(c.Request, waiting)
	defer func() { c.Outcome.Received += sent.received() }() // whatever came of the call: limits of bytes count them
	resp, got, refused := rt.try(ctx, c, sent, waiting)
	waiting.stop()
	c.Outcome.Waited = rt.api.now().Sub(began)
	if resp != nil {
		c.Outcome.BackendStatus = resp.StatusCode
	}
	if refused != nil || resp == nil {
		return refused
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols && switches(resp, got.out):
		return rt.join(w, c, resp, got)
	case resp.StatusCode < 200 || resp.StatusCode > 999: // 101 was not asked for; the others are no status
		return got.unreachable(fmt.Errorf("%s answered with status %d", got.target.url.Host, resp.StatusCode))
	}
	rt.answer(w, c, resp, got)
	return nil
}

// request is what the backend receives. Of what a caller sent, only the path and
// the query are in its address, and never before the target's own path.
func (rt *route) request(ctx context.Context, c *pipeline.Call, t *target, sent *body) *http.Request {
	in, b := c.Request, rt.api
	header := b.cleaner.request(in.Header)
	for name, values := range c.Forward {
		header[name] = values
	}
	header[CorrelationHeader] = []string{c.Correlation}
	b.way.add(header, c.Client)
	addTrace(c, header)
	if rt.op.WebSocket && asksForWebSocket(in) {
		header["Upgrade"] = []string{"websocket"} // the transport adds Connection
	}
	out := (&http.Request{
		Method: in.Method, Header: header, Host: t.url.Host, ContentLength: in.ContentLength,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL: rt.address(t, c),
	}).WithContext(ctx)
	if sent != nil {
		out.Body = sent
	}
	return out
}

// body is the request's body on its way; nil: it has none.
func (rt *route) body(in *http.Request, waiting *clock) *body {
	if in.Body == nil || in.Body == http.NoBody || in.ContentLength == 0 {
		return nil
	}
	return &body{from: in.Body, left: rt.api.maxBody, clock: waiting}
}

func baseOf(t contract.PlannedTarget) string { return strings.TrimSuffix(t.URL.EscapedPath(), "/") }
