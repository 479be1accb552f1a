package tables

import (
	"errors"
	"sync"
	"time"
)

// The pause after a failure of the store doubles up to a bound. During it no
// call waits for the store.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// outage is what is known of the store's failures.
type outage struct {
	chance func(n int64) int64

	mu    sync.Mutex
	until time.Time // of this machine
	pause time.Duration
	why   error
}

// left is how long the store isn't asked, 0 if it may be.
func (o *outage) left(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	// A clock that was set back must not make the pause longer than it is.
	return min(max(0, o.until.Sub(now)), 2*lastPause)
}

func (o *outage) cause() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.why == nil {
		return errors.New("the store failed a moment ago")
	}
	return o.why
}

// begin notes a failure. Those of requests that were under way together count once.
func (o *outage) begin(now time.Time, why error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.why = why
	if now.Before(o.until) {
		return
	}
	o.pause = min(max(2*o.pause, firstPause), lastPause)
	o.until = now.Add(o.pause/2 + time.Duration(o.chance(int64(o.pause))))
}

func (o *outage) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pause, o.until, o.why = 0, time.Time{}, nil
}
