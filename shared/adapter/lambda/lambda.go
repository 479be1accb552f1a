// Package lambda is the AWS Lambda side of the gateway: events of API Gateway,
// function URLs and load balancers become requests, and what the gateway says
// becomes what those want back.
//
// Lambda freezes the process between two calls: whatever has to be done is done
// before the next event is asked for, and nothing waits for a timer.
package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/wire"
)

// Limits are those of the platform.
type Limits struct {
	Event      int           // bytes of an event; 413 beyond
	Answer     int64         // bytes of a whole answer, as JSON; 502 beyond
	Stream     int64         // bytes of a streamed answer's content
	Balancer   int64         // bytes of an answer to a load balancer, as JSON
	Margin     time.Duration // before the end of an invocation, from which on there is no time for a backend
	Flush      time.Duration // how long work after an answer may take
	Idle       time.Duration // without a call, after which kept connections aren't trusted
	LastMoment time.Duration // what is left of an invocation after that work
}

// DefaultLimits: Lambda takes 6 MB each way, and 20 MB streamed (Lambda quotas); a
// load balancer 1 MB.
func DefaultLimits() Limits {
	return Limits{
		Event: 6 << 20, Answer: 6 << 20, Stream: 20 << 20, Balancer: 1 << 20,
		Margin: 500 * time.Millisecond, Flush: 2 * time.Second, LastMoment: 50 * time.Millisecond, Idle: 3 * time.Second,
	}
}

// Gateway answers requests, and what can't be read as one.
type Gateway interface {
	http.Handler
	Unreadable(w http.ResponseWriter, r *http.Request, f *wire.Fault)
	Refuse(w http.ResponseWriter, r *http.Request, refused *refusal.Refusal)
	Judge(r *http.Request) (*pipeline.Call, *refusal.Refusal)
}

// Handler answers events. All but Gateway may be left out.
type Handler struct {
	Gateway Gateway
	Limits  Limits
	Stream  bool                            // the function's URL streams answers (RESPONSE_STREAM); events don't tell
	After   func(ctx context.Context) error // what has to be done before the process may be frozen
	Refresh func(ctx context.Context) error // what a schedule asks for
	Report  func(error)

	// Thawed is called where the process may have been frozen for longer than
	// servers keep connections open, by Now.
	Thawed func()
	Now    func() time.Time

	Authorizer Authorizer

	idle atomic.Int64 // since when, in Unix nanoseconds; 0: not yet
}

// Invoke answers one event. What it gives is read to its end, then closed: only
// then is the invocation's work done. An error is an event that can't be read;
// it holds nothing of the event.
func (h *Handler) Invoke(ctx context.Context, raw []byte) (io.ReadCloser, error) {
	h.wake()
	o, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("the event can't be read: %w", err)
	}
	switch {
	case scheduled(o):
		return h.refresh(ctx)
	case asks(o):
		return h.authorize(ctx, o)
	}
	e, err := read(o)
	if err != nil {
		return nil, fmt.Errorf("the event can't be read: %w", err)
	}
	within, cancel := h.within(ctx)
	r, fault := e.request(within)
	serve := func(w http.ResponseWriter) {
		switch {
		case len(raw) > h.Limits.Event:
			h.Gateway.Refuse(w, r, refusal.New(refusal.TooLarge, "payload_too_large", "The request is larger than the platform takes."))
		case fault != nil:
			h.Gateway.Unreadable(w, r, fault)
		default:
			h.Gateway.ServeHTTP(w, r)
		}
	}
	done := func() { cancel(); h.after(ctx) }
	if h.Stream && e.front == httpAPI {
		return h.stream(e, serve, done), nil
	}
	return h.whole(e, serve, done)
}

// within is the time that the gateway has: the invocation's, but for a margin in
// which a caller is told that it wasn't enough.
func (h *Handler) within(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, end.Add(-h.Limits.Margin), pipeline.ErrOutOfTime)
}

