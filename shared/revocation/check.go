package revocation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate/shared/tables"
)

const (
	firstPause = 250 * time.Millisecond // after one failed check; doubles with each in a row
	lastPause  = 2 * time.Second
	// recent: an outage is known for so long after a check failed. Meanwhile nobody
	// waits for the next one; later it might be over, and a request waits to see.
	recent = 5 * time.Second
)

// outage is what is known of a store that can't be asked.
type outage struct {
	failures int // in a row
	last     time.Time
	why      error
}

// pause is what is left of it before the store is asked again.
func (o outage) pause(now time.Time) time.Duration {
	if o.failures == 0 {
		return 0
	}
	return max(0, min(firstPause<<min(o.failures-1, 10), lastPause)-elapsed(o.last, now))
}

// known: one failure is an accident, two are an outage.
func (o outage) known(now time.Time) bool { return o.failures > 1 && elapsed(o.last, now) < recent }

// level is how loudly an outage was told of.
type level int

const (
	silent level = iota
	old          // that an old list is used
	tooOld       // that calls are refused
)

// check is the check under way, begun if it is due. again begins one although
// one has just failed. known tells that it is going to fail, as far as can be
// told; blocked, with no check, how long none will be begun.
func (w *Watch) check(now time.Time, again bool) (f *flight, known bool, blocked time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	known = w.outage.known(now)
	if h := w.held.Load(); h != nil && h.age(now) < interval {
		return nil, known, 0 // one has just ended
	}
	// One that is older than it may be was frozen on its way. Its answer is of then.
	if f := w.flight; f != nil && elapsed(f.began, now) < patience {
		return f, known || f.isSlow(), 0
	}
	if pause := w.outage.pause(now); pause > 0 && !(again && w.outage.failures == 1) {
		return nil, known, pause
	}
	w.flight = &flight{began: now, done: make(chan struct{}), slow: make(chan struct{})}
	go w.fly(w.flight)
	return w.flight, known, 0
}

// fly asks the store. It goes on when the request leaves: the next one needs the
// answer too.
func (w *Watch) fly(f *flight) {
	h, err := w.ask(f.began)
	w.mu.Lock()
	defer w.mu.Unlock()
	defer close(f.done)
	if w.flight != f {
		return // another one was begun in its place
	}
	w.flight = nil
	if err == nil {
		w.held.Store(h)
		w.outage, w.reported = outage{}, silent
		return
	}
	now := w.options.Now()
	w.outage = outage{w.outage.failures + 1, now, err}
	if before := w.held.Load(); before != nil {
		// What has passed is kept: the clocks may be set before the next time.
		aged := *before
		aged.at, aged.before = now, before.age(now)
		w.held.Store(&aged)
	}
}

// ask reads the generation, and the entries if it has changed. The generation
// comes first: an entry that is written meanwhile changes it again.
func (w *Watch) ask(began time.Time) (h *held, err error) {
	defer func() {
		// A panic over an answer that nobody expected must not end the gateway. It names no value.
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the answer couldn't be read (%T)", fault)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	mark, err := w.mark(ctx)
	if err != nil {
		return nil, err
	}
	last := w.held.Load()
	if last != nil && last.generation != "" && mark == "" {
		return nil, errGone
	}
	if last != nil && last.generation == mark && elapsed(last.listed, began) < relist {
		return &held{list: last.list, generation: mark, listed: last.listed, at: began}, nil
	}
	list, err := w.list(ctx)
	if err != nil {
		return nil, err
	}
	return &held{list: list, generation: mark, listed: began, at: began}, nil
}

// errGone: nothing lifts all revocations at once but losing the table, or an
// address that leads to another account.
var errGone = errors.New("the list of revocations was there, and isn't any more")

// mark is the generation, "" as long as there is none.
func (w *Watch) mark(ctx context.Context) (string, error) {
	row, err := w.rows.Get(ctx, generation())
	if errors.Is(err, tables.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	// Both: an ETag is a time, which a store set back could give out twice.
	return row.ETag + " " + row.Fields.Text(markField), nil
}

func (w *Watch) list(ctx context.Context) (*List, error) {
	all, err := readAll(ctx, w.rows)
	if err != nil {
		return nil, err
	}
	var live []Entry
	lo, _, known := w.options.Clock.Bounds()
	for _, e := range all {
		if !known || !e.ended(lo) {
			live = append(live, e)
		}
	}
	return NewList(live), nil
}

func readAll(ctx context.Context, rows Rows) (all []Entry, err error) {
	for row, err := range rows.List(ctx, tables.Partition(entries)) {
		if err != nil {
			return nil, err
		}
		e, err := read(row)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// report says once that an old list is used, and once that calls are refused.
func (w *Watch) report(is level, why error) {
	w.mu.Lock()
	first := is > w.reported
	w.reported = max(w.reported, is)
	w.mu.Unlock()
	if !first || w.options.Report == nil {
		return
	}
	text := "the list of revocations can't be read, and calls are refused until it can"
	if is == old {
		text = fmt.Sprintf("the list of revocations can't be read; the old one is used until it is %v old", w.options.MaxStale)
	}
	w.options.Report(fmt.Errorf("%s: %w", text, why))
}

// why is what the last check failed of.
func (w *Watch) why() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.outage.why != nil {
		return w.outage.why
	}
	return errors.New("the store didn't answer in time")
}
