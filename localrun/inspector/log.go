package inspector

import (
	"sync"

	"tollgate/shared/audit"
)

// entry is one request. Its fields are not changed once it is in the log; a later
// event of the same request takes its place.
type entry struct {
	number int
	event  audit.Event
	front  *arrival // what the caller sent; nil: nobody told
	back   *heard   // what the backend saw; nil: it wasn't called, or isn't the echo
}

// Log remembers the last Kept requests, and tells who listens. It is safe for concurrent use.
type Log struct {
	mu       sync.Mutex
	entries  []*entry // by number, oldest first
	last     int      // the newest number
	fronts   waiting[*arrival]
	backs    waiting[*heard]
	watchers map[chan *entry]struct{}
	closed   bool
}

// NewLog is one without requests.
func NewLog() *Log { return &Log{watchers: map[chan *entry]struct{}{}} }

// waiting are things by name that an event will ask for, Kept at the most.
type waiting[T any] struct {
	by    map[string]T
	order []string
}

func (w *waiting[T]) put(name string, v T) {
	if w.by == nil {
		w.by = map[string]T{}
	}
	if _, known := w.by[name]; !known {
		w.order = append(w.order, name)
	}
	w.by[name] = v
	for len(w.order) > Kept {
		delete(w.by, w.order[0])
		w.order = w.order[1:]
	}
}

// take is what waits under the name. The name stays in order, and is skipped there.
func (w *waiting[T]) take(name string) T {
	v := w.by[name]
	delete(w.by, name)
	return v
}

// add is what the gateway decided.
func (l *Log) add(e audit.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := &entry{event: e, front: l.fronts.take(e.Invocation), back: l.backs.take(e.Correlation)}
	if at := l.started(e); at >= 0 {
		old := l.entries[at]
		one.number = old.number
		if one.front == nil {
			one.front = old.front
		}
		if one.back == nil {
			one.back = old.back
		}
		l.entries[at] = one
	} else {
		l.last++
		one.number = l.last
		if len(l.entries) >= Kept {
			l.entries = append(make([]*entry, 0, Kept), l.entries[len(l.entries)-Kept+1:]...)
		}
		l.entries = append(l.entries, one)
	}
	for c := range l.watchers {
		select {
		case c <- one:
		default: // it is too slow: its page asks again when it reads on
			delete(l.watchers, c)
			close(c)
		}
	}
}

// started is where a stream's first event stands, of which e is the last; -1: nowhere.
func (l *Log) started(e audit.Event) int {
	if e.Event != audit.Ended {
		return -1
	}
	for i := len(l.entries) - 1; i >= 0; i-- {
		if l.entries[i].event.Correlation == e.Correlation {
			return i
		}
	}
	return -1
}

// arrived and heard are told before the event is.
func (l *Log) arrived(invocation string, a *arrival) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fronts.put(invocation, a)
}

func (l *Log) heard(correlation string, h *heard) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.backs.put(correlation, h)
}

// newest are those that the filter keeps, newest first.
func (l *Log) newest(f filter) []*entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []*entry
	for i := len(l.entries) - 1; i >= 0; i-- {
		if f.keeps(l.entries[i]) {
			out = append(out, l.entries[i])
		}
	}
	return out
}

// numbered is a request by its number, and its neighbours' numbers; 0: none.
func (l *Log) numbered(n int) (found *entry, older, newer int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, e := range l.entries {
		if e.number != n {
			continue
		}
		if i > 0 {
			older = l.entries[i-1].number
		}
		if i+1 < len(l.entries) {
			newer = l.entries[i+1].number
		}
		return e, older, newer
	}
	return nil, 0, 0
}

// correlated is a request by its correlation id; nil: it isn't there.
func (l *Log) correlated(id string) *entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.entries) - 1; i >= 0 && id != ""; i-- {
		if l.entries[i].event.Correlation == id {
			return l.entries[i]
		}
	}
	return nil
}

// watch tells of each request from now on, until leave is called or the channel is closed.
func (l *Log) watch() (news <-chan *entry, leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := make(chan *entry, 256)
	if l.closed || len(l.watchers) >= maxWatchers {
		close(c)
		return c, func() {}
	}
	l.watchers[c] = struct{}{}
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.watchers, c)
	}
}

// maxWatchers is how many pages may be open at once.
const maxWatchers = 32

func (l *Log) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for c := range l.watchers {
		close(c)
	}
	clear(l.watchers)
}
