package gateway

import (
	"sync"
	"sync/atomic"
)

// remembered is how many broken calls are: the host repeats one within two seconds.
const remembered = 1024

// aborted are the invocations whose connections this instance broke. The host
// sends those without a body again, up to ten times, under the same id
// (functions-host.md §2c). One that died with its process is a replay too, but
// only a reader of all events can tell: it has the same invocation id.
type aborted struct {
	some atomic.Bool
	mu   sync.Mutex
	ids  map[string]bool
	ring [remembered]string
	next int
}

func (a *aborted) add(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ids == nil {
		a.ids = map[string]bool{}
	}
	if a.ids[id] {
		return
	}
	delete(a.ids, a.ring[a.next])
	a.ids[id], a.ring[a.next] = true, id
	a.next = (a.next + 1) % remembered
	a.some.Store(true)
}

func (a *aborted) has(id string) bool {
	if id == "" || !a.some.Load() {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ids[id]
}
