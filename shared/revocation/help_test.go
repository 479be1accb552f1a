package revocation_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"tollgate/shared/revocation"
	"tollgate/shared/tables"
)

const (
	tid   = "11111111-1111-1111-1111-111111111111"
	oid   = "0badf00d-0000-4000-8000-000000000007"
	appID = "22222222-2222-2222-2222-222222222222"
)

var errDown = errors.New("the store answered 503 ServerBusy")

// rows is a store within this process, which can be down, slow, or interrupted.
type rows struct {
	mu      sync.Mutex
	held    map[tables.Key]tables.Row
	version int
	gets    int // of the generation
	lists   int
	writes  int

	down    bool
	delay   time.Duration         // before each answer; it ends with its context, as a request does
	deaf    bool                  // it doesn't
	fails   func(op string) error // nil: nothing does
	between func(row tables.Row)  // called while listing, after each row
	now     func() time.Time      // the store's clock
}

var _ revocation.Ledger = (*rows)(nil)

func newRows() *rows {
	return &rows{held: map[tables.Key]tables.Row{}, now: time.Now}
}

// Bounds is a clock that is exact.
func (r *rows) Bounds() (lo, hi time.Time, ok bool) { return r.now(), r.now(), true }

// try is one request: tables gives up after a quarter of a second.
func (r *rows) try(ctx context.Context, op string) error {
	r.mu.Lock()
	delay, down, deaf, fails := r.delay, r.down, r.deaf, r.fails
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, tables.DefaultTry)
	defer cancel()
	if deaf {
		ctx = context.WithoutCancel(ctx)
	}
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		return ctx.Err()
	}
	if down {
		return errDown
	}
	if fails != nil {
		return fails(op)
	}
	return nil
}

func (r *rows) Get(ctx context.Context, key tables.Key) (tables.Row, error) {
	r.mu.Lock()
	r.gets++
	r.mu.Unlock()
	if err := r.try(ctx, "get"); err != nil {
		return tables.Row{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	row, ok := r.held[key]
	if !ok {
		return row, tables.ErrNotFound
	}
	return row, nil
}

func (r *rows) List(ctx context.Context, q tables.Query) iter.Seq2[tables.Row, error] {
	return func(yield func(tables.Row, error) bool) {
		r.mu.Lock()
		r.lists++
		r.mu.Unlock()
		if err := r.try(ctx, "list"); err != nil {
			yield(tables.Row{}, err)
			return
		}
		r.mu.Lock()
		all := slices.SortedFunc(maps.Values(r.held), func(a, b tables.Row) int { return cmp(a.Row, b.Row) })
		between := r.between
		r.mu.Unlock()
		for _, row := range all {
			if row.Partition != q.From {
				continue
			}
			if !yield(row, nil) {
				return
			}
			if between != nil {
				between(row)
			}
		}
	}
}

func cmp(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (r *rows) write(ctx context.Context, op string, change func() error) error {
	r.mu.Lock()
	r.writes++
	r.mu.Unlock()
	if err := r.try(ctx, op); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return change()
}

func (r *rows) store(row tables.Row) {
	r.version++
	row.ETag = fmt.Sprint("v", r.version)
	r.held[row.Key] = row
}

func (r *rows) Insert(ctx context.Context, row tables.Row) (string, error) {
	return "", r.write(ctx, "insert", func() error {
		if _, there := r.held[row.Key]; there {
			return tables.ErrExists
		}
		r.store(row)
		return nil
	})
}

func (r *rows) Replace(ctx context.Context, row tables.Row) (string, error) {
	return "", r.write(ctx, "replace", func() error {
		switch there, ok := r.held[row.Key]; {
		case !ok:
			return tables.ErrNotFound
		case there.ETag != row.ETag:
			return tables.ErrChanged
		}
		r.store(row)
		return nil
	})
}

func (r *rows) Put(ctx context.Context, row tables.Row) (string, error) {
	return "", r.write(ctx, "put", func() error { r.store(row); return nil })
}

func (r *rows) Delete(ctx context.Context, key tables.Key, etag string) error {
	return r.write(ctx, "delete", func() error {
		if there, ok := r.held[key]; ok && etag != "" && there.ETag != etag {
			return tables.ErrChanged
		}
		delete(r.held, key)
		return nil
	})
}

func (r *rows) set(change func(*rows)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// asked is how many requests there were, and forgets them.
func (r *rows) asked() (gets, lists int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gets, lists = r.gets, r.lists
	r.gets, r.lists, r.writes = 0, 0, 0
	return gets, lists
}

// book writes into the rows.
func (r *rows) book() revocation.Book {
	n := 0
	return revocation.Book{Rows: r, Clock: r, NewID: func() string { n++; return fmt.Sprint("mark", n) }}
}

func (r *rows) revoke(t testing.TB, kind revocation.Kind, id string) revocation.Entry {
	t.Helper()
	tenant := tid
	if kind == revocation.All || kind == revocation.Subscription {
		tenant = ""
	}
	s, err := revocation.Of(kind, "", tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.book().Revoke(t.Context(), revocation.Order{Subject: s, By: "admin", Reason: "left"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// machine is this process's clock: it can be frozen, so that the monotonic
// clock misses what passed, and the wall clock can be set.
type machine struct{ frozen, set time.Duration }

func (m *machine) now() time.Time {
	real := time.Now() // without a monotonic reading, in a bubble
	wall := real.Add(m.set)
	// There is no other way to a Time whose two readings went apart: a flag,
	// seconds since 1885 and nanoseconds; and the monotonic clock.
	since1885 := uint64(wall.Unix() - time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix())
	t := struct {
		wall uint64
		ext  int64
		loc  *time.Location
	}{1<<63 | since1885<<30 | uint64(wall.Nanosecond()), real.UnixNano() - int64(m.frozen), nil}
	return *(*time.Time)(unsafe.Pointer(&t))
}

// watch looks at the rows by that clock. Reports are told to told.
func (r *rows) watch(m *machine, maxStale time.Duration, told func(error)) *revocation.Watch {
	return revocation.NewWatch(r, revocation.Options{Now: m.now, Clock: r, MaxStale: maxStale, Report: told})
}

func TestTheMachinesClocksGoApart(t *testing.T) {
	m := &machine{}
	a := m.now()
	m.frozen, m.set = time.Minute, time.Hour
	b := m.now()
	if mono := b.Sub(a); mono > -59*time.Second {
		t.Errorf("got %v by the monotonic clock, want a minute back", mono)
	}
	if wall := b.Round(0).Sub(a.Round(0)); wall < time.Hour || wall > time.Hour+time.Minute {
		t.Errorf("got %v by the wall clock, want an hour", wall)
	}
}
