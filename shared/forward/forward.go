// Package forward hands a granted call over to its backend and streams the
// answer back.
package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// CorrelationHeader names the call to the backend and to the caller.
const CorrelationHeader = "X-Correlation-Id"

// route is one API's way to its backend.
type route struct {
	api     contract.PlannedAPI
	target  *url.URL
	base    string // the backend's own path, without a slash at the end
	cleaner cleaner
	way     forwarding
	rt      http.RoundTripper
	prove   []pipeline.Prover
}

var errDeadline = errors.New("the backend missed its deadline")

// To is the delivery to one API's backend. prove adds to each request what proves
// the gateway to the backend.
func To(api contract.PlannedAPI, claims []contract.Header, rt http.RoundTripper, prove ...pipeline.Prover) pipeline.Delivery {
	target := api.Backend.Targets[0].URL
	t := &route{
		api: api, target: target, base: strings.TrimSuffix(target.EscapedPath(), "/"),
		cleaner: newCleaner(claims, api), way: newForwarding(api.PublicURL), rt: rt, prove: prove,
	}
	return t.deliver
}

func (t *route) deliver(ctx context.Context, w http.ResponseWriter, c *pipeline.Call) *refusal.Refusal {
	if c.Request.ContentLength > t.api.MaxBody {
		return tooLarge()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	waiting := newClock(t.api.Backend.Timeout, func() { cancel(errDeadline) })
	out, sent := t.request(ctx, c, waiting)
	for _, prove := range t.prove {
		if refused := prove(ctx, c, out); refused != nil {
			waiting.stop()
			return refused // never an unproved call
		}
	}
	resp, err := t.rt.RoundTrip(out)
	waiting.stop()
	if err != nil {
		return t.failed(ctx, c, sent, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 999 { // 101 was not asked for; the others are no status
		return badGateway(fmt.Errorf("%s answered with status %d", t.target.Host, resp.StatusCode))
	}
	t.answer(w, c, resp, sent)
	return nil
}

// request is what the backend receives. The path is byte for byte the one that was matched.
func (t *route) request(ctx context.Context, c *pipeline.Call, waiting *clock) (*http.Request, *body) {
	in, u := c.Request, t.target
	header := t.cleaner.request(in.Header)
	for name, values := range c.Forward {
		header[name] = values
	}
	header[CorrelationHeader] = []string{c.Correlation}
	t.way.add(header, c.Client)
	addTrace(in.Header, header, c.Correlation)
	out := (&http.Request{
		Method: in.Method, Header: header, Host: u.Host, ContentLength: in.ContentLength,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL: &url.URL{Scheme: u.Scheme, Host: u.Host, RawQuery: cleanQuery(in.URL.RawQuery), ForceQuery: in.URL.ForceQuery},
	}).WithContext(ctx)
	raw := t.base + c.Path
	out.URL.Path, out.URL.RawPath = raw, raw
	if decoded, err := url.PathUnescape(raw); err == nil {
		out.URL.Path = decoded
	}
	if in.Body == nil || in.Body == http.NoBody || in.ContentLength == 0 {
		return out, nil
	}
	sent := &body{from: in.Body, left: t.api.MaxBody, clock: waiting}
	out.Body = sent
	return out, sent
}

// answer streams the backend's answer. From here on nothing can be refused.
func (t *route) answer(w http.ResponseWriter, c *pipeline.Call, resp *http.Response, sent *body) {
	h, rc := w.Header(), http.NewResponseController(w)
	t.cleaner.answer(resp.Header, h)
	c.Announce(h)
	h[CorrelationHeader] = []string{c.Correlation}
	if _, said := h["Content-Type"]; !said {
		h["Content-Type"] = nil // net/http would guess one from the body
	}
	for name := range resp.Trailer {
		if !t.cleaner.toCaller.drops(name) {
			h.Add("Trailer", name)
		}
	}
	w.WriteHeader(resp.StatusCode)
	c.Outcome.Status = resp.StatusCode
	// A length that is known arrives in one go; anything else may be a stream
	// whose reader waits for each piece.
	streams := resp.ContentLength < 0 || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream")
	t.copy(w, rc, c, resp.Body, streams)
	t.blame(c, sent)
	for name, values := range resp.Trailer {
		if !t.cleaner.toCaller.drops(name) {
			h[name] = values
		}
	}
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

func (t *route) copy(w http.ResponseWriter, rc *http.ResponseController, c *pipeline.Call, from io.Reader, flush bool) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	if flush {
		_ = rc.Flush() // the headers alone are news; a failure shows at the next write
	}
	for {
		n, err := from.Read(*buf)
		if n > 0 {
			if _, writeErr := w.Write((*buf)[:n]); writeErr != nil {
				c.Outcome.ClientGone = true
				return
			}
			c.Outcome.Bytes += int64(n)
			if flush {
				_ = rc.Flush()
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return
		case c.Request.Context().Err() != nil:
			c.Outcome.ClientGone = true
			return
		default:
			c.Outcome.Broken, c.Outcome.Code = fmt.Sprintf("read from %s: %s", t.target.Host, plainly(err)), "backend_broke_off"
			return
		}
	}
}
