package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

var (
	errFunctionTimeout = errors.New("the function ran longer than functionTimeout")
	errBodyTooLarge    = errors.New("the request body is over FUNCTIONS_REQUEST_BODY_SIZE_LIMIT")
	errStartTooLong    = errors.New("the handler didn't start in time for a waiting call")
)

// invoke runs one function for one request and settles what the caller gets.
func (h *Host) invoke(c *call) {
	ctx, stop := h.withFunctionTimeout(c.r.Context())
	defer stop()
	life, err := h.await(ctx)
	if err == nil {
		switch c.fn.Mode {
		case Proxy:
			err = h.proxy(ctx, c, life)
		case Forward:
			err = h.forward(ctx, c)
		case JSON:
			err = h.post(ctx, c, life)
		}
	}
	h.settle(ctx, c, life, err)
}

func (h *Host) withFunctionTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if h.options.Budgets.Function <= 0 { // -1 in host.json
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, h.options.Budgets.Function, errFunctionTimeout)
}

// await waits while the handler is (re)starting. functions-host.md §1.4: up to
// four times its initialisation budget, after which the host gives up.
func (h *Host) await(ctx context.Context) (*life, error) {
	if h.handler == nil {
		return nil, errClosed
	}
	patience, stop := context.WithTimeoutCause(ctx, 4*h.app.config.init, errStartTooLong)
	defer stop()
	s, err := h.handler.until(patience, func(s state) (bool, error) {
		return s.ready || s.stopped != nil, s.stopped
	})
	if errors.Is(err, errStartTooLong) {
		h.handler.surrender(err)
	}
	return s.life, err
}

// settle turns the outcome of an invocation into what the caller sees.
// functions-host.md §2d: any failure is 500 without a body; once headers were
// sent the connection is broken.
func (h *Host) settle(ctx context.Context, c *call, life *life, err error) {
	if err == nil {
		return
	}
	if life != nil && errors.Is(context.Cause(ctx), errFunctionTimeout) {
		// §1.5: the handler is restarted, and every other call in it dies.
		life.ask(fmt.Sprintf("%s timed out after %s (functionTimeout)", c.fn.Name, h.options.Budgets.Function))
	}
	if c.w.started {
		c.w.abort()
		return
	}
	status := http.StatusInternalServerError
	if errors.Is(err, errBodyTooLarge) && h.options.Variants.BodyTooLarge != 0 {
		status = h.options.Variants.BodyTooLarge
	}
	c.w.clear()
	c.w.WriteHeader(status)
}

// bodyLimit applies functions-host.md §2d.
func bodyLimit(env environment) (int64, error) {
	const setting = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
	text, ok := env.values[setting]
	if !ok {
		return 104_857_600, nil
	}
	limit, err := strconv.ParseInt(text, 10, 64)
	if err != nil || limit < 0 {
		return 0, fmt.Errorf("app setting %s: got %q, want a number of bytes", setting, text)
	}
	return limit, nil
}

// limited fails the read that goes over the host's body limit (§2d).
type limited struct {
	io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errBodyTooLarge
	}
	return n, err
}

// body is the request's body, never longer than the host allows.
func (h *Host) body(c *call) (io.Reader, error) {
	if c.r.ContentLength > h.bodyLimit {
		return nil, errBodyTooLarge
	}
	return &limited{Reader: c.r.Body, left: h.bodyLimit}, nil
}

// wholeBody reads a body of known length into memory; there is none otherwise.
func (h *Host) wholeBody(c *call) ([]byte, error) {
	if c.r.ContentLength <= 0 {
		return nil, nil
	}
	body, err := h.body(c)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("read the request body: %w", err)
	}
	return content, nil
}
