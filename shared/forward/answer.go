package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"tollgate/shared/pipeline"
)

// answer streams the backend's answer. From here on nothing can be refused.
func (rt *route) answer(w http.ResponseWriter, c *pipeline.Call, resp *http.Response, got *attempt) {
	h, rc := w.Header(), http.NewResponseController(w)
	rt.api.cleaner.answer(resp.Header, h)
	c.Announce(h)
	h[CorrelationHeader] = []string{c.Correlation}
	if _, said := h["Content-Type"]; !said {
		h["Content-Type"] = nil // some servers would guess one from the body
	}
	for name := range resp.Trailer {
		if !rt.api.cleaner.toCaller.drops(name) {
			h.Add("Trailer", name)
		}
	}
	w.WriteHeader(resp.StatusCode)
	c.Outcome.Status = resp.StatusCode
	// A length that is known arrives in one go; anything else may be a stream
	// whose reader waits for each piece.
	streams := resp.ContentLength < 0 || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream")
	got.copy(w, rc, c, resp.Body, streams)
	got.blame(c)
	for name, values := range resp.Trailer {
		if !rt.api.cleaner.toCaller.drops(name) {
			h[name] = values
		}
	}
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

func (got *attempt) copy(w http.ResponseWriter, rc *http.ResponseController, c *pipeline.Call, from io.Reader, flush bool) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	if flush {
		_ = rc.Flush() // the headers alone are news; a failure shows at the next write
	}
	for {
		n, err := from.Read(*buf)
		if n > 0 {
			if _, writeErr := w.Write((*buf)[:n]); writeErr != nil {
				unwritable(c, writeErr)
				return
			}
			c.Outcome.Bytes += int64(n)
			c.Pass()
			if flush {
				_ = rc.Flush()
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return
		case errors.Is(context.Cause(c.Request.Context()), pipeline.ErrOutOfTime):
			c.Outcome.Broken, c.Outcome.Code = pipeline.ErrOutOfTime.Error(), "invocation_timeout"
			return
		case c.Request.Context().Err() != nil:
			c.Outcome.ClientGone = true
			return
		default:
			c.Outcome.Broken, c.Outcome.Code = fmt.Sprintf("read from %s: %s", got.target.url.Host, plainly(err)), "backend_broke_off"
			return
		}
	}
}

// unwritable: a client that can't be written to has left, unless it is the front end that takes no more.
func unwritable(c *pipeline.Call, err error) {
	if errors.Is(err, pipeline.ErrAnswerTooLarge) {
		c.Outcome.Broken, c.Outcome.Code = err.Error(), "answer_too_large"
		return
	}
	c.Outcome.ClientGone = true
}
