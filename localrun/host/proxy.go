package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// proxy hands the request to the handler and streams the answer back: functions-host.md §2c.
func (h *Host) proxy(ctx context.Context, c *call, life *life) error {
	body, err := h.proxyBody(c)
	if err != nil {
		return err
	}
	active := startActivity(ctx, h.options.Budgets.Activity)
	defer active.stop()
	if body != nil {
		body.touch = active.touch
	}
	out := h.outbound(active.ctx, c, body)
	answer, err := h.attempt(out, body, life)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	active.touch()
	if answer.StatusCode == http.StatusSwitchingProtocols {
		return upgrade(c, answer, active)
	}
	return h.relay(c, answer, active)
}

// proxyBody is what goes to the handler: nothing, the whole body read beforehand
// (length known), or the caller's stream. §2c: chunked bodies are never pre-read.
func (h *Host) proxyBody(c *call) (*onceBody, error) {
	if c.r.ContentLength == 0 {
		return nil, nil
	}
	if c.r.ContentLength > 0 && !h.options.Variants.NoPreBuffer {
		content, err := h.wholeBody(c)
		if err != nil {
			return nil, err
		}
		return &onceBody{reader: bytes.NewReader(content)}, nil
	}
	reader, err := h.body(c)
	if err != nil {
		return nil, err
	}
	return &onceBody{reader: reader}, nil
}

// onceBody is a request body that can be sent once only, as YARP's is.
type onceBody struct {
	reader  io.Reader
	touch   func()
	started atomic.Bool
}

func (b *onceBody) Read(p []byte) (int, error) {
	b.started.Store(true)
	n, err := b.reader.Read(p)
	b.touch()
	return n, err
}

// Close does nothing: a refused connection closes a body that the next attempt
// still needs.
func (b *onceBody) Close() error { return nil }

func (h *Host) outbound(ctx context.Context, c *call, body *onceBody) *http.Request {
	out := &http.Request{
		Method: c.r.Method,
		URL:    wireURL(h.handler.address, encodePath(c.target.path), c.target.query),
		Header: h.proxyHeaders(c),
	}
	if h.options.Variants.PassForwarded {
		out.Host = c.host
	}
	switch {
	case body != nil:
		out.Body, out.ContentLength = body, c.r.ContentLength
	case out.Method == http.MethodGet, out.Method == http.MethodHead, out.Method == http.MethodOptions:
		out.Body = nothing{}
	}
	return out.WithContext(ctx)
}

// nothing is an empty body. Go's transport sends a request with a body of its own
// accord never twice, so the handler sees as many requests as attempt makes.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, io.EOF }
func (nothing) Close() error             { return nil }

// maxAttempts counts the first one too.
const maxAttempts = 10

// attempt sends the request. functions-host.md §2c: any transport failure is
// tried again up to ten times in all, unless the body was begun.
func (h *Host) attempt(out *http.Request, body *onceBody, life *life) (*http.Response, error) {
	ctx := out.Context()
	faulted := h.faulted(life)
	for n := 1; ; n++ {
		answer, err := h.transport.RoundTrip(out.Clone(ctx))
		if err == nil && answer.StatusCode < 100 {
			_ = answer.Body.Close() // the answer is refused whatever this says
			err = fmt.Errorf("the handler answered with status %d", answer.StatusCode)
		}
		switch {
		case err == nil:
			return answer, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case n == maxAttempts, body != nil && body.started.Load():
			return nil, fmt.Errorf("send the request to the handler, attempt %d: %w", n, err)
		}
		if err := pause(ctx, retryDelay(n), faulted); err != nil {
			return nil, err
		}
	}
}

// faulted is closed when the invocation counts as failed, after which newer
// hosts stop trying.
func (h *Host) faulted(life *life) <-chan struct{} {
	if h.options.Variants.NoRetryAfterExit {
		return life.process.Gone()
	}
	return nil
}

var errFaulted = errors.New("the handler ended during the invocation")

// pause waits for the next attempt; an error says that there is none.
func pause(ctx context.Context, delay time.Duration, faulted <-chan struct{}) error {
	select {
	case <-time.After(delay):
	case <-faulted:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-faulted:
		return errFaulted
	default:
		return nil
	}
}

// retryDelay is 50, 100, 200, then 250 ms (functions-host.md §2c).
func retryDelay(failed int) time.Duration {
	return min(50*time.Millisecond<<(failed-1), 250*time.Millisecond)
}

// upgradable tells whether the caller asks for a protocol that the host passes
// on: WebSocket, or SPDY for old clients; anything else (h2c) is dropped.
func upgradable(r *http.Request) bool {
	protocol := r.Header.Get("Upgrade")
	if !strings.EqualFold(protocol, "websocket") && !strings.HasPrefix(strings.ToUpper(protocol), "SPDY/") {
		return false
	}
	for token := range strings.SplitSeq(strings.Join(r.Header.Values("Connection"), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
			return true
		}
	}
	return false
}
