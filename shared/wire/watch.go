package wire

import (
	"context"
	"sync"
	"time"
)

// watch notices a client that leaves while its call goes on. Most calls are over
// before it looks, so it costs them a timer and no goroutine.
type watch struct {
	timer *time.Timer

	mu      sync.Mutex
	on      bool
	body    *body
	gone    context.CancelFunc
	looking chan struct{} // not nil: a look is under way; closed at its end
	got     []byte        // what came before an end: of the next requests
}

func (w *watch) start(c *conn, b *body, gone context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on, w.body, w.gone = true, b, gone
	after := c.server.Limits.Watch
	if w.timer == nil {
		w.timer = time.AfterFunc(after, func() { w.look(c) })
		return
	}
	w.timer.Reset(after)
}

// look waits for the client's end. What comes before that is kept for later, up
// to the size of a head; a client that sends even more is not looked at any
// longer, and writing tells. While the handler may
// still read the body it looks later: then reading tells.
func (w *watch) look(c *conn) {
	w.mu.Lock()
	if !w.on || w.looking != nil {
		w.mu.Unlock()
		return
	}
	if w.body != nil && !w.body.ended.Load() {
		w.timer.Reset(c.server.Limits.Watch)
		w.mu.Unlock()
		return
	}
	done := make(chan struct{})
	w.looking = done
	c.readBy(time.Time{})
	w.mu.Unlock()

	defer close(done)
	var got []byte
	var err error
	for buf := make([]byte, 512); err == nil && len(got) < c.server.Limits.Head; {
		var n int
		n, err = c.nc.Read(buf)
		got = append(got, buf[:n]...)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = got
	if err != nil && w.on {
		w.gone()
	}
}

// stop ends the look, and hands over what it read.
func (w *watch) stop(c *conn) {
	w.mu.Lock()
	w.on = false
	w.timer.Stop()
	looking := w.looking
	w.mu.Unlock()
	if looking == nil {
		return
	}
	c.readBy(longAgo)
	<-looking
	w.mu.Lock()
	defer w.mu.Unlock()
	c.in.unread(w.got)
	w.looking, w.got = nil, nil
}