// wake looks at how long the process had nothing to do. A clock that stands still
// while it is frozen would not tell.
func (h *Handler) wake() {
	if h.Thawed == nil || h.Now == nil {
		return
	}
	if since := h.idle.Load(); since != 0 && h.Now().UnixNano()-since > int64(h.Limits.Idle) {
		h.Thawed()
	}
}

// after is the work that must not wait for the next call.
func (h *Handler) after(ctx context.Context) {
	if h.Now != nil {
		defer func() { h.idle.Store(h.Now().UnixNano()) }()
	}
	if h.After == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, h.Limits.Flush)
	defer cancel()
	if end, ok := ctx.Deadline(); ok {
		var soon context.CancelFunc
		ctx, soon = context.WithDeadline(ctx, end.Add(-h.Limits.LastMoment))
		defer soon()
	}
	if err := h.After(ctx); err != nil {
		h.report(err)
	}
}

func (h *Handler) whole(e *event, serve func(http.ResponseWriter), done func()) (io.ReadCloser, error) {
	most := h.Limits.Answer
	if e.front == alb || e.front == albMulti {
		most = h.Limits.Balancer
	}
	w := &buffered{answer: newAnswer(e.front, e.method, most)}
	if !h.run(serve, w) {
		w.Retract()
		broken(w)
	}
	text, err := w.encode()
	if err != nil {
		done()
		return nil, err
	}
	return &result{Reader: bytes.NewReader(text), kind: "application/json", done: done}, nil
}

func (h *Handler) stream(e *event, serve func(http.ResponseWriter), done func()) io.ReadCloser {
	in, out := io.Pipe()
	w, ended := &streamed{answer: newAnswer(e.front, e.method, h.Limits.Stream), out: out}, make(chan struct{})
	go func() {
		defer close(ended)
		whole := h.run(serve, w)
		if !whole && w.Retract() {
			broken(w)
			whole = true
		}
		w.end(whole)
	}()
	return &result{Reader: in, kind: streamType, done: func() {
		_ = in.Close() // a front that reads no more ends the call
		<-ended
		done()
	}}
}

// broken is the answer where the gateway gave none: its event has said why.
func broken(w http.ResponseWriter) {
	refusal.Write(w, refusal.About{}, refusal.New(refusal.BadGateway, "answer_broke_off", "The answer could not be completed."))
}

// run calls the gateway; false: what was written isn't an answer. A fault of ours
// costs its call, not the process, with which every call would begin anew.
func (h *Handler) run(serve func(http.ResponseWriter), w http.ResponseWriter) (whole bool) {
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		whole = false
		if err, ok := fault.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			h.report(fmt.Errorf("panic in an invocation: %v\n%s", fault, debug.Stack()))
		}
	}()
	serve(w)
	return true
}

func (h *Handler) report(err error) {
	if h.Report != nil {
		h.Report(err)
	}
}

// scheduled tells an event of a schedule (EventBridge).
func scheduled(o object) bool {
	source, err := o.text("source")
	return err == nil && (source == "aws.events" || source == "aws.scheduler")
}

func (h *Handler) refresh(ctx context.Context) (io.ReadCloser, error) {
	if h.Refresh != nil {
		if err := h.Refresh(ctx); err != nil {
			return nil, errors.New("the refresh failed; the log says why")
		}
	}
	return &result{Reader: bytes.NewReader([]byte("{}")), kind: "application/json", done: func() { h.after(ctx) }}, nil
}

// result is what the runtime sends. It is closed once that is out, before the
// next event is asked for: what is done then delays no caller.
type result struct {
	io.Reader
	kind string
	done func()
}

func (r *result) ContentType() string { return r.kind }

func (r *result) Close() error {
	if r.done != nil {
		r.done()
		r.done = nil
	}
	return nil
}

// MarshalJSON fails, so that the runtime reads instead.
func (*result) MarshalJSON() ([]byte, error) { return nil, errors.New("it is read") }
