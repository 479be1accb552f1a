package audit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/audit"
)

// receiver is where batches arrive, with what it is told to answer.
type receiver struct {
	mu      sync.Mutex
	batches [][]string
	answer  func(lines [][]byte) error
}

func (r *receiver) send(_ context.Context, lines [][]byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answer != nil {
		if err := r.answer(lines); err != nil {
			return err
		}
	}
	var batch []string
	for _, l := range lines {
		batch = append(batch, string(l))
	}
	r.batches = append(r.batches, batch)
	return nil
}

func (r *receiver) got() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.batches {
		n += len(b)
	}
	return n
}

// reports keeps what was told.
type reports struct {
	mu  sync.Mutex
	all []*audit.Loss
}

func (r *reports) add(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if loss, ok := errors.AsType[*audit.Loss](err); ok {
		r.all = append(r.all, loss)
	}
}

func (r *reports) last() *audit.Loss {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 {
		return &audit.Loss{}
	}
	return r.all[len(r.all)-1]
}

func batches(r *receiver, told *reports, atOnce int) *audit.Batches {
	return audit.NewBatches(audit.BatchOptions{Name: "r", Send: r.send, Now: time.Now, Report: told.add, AtOnce: atOnce})
}

func event(n int) *audit.Event {
	return &audit.Event{Event: audit.Decision, Correlation: fmt.Sprint("c-", n), Method: "GET", Path: "/x", Verdict: audit.Granted, Code: audit.Granted, Status: 200}
}

func TestABatchIsSentWhenItIsFullOrOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, told := &receiver{}, &reports{}
		b := batches(r, told, 10_000)
		for n := range 30 { // some 900 bytes each
			if err := b.Record(t.Context(), event(n)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := r.got(); n < 9 || n >= 30 {
			t.Errorf("got %d events, want those of full batches", n)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := r.got(); n != 30 {
			t.Errorf("got %d events after 5 s, want all", n)
		}
		for _, batch := range r.batches {
			size := 0
			for _, l := range batch {
				size += len(l) + 1
				if _, err := audit.Parse([]byte(l)); err != nil || strings.Contains(l, "\n") {
					t.Errorf("got %q (%v)", l, err)
				}
			}
			if size > 10_000 {
				t.Errorf("got a batch of %d bytes, want 10000 at the most", size)
			}
		}
		b.Close(t.Context())
	})
}

// Nothing is lost through an outage that the places outlast; and a place that was
// reserved is honoured.
func TestAnOutageIsOutlastedAndThenCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, told := &receiver{answer: func([][]byte) error { return &audit.Again{Wait: 7 * time.Second, Cause: errors.New("it answered 429")} }}, &reports{}
		b := batches(r, told, 0)
		if !b.Reserve() {
			t.Error("want a place at first")
		}
		for n := range audit.Places {
			_ = b.Record(t.Context(), event(n))
		}
		if b.Reserve() {
			t.Error("want no place once so many wait")
		}
		lost := 0
		for n := range 100 { // refused calls: nobody reserved for them
			if err := b.Record(t.Context(), event(n)); err != nil {
				lost++
				told.add(err)
			}
		}
		e := event(1)
		e.Reserved = true
		if err := b.Record(t.Context(), e); err != nil {
			t.Errorf("got %v, want a reserved place honoured", err)
		}
		if lost < 2 || lost > 10 || told.last().Total < 50 {
			t.Errorf("got %d reports and %d counted last, want a few that double", lost, told.last().Total)
		}
		r.mu.Lock()
		r.answer = nil
		r.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := r.got(); n != audit.Places+1 {
			t.Errorf("got %d events, want the %d that had a place", n, audit.Places+1)
		}
		if l := told.last(); !l.Over || l.Total != 100 {
			t.Errorf("got %+v, want the exact count at the end: 100", l)
		}
		b.Close(t.Context())
	})
}

func TestASlowReceiverHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, calls := make(chan struct{}), atomic.Int64{}
		b := audit.NewBatches(audit.BatchOptions{Name: "r", Now: time.Now, AtOnce: 1000, Report: func(err error) { t.Error(err) },
			Send: func(ctx context.Context, _ [][]byte) error {
				calls.Add(1)
				select {
				case <-release:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}})
		began := time.Now()
		for n := range 1000 {
			_ = b.Record(t.Context(), event(n))
		}
		synctest.Wait()
		if time.Since(began) != 0 || calls.Load() != 1 {
			t.Errorf("got %s and %d sendings, want none of the calls to wait, and one sending", time.Since(began), calls.Load())
		}
		close(release)
		b.Close(t.Context())
	})
}

// 413 halves the batch; what is too large by itself is lost, and nothing else.
func TestWhatIsTooLargeIsHalved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, told := &receiver{}, &reports{}
		r.answer = func(lines [][]byte) error {
			size := 0
			for _, l := range lines {
				size += len(l)
			}
			if size > 2500 {
				return audit.ErrTooLarge
			}
			return nil
		}
		b := batches(r, told, 0)
		for n := range 20 {
			e := event(n)
			if n == 7 {
				e.Path = strings.Repeat("/<", 1000)
			}
			_ = b.Record(t.Context(), e)
		}
		b.Close(t.Context())
		if r.got() != 19 || told.last().Total != 1 {
			t.Errorf("got %d events and %d lost, want 19 and 1", r.got(), told.last().Total)
		}
	})
}

func TestWhatWillNeverBeTakenIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, told := &receiver{answer: func([][]byte) error { return audit.ErrNever }}, &reports{}
		b := batches(r, told, 0)
		for n := range 20 {
			_ = b.Record(t.Context(), event(n))
		}
		b.Close(t.Context())
		if told.last().Total != 20 {
			t.Errorf("got %d lost, want 20", told.last().Total)
		}
	})
}

func TestWhatIsLeftAtTheEndIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, told := &receiver{answer: func([][]byte) error { return errors.New("down") }}, &reports{}
		b := batches(r, told, 0)
		for n := range 20 {
			_ = b.Record(t.Context(), event(n))
		}
		b.Close(t.Context())
		if told.last().Total != 20 || !strings.Contains(told.last().Error(), "down") {
			t.Errorf("got %v, want 20 lost because it is down", told.last())
		}
	})
}

// A batch that was full when it failed is sent again though no call follows.
func TestAFailedBatchIsSentAgainWithoutAnotherCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		r, told := &receiver{}, &reports{}
		r.answer = func([][]byte) error {
			if down {
				down = false
				return errors.New("down")
			}
			return nil
		}
		b := batches(r, told, 500)
		_ = b.Record(t.Context(), event(1))
		time.Sleep(time.Minute)
		synctest.Wait()
		if r.got() != 1 {
			t.Errorf("got %d events, want the one", r.got())
		}
		b.Close(t.Context())
	})
}

// A receiver that hangs at the end doesn't hang the stop.
func TestTheEndIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &reports{}
		b := audit.NewBatches(audit.BatchOptions{Name: "r", Now: time.Now, AtOnce: 500, Report: told.add, Send: func(ctx context.Context, _ [][]byte) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		for n := range 3 {
			_ = b.Record(t.Context(), event(n))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		b.Close(ctx)
		if took := time.Since(began); took > 2*time.Second || told.last().Total != 3 {
			t.Errorf("got %s and %d lost, want 2 s at the most, and 3", took, told.last().Total)
		}
		synctest.Wait()
		time.Sleep(time.Minute)
	})
}
