package verify

import (
	"sync"
	"time"
)

// replays remembers assertions until they expire. Nothing is forgotten early: a
// full memory refuses.
type replays struct {
	most int // 0: nothing is remembered

	mu   sync.Mutex
	seen map[string]time.Time // until when
	next time.Time            // the earliest of those, or before it
}

func newReplays(most int) *replays { return &replays{most: most, seen: map[string]time.Time{}} }

// once refuses an assertion that was taken before.
func (m *replays) once(id string, until, now time.Time) *Fault {
	if m.most == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.seen[id]; there {
		return refused("assertion_replayed", "The assertion was used before.", nil)
	}
	if len(m.seen) >= m.most {
		m.forget(now)
	}
	if len(m.seen) >= m.most {
		return unavailable("assertion_memory_full", "More calls came than can be remembered.", nil)
	}
	m.seen[id] = until
	if until.Before(m.next) || len(m.seen) == 1 {
		m.next = until
	}
	return nil
}

// forget drops what has expired, and looks through the memory only when something has.
func (m *replays) forget(now time.Time) {
	if now.Before(m.next) {
		return
	}
	m.next = time.Time{}
	for id, until := range m.seen {
		switch {
		case !now.Before(until):
			delete(m.seen, id)
		case m.next.IsZero() || until.Before(m.next):
			m.next = until
		}
	}
}
