// Package forward hands a granted call over to its backend and streams the
// answer back.
package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// CorrelationHeader names the call to the backend and to the caller.
const CorrelationHeader = "X-Correlation-Id"

// Transport is how backends are reached: no redirects, no decompression, no
// proxy from the environment, every step bounded.
func Transport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		DisableCompression:     true, // what the backend encoded, the client decodes
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		WriteBufferSize:        16 << 10,
		ReadBufferSize:         16 << 10,
	}
}

// route is one API's way to its backend.
type route struct {
	api     contract.PlannedAPI
	base    string // the backend's own path, without a slash at the end
	cleaner cleaner
	rt      http.RoundTripper
}

var errDeadline = errors.New("the backend missed its deadline")

// To is the delivery to one API's backend.
func To(api contract.PlannedAPI, claims []contract.Header, rt http.RoundTripper) pipeline.Delivery {
	t := &route{api: api, base: strings.TrimSuffix(api.Backend.EscapedPath(), "/"), cleaner: newCleaner(claims), rt: rt}
	return t.deliver
}

func (t *route) deliver(ctx context.Context, w http.ResponseWriter, c *pipeline.Call) *refusal.Refusal {
	if c.Request.ContentLength > t.api.MaxBody {
		return tooLarge()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	waiting := newClock(t.api.Timeout, func() { cancel(errDeadline) })
	out, sent := t.request(ctx, c, waiting)
	resp, err := t.rt.RoundTrip(out)
	waiting.stop()
	if err != nil {
		return t.failed(ctx, c, sent, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return badGateway(errors.New("the backend switched protocols unasked"))
	}
	t.answer(w, c, resp)
	return nil
}

// request is what the backend receives. The path is byte for byte the one that was matched.
func (t *route) request(ctx context.Context, c *pipeline.Call, waiting *clock) (*http.Request, *body) {
	in, u := c.Request, t.api.Backend
	header := t.cleaner.request(in.Header)
	for name, values := range c.Forward {
		header[name] = values
	}
	header[CorrelationHeader] = []string{c.Correlation}
	if _, ok := header["User-Agent"]; !ok {
		header["User-Agent"] = []string{""} // the transport would add its own
	}
	out := (&http.Request{
		Method: in.Method, Header: header, Host: u.Host, ContentLength: in.ContentLength,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL: &url.URL{Scheme: u.Scheme, Host: u.Host, RawQuery: cleanQuery(in.URL.RawQuery)},
	}).WithContext(ctx)
	raw := t.base + c.Path
	out.URL.Path, out.URL.RawPath = raw, raw
	if decoded, err := url.PathUnescape(raw); err == nil {
		out.URL.Path = decoded
	}
	if in.Body == nil || in.Body == http.NoBody || in.ContentLength == 0 {
		return out, nil
	}
	sent := &body{ReadCloser: in.Body, left: t.api.MaxBody, clock: waiting}
	out.Body = sent
	return out, sent
}

// failed tells apart whose fault it was that no answer came.
func (t *route) failed(ctx context.Context, c *pipeline.Call, sent *body, err error) *refusal.Refusal {
	timeout, isNet := errors.AsType[net.Error](err)
	switch {
	case sent != nil && sent.tooLong.Load():
		return tooLarge()
	case errors.Is(context.Cause(ctx), errDeadline), isNet && timeout.Timeout():
		return refusal.New(refusal.GatewayTimeout, "backend_timeout", "The backend did not answer in time.").
			By("backend.timeout").Because(fmt.Errorf("call %s: %w", t.api.Backend.Host, err))
	case c.Request.Context().Err() != nil:
		c.Outcome.ClientGone = true
		return nil
	}
	return badGateway(fmt.Errorf("call %s: %w", t.api.Backend.Host, err))
}

func tooLarge() *refusal.Refusal {
	return refusal.New(refusal.TooLarge, "body_too_large", "The request body is larger than this API takes.").By("maxBody")
}

func badGateway(err error) *refusal.Refusal {
	return refusal.New(refusal.BadGateway, "backend_unreachable", "The backend could not be reached.").By("backend.url").Because(err)
}

// answer streams the backend's answer. From here on nothing can be refused.
func (t *route) answer(w http.ResponseWriter, c *pipeline.Call, resp *http.Response) {
	h := w.Header()
	t.cleaner.answer(resp.Header, h)
	h[CorrelationHeader] = []string{c.Correlation}
	for name := range resp.Trailer {
		if !t.cleaner.trusted(contract.FoldHeader(name)) {
			h.Add("Trailer", name)
		}
	}
	w.WriteHeader(resp.StatusCode)
	c.Outcome.Status = resp.StatusCode
	// A length that is known arrives in one go; anything else may be a stream
	// whose reader waits for each piece.
	streams := resp.ContentLength < 0 || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream")
	t.copy(w, c, resp.Body, streams)
	for name, values := range resp.Trailer {
		if !t.cleaner.trusted(contract.FoldHeader(name)) {
			h[name] = values
		}
	}
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

func (t *route) copy(w http.ResponseWriter, c *pipeline.Call, from io.Reader, flush bool) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	rc := http.NewResponseController(w)
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
			c.Outcome.Broken = fmt.Sprintf("read from %s: %v", t.api.Backend.Host, err)
			return
		}
	}
}
