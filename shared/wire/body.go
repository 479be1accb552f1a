package wire

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// body is a request's body as the handler reads it, in whichever goroutine.
// What still reads when the exchange ends is stopped first.
type body struct {
	c       *conn
	gone    context.CancelFunc // told when the client has left
	waited  time.Duration      // for the client, in all
	got     int64
	expects bool // the client waits for 100 before it sends

	mu      sync.Mutex
	content payload
	err     error // sticky
	ending  atomic.Bool
	ended   atomic.Bool // all of it has been read
}

// ErrSlowBody is what reading a body gives once the client has used up its time.
var ErrSlowBody = errors.New("the client sends its body too slowly")

var errEnded = errors.New("the body is read after its exchange has ended")

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.err != nil:
		return 0, b.err
	case len(p) == 0:
		return 0, nil
	case b.expects:
		b.expects = false
		if err := b.c.goOn(); err != nil {
			b.err = err
			return 0, err
		}
	}
	n, err := b.read(p)
	b.got += int64(n)
	if err != nil {
		b.err = err
		b.ended.Store(b.content.done)
	}
	return n, err
}

// read bounds how long the client may take: the whole body has one allowance of
// time, and earns more by what it sends. What the handler takes to come back for
// more doesn't count.
func (b *body) read(p []byte) (int, error) {
	if !b.content.chunked && b.content.in.buffered() > 0 {
		return b.content.read(p)
	}
	l, began := &b.c.server.Limits, b.c.server.Now()
	left := l.Body + time.Duration(b.got/l.BodyRate)*time.Second - b.waited
	if left <= 0 {
		return 0, ErrSlowBody
	}
	b.c.readBy(began.Add(min(left, l.Body)))
	if b.ending.Load() {
		return 0, errEnded
	}
	n, err := b.content.read(p)
	b.waited += b.c.server.Now().Sub(began)
	switch {
	case b.ending.Load() && err != nil && !b.content.done:
		return n, errEnded
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, ErrSlowBody
	case err != nil && !b.content.done && !isFault(err):
		b.gone() // the connection ended, or failed
	}
	return n, err
}

func isFault(err error) bool {
	_, is := errors.AsType[*Fault](err)
	return is
}

// Close lets go of the rest; the connection ends with the exchange.
func (b *body) Close() error {
	b.stop()
	return nil
}

// stop ends all reading, also what is under way.
func (b *body) stop() {
	if b.ended.Load() {
		return
	}
	b.ending.Store(true)
	b.c.readBy(longAgo)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = errEnded
	}
}
