package host

import (
	"context"
	"sync"
)

// calls counts what is under way, so that Close can wait for it.
type calls struct {
	mu      sync.Mutex
	running int
	idle    chan struct{} // set by wait
}

// enter tells whether one more may begin; after wait none may.
func (c *calls) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle != nil {
		return false
	}
	c.running++
	return true
}

func (c *calls) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	if c.running == 0 && c.idle != nil {
		close(c.idle)
	}
}

// wait refuses further calls and returns when the last one has left.
func (c *calls) wait() {
	c.mu.Lock()
	c.idle = make(chan struct{})
	if c.running == 0 {
		close(c.idle)
	}
	idle := c.idle
	c.mu.Unlock()
	<-idle
}

// throttle holds host.json's two request limits (functions-host.md §4).
type throttle struct {
	mu          sync.Mutex
	outstanding int // running and queued
	most        int // <= 0 = unbounded
	slots       chan struct{}
}

func newThrottle(c config) *throttle {
	t := &throttle{most: c.maxOutstanding}
	if c.maxConcurrent > 0 {
		t.slots = make(chan struct{}, c.maxConcurrent)
	}
	return t
}

// enter queues for a slot; it refuses at once above maxOutstandingRequests, and
// later if ctx ends in the queue.
func (t *throttle) enter(ctx context.Context) (leave func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.most > 0 && t.outstanding >= t.most {
		return nil, false
	}
	t.outstanding++
	t.mu.Unlock()
	ok = t.take(ctx)
	t.mu.Lock()
	if !ok {
		t.outstanding--
		return nil, false
	}
	return t.leave, true
}

func (t *throttle) take(ctx context.Context) bool {
	if t.slots == nil {
		return true
	}
	select {
	case t.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *throttle) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outstanding--
	if t.slots != nil {
		<-t.slots
	}
}
