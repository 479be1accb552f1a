package audit

import (
	"fmt"
	"sync"
)

// The bounds of what waits in one outlet, events and bytes, and of places that are
// promised to calls under way. Those are honoured even if the others are passed by
// it: each such call holds more than its event will. They don't count as waiting, or
// whoever holds many streams open would leave no place to anybody.
const (
	Places   = 4096
	MaxBytes = 8 << 20
	Promises = 1 << 16
)

// waiting is what an outlet still has to write.
type waiting struct {
	mu       sync.Mutex
	lines    [][]byte
	bytes    int
	promised int  // places that are reserved
	failing  bool // what was tried last didn't work, and nothing can be kept
	losses   losses
}

func (w *waiting) reserve() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuses() {
		return false
	}
	w.promised++
	return true
}

// refuses tells that no place can be promised. The caller holds the lock.
func (w *waiting) refuses() bool { return w.failing || w.promised >= Promises || w.full() }

// full: what isn't promised a place is lost. The caller holds the lock.
func (w *waiting) full() bool { return len(w.lines) >= Places || w.bytes >= MaxBytes }

func (w *waiting) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.promised--
}

// keep copies a line, or counts it as lost. The caller holds the lock.
func (w *waiting) keep(line []byte, reserved bool) error {
	if !reserved && w.full() {
		return w.losses.add(1, errFull)
	}
	w.lines = append(w.lines, append([]byte(nil), line...))
	w.bytes += len(line)
	return nil
}

var errFull = fmt.Errorf("%d events wait already", Places)

// Loss says how many events an outlet lost: in a row without a success between,
// and in this process's life.
type Loss struct {
	Outlet     string
	Lost       int64
	Since      int64 // of them, since the last time that was told: whoever adds these up has the sum
	Total      int64
	Over       bool // events are written again
	Cause      error
	LastFailed string // the correlation id of one of them, where it is known
}

func (l *Loss) Error() string {
	switch {
	case l.Over:
		return fmt.Sprintf("%s takes events again; %d were lost (%d in all)", l.Outlet, l.Lost, l.Total)
	case l.LastFailed != "":
		return fmt.Sprintf("%s lost %d events (%d in all), the last one of call %s: %v", l.Outlet, l.Lost, l.Total, l.LastFailed, l.Cause)
	}
	return fmt.Sprintf("%s lost %d events (%d in all): %v", l.Outlet, l.Lost, l.Total, l.Cause)
}

func (l *Loss) Unwrap() error { return l.Cause }

// losses counts what was lost. It tells of the first one, whenever the count in a
// row has doubled, and once it is over: each loss is counted, and an outage of an
// hour is a dozen lines rather than a line for each call. It needs no clock.
type losses struct {
	outlet string
	row    int64
	total  int64
	next   int64 // told of at this count
	told   int64 // of row
}

func (l *losses) add(n int64, why error) error {
	l.row += n
	l.total += n
	if l.row < l.next {
		return nil
	}
	l.next = max(2*l.row, 2)
	return l.tell(&Loss{Cause: why})
}

func (l *losses) tell(of *Loss) *Loss {
	of.Outlet, of.Lost, of.Since, of.Total = l.outlet, l.row, l.row-l.told, l.total
	l.told = l.row
	return of
}

// over is told of each success.
func (l *losses) over() error {
	if l.row == 0 {
		return nil
	}
	out := l.tell(&Loss{Over: true})
	l.row, l.next, l.told = 0, 0, 0
	return out
}
