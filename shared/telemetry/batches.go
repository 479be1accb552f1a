package telemetry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const (
	places     = 512             // calls that wait at the most, with all their spans
	batch      = 64              // calls exported at once
	age        = 5 * time.Second // a call waits no longer for others while calls come
	firstPause = time.Second     // after a failure, doubled with each in a row
	lastPause  = time.Minute
)

// again is "not now" by a collector; any other error of an exporter, but for
// those of the network, means never.
type again struct {
	wait  time.Duration
	cause error
}

func (a *again) Error() string { return a.cause.Error() }
func (a *again) Unwrap() error { return a.cause }

// batches keeps calls that ended and exports many at once. The call that
// fills a batch, or finds one that has waited long enough, starts the export and
// goes on; one is under way at a time. A timer does the same for those that no
// call comes after, and nothing breaks if it never fires.
//
// What waits is lost if the process is killed, and what comes while there is no
// room: both cost a picture, never a call.
type batches struct {
	to      sdktrace.SpanExporter
	o       Options
	timeout time.Duration
	turn    chan struct{} // held by whoever exports
	dropped atomic.Int64  // spans that were never exported

	mu     sync.Mutex
	calls  []*record
	oldest time.Time
	pause  pause
	timer  *time.Timer
	closed bool
}

func newBatches(to sdktrace.SpanExporter, timeout time.Duration, o Options) *batches {
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	return &batches{to: to, o: o, timeout: timeout, turn: make(chan struct{}, 1)}
}

// add keeps a call's spans.
func (b *batches) add(r *record) {
	now := r.ended
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.calls) >= places || b.closed {
		b.dropped.Add(r.spans())
		return
	}
	if len(b.calls) == 0 {
		b.oldest = now
	}
	b.calls = append(b.calls, r)
	switch {
	case b.due(now):
		b.start()
	case b.timer == nil:
		b.timer = time.AfterFunc(age, b.ring)
	}
}

// due tells whether a batch is to be exported now. The caller holds the lock.
func (b *batches) due(now time.Time) bool {
	return len(b.calls) > 0 && !b.pause.holds(now) && (len(b.calls) >= batch || now.Sub(b.oldest) >= age)
}

// start exports on the side, unless somebody does. The caller holds the lock.
func (b *batches) start() {
	select {
	case b.turn <- struct{}{}:
		go func() {
			defer func() { <-b.turn }()
			_ = b.export(context.Background(), b.due) // told already
		}()
	default:
	}
}

// ring is the timer's.
func (b *batches) ring() {
	now := b.o.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.timer = nil
	if b.closed || len(b.calls) == 0 {
		return
	}
	if b.due(now) {
		b.start()
	}
	b.timer = time.AfterFunc(max(age, b.pause.until.Sub(now)), b.ring)
}

// flush exports what waits, until nothing does, ctx ends, or the collector says no.
func (b *batches) flush(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
		return b.export(ctx, func(time.Time) bool { return len(b.calls) > 0 })
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *batches) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.dropped.Add(spansOf(b.calls))
	b.calls = nil
	if b.timer != nil {
		b.timer.Stop()
	}
}

// export takes batch after batch while more says so. It is called by whoever has the turn.
func (b *batches) export(ctx context.Context, more func(time.Time) bool) error {
	for {
		taken := b.take(more)
		if taken == nil {
			return nil
		}
		within, cancel := context.WithTimeout(ctx, b.timeout)
		var spans []sdktrace.ReadOnlySpan
		for _, r := range taken {
			spans = r.tree(spans)
		}
		err := b.to.ExportSpans(within, spans)
		cancel()
		if err = b.settle(taken, err); err != nil {
			return err
		}
	}
}

func (b *batches) take(more func(time.Time) bool) []*record {
	now := b.o.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !more(now) {
		return nil
	}
	n := min(len(b.calls), batch)
	taken := b.calls[:n:n]
	b.calls = append(make([]*record, 0, batch), b.calls[n:]...)
	b.oldest = now // at most one batch's time too late
	return taken
}

// settle takes in what became of a batch: one that the collector may take later
// goes back in front, as far as there is room.
func (b *batches) settle(taken []*record, err error) error {
	now := b.o.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	later := b.pause.after(err, now)
	if later {
		room := min(len(taken), places-len(b.calls))
		b.dropped.Add(spansOf(taken[:len(taken)-room]))
		b.calls = append(taken[len(taken)-room:], b.calls...)
	} else if err != nil {
		b.dropped.Add(spansOf(taken))
	}
	if text := b.pause.news("traces", err, b.dropped.Load()); text != "" {
		b.o.Warn(text)
	}
	return err
}

// pause is how long a collector that failed is left alone.
type pause struct {
	until time.Time
	wait  time.Duration
	down  bool // it was told that it fails
}

func (p *pause) holds(now time.Time) bool { return now.Before(p.until) }

// after takes in what became of an export; true: what was exported may be taken later.
func (p *pause) after(err error, now time.Time) bool {
	if err == nil {
		p.wait, p.until = 0, time.Time{}
		return false
	}
	p.wait = min(max(2*p.wait, firstPause), lastPause)
	later, ok := errors.AsType[*again](err)
	if ok {
		p.wait = max(p.wait, min(later.wait, 10*lastPause))
	}
	p.until = now.Add(p.wait)
	return ok
}

// news is said once when exports begin to fail, and once when they work again.
func (p *pause) news(what string, err error, dropped int64) string {
	switch {
	case err != nil && !p.down:
		p.down = true
		return fmt.Sprintf("%s can't be exported, which costs no call: %v", what, err)
	case err == nil && p.down:
		p.down = false
		return fmt.Sprintf("%s are exported again; %d spans were dropped so far", what, dropped)
	}
	return ""
}

func (r *record) spans() int64 { return int64(1 + len(r.marks)) }

func spansOf(calls []*record) (n int64) {
	for _, r := range calls {
		n += r.spans()
	}
	return n
}
