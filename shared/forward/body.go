package forward

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"tollgate/shared/wire"
)

var errBodyTooLarge = errors.New("the request body is over the contract's cap")

// body is the request's body on its way to the backend: capped, and with the
// backend's clock stopped while the client is the one who keeps us waiting.
type body struct {
	from    io.Reader
	left    int64 // bytes until the cap
	read    atomic.Int64
	clock   *clock
	tooLong atomic.Bool // the transport may still be reading when the exchange has ended
	ended   atomic.Bool // nothing more comes from the client
	broken  atomic.Bool // because its end failed
	slow    atomic.Bool // because it took too long
}

func (b *body) Read(p []byte) (int, error) {
	b.clock.pause()
	defer b.clock.run()
	// One byte more than is left tells a body at the cap from one beyond it.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.from.Read(p)
	if int64(n) > b.left {
		b.tooLong.Store(true)
		return 0, errBodyTooLarge // the transport breaks the connection: the backend never sees a complete, shorter body
	}
	b.left -= int64(n)
	b.read.Add(int64(n))
	if err != nil {
		b.ended.Store(true)
		b.slow.Store(errors.Is(err, wire.ErrSlowBody))
		b.broken.Store(!errors.Is(err, io.EOF))
	}
	return n, err
}

// received is how much of the body was handed over; nil is none.
func (b *body) received() int64 {
	if b == nil {
		return 0
	}
	return b.read.Load()
}

// Close does nothing: the server that gave the body ends it with the exchange.
func (b *body) Close() error { return nil }

// clock runs out when the backend has kept us waiting for too long at one go.
type clock struct {
	limit time.Duration
	mu    sync.Mutex
	timer *time.Timer
	over  bool // the answer began, or will never come: nothing starts the clock again
}

func newClock(limit time.Duration, expire func()) *clock {
	return &clock{limit: limit, timer: time.AfterFunc(limit, expire)}
}

func (c *clock) pause() { c.timer.Stop() }

func (c *clock) run() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.timer.Reset(c.limit)
	}
}

func (c *clock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	c.timer.Stop()
}
