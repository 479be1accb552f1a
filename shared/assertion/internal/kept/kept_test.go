package kept

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var times = Times{Patience: 5 * time.Second, Spare: time.Second, Pause: 2 * time.Second}

// source makes 1, 2, 3 …, each taking as long and failing as it is told.
type source struct {
	made  atomic.Int64
	takes time.Duration
	fails error
}

func (s *source) make(ctx context.Context) (int, Span, error) {
	n := int(s.made.Add(1))
	select {
	case <-ctx.Done():
		return 0, Span{}, context.Cause(ctx)
	case <-time.After(s.takes):
	}
	now := time.Now()
	return n, Span{Since: now, Renew: now.Add(time.Minute), Until: now.Add(time.Hour)}, s.fails
}

func wants(t *testing.T, v *Value[int], want int) {
	t.Helper()
	if got, err := v.Get(t.Context()); err != nil || got != want {
		t.Errorf("got %d, %v, want %d", got, err, want)
	}
}

func TestAHundredCallersMakeOneValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{takes: time.Second}
		v := New(time.Now, times, s.make)
		for range 100 {
			go wants(t, v, 1)
		}
		time.Sleep(10 * time.Second) // the bubble's clock
		if s.made.Load() != 1 {
			t.Errorf("made %d, want one", s.made.Load())
		}
	})
}

func TestAnOldValueIsUsedWhileOneCallerRenewsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := New(time.Now, times, s.make)
		wants(t, v, 1)
		time.Sleep(time.Minute)
		s.takes = 500 * time.Millisecond
		go wants(t, v, 2) // who finds it old
		synctest.Wait()
		began := time.Now()
		wants(t, v, 1)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("waited %s, want none", waited)
		}
		time.Sleep(time.Second)
		wants(t, v, 2)
	})
}

func TestASourceThatHangsCostsASecondAndThenNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := New(time.Now, times, s.make)
		wants(t, v, 1)
		time.Sleep(time.Minute)
		s.takes = time.Hour
		began := time.Now()
		wants(t, v, 1)
		wants(t, v, 1)
		if waited := time.Since(began); waited != time.Second || s.made.Load() != 2 {
			t.Errorf("waited %s for %d attempts, want a second for one more", waited, s.made.Load())
		}
	})
}

func TestWithoutAValueAFailureIsToldAndNotRepeatedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{fails: errors.New("down")}
		v := New(time.Now, times, s.make)
		for range 3 {
			if _, err := v.Get(t.Context()); err == nil {
				t.Error("got a value, want the failure")
			}
		}
		if s.made.Load() != 1 {
			t.Errorf("tried %d times, want once in two seconds", s.made.Load())
		}
		time.Sleep(2 * time.Second)
		s.fails = nil
		wants(t, v, 2)
	})
}

func TestACallerWhoLeavesSpoilsNothingForTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{takes: 3 * time.Second}
		v := New(time.Now, times, s.make)
		ctx, leave := context.WithCancel(t.Context())
		go func() {
			if _, err := v.Get(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want the caller's own end", err)
			}
		}()
		synctest.Wait()
		go wants(t, v, 2)
		synctest.Wait()
		leave()
		time.Sleep(10 * time.Second)
		if s.made.Load() != 2 {
			t.Errorf("tried %d times, want the next caller to try at once", s.made.Load())
		}
	})
}

func TestWhoWaitsLeavesWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{takes: time.Hour}
		v := New(time.Now, times, s.make)
		go func() { _, _ = v.Get(t.Context()) }()
		synctest.Wait()
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		began := time.Now()
		if _, err := v.Get(ctx); err == nil || time.Since(began) != time.Second {
			t.Errorf("got %v after %s, want the caller's own deadline", err, time.Since(began))
		}
		time.Sleep(10 * time.Second)
	})
}

func TestAValueEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := New(time.Now, times, s.make)
		wants(t, v, 1)
		s.fails = errors.New("down")
		time.Sleep(time.Hour - time.Nanosecond)
		wants(t, v, 1)
		time.Sleep(time.Hour)
		if _, err := v.Get(t.Context()); err == nil {
			t.Error("got a value beyond its end")
		}
	})
}

func TestAClockThatIsSetBackRenews(t *testing.T) {
	now := time.Unix(1e9, 0)
	made := 0
	v := New(func() time.Time { return now }, times, func(context.Context) (int, Span, error) {
		made++
		return made, Span{Since: now, Renew: now.Add(time.Minute), Until: now.Add(time.Hour)}, nil
	})
	wants(t, v, 1)
	now = now.Add(-time.Second)
	wants(t, v, 2)
}

func TestNewerAsksOnceInAFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := New(time.Now, times, s.make)
		wants(t, v, 1)
		newer := func(want int) {
			t.Helper()
			if got, err := v.Newer(t.Context(), 30*time.Second); err != nil || got != want {
				t.Errorf("got %d, %v, want %d", got, err, want)
			}
		}
		newer(1)
		time.Sleep(30 * time.Second)
		newer(2)
		newer(2)
		s.fails = errors.New("down")
		time.Sleep(30 * time.Second)
		for range 2 { // the second is told what the first met
			if _, err := v.Newer(t.Context(), 30*time.Second); err == nil {
				t.Error("got a value, want the failure")
			}
		}
		if s.made.Load() != 3 {
			t.Errorf("tried %d times, want three", s.made.Load())
		}
		wants(t, v, 2) // what was made is still good
	})
}

func TestWhoAsksForANewerOneAndLeavesSpoilsNothingForTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		v := New(time.Now, times, s.make)
		wants(t, v, 1)
		time.Sleep(30 * time.Second)
		s.takes = 500 * time.Millisecond
		ctx, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		_, _ = v.Newer(ctx, 30*time.Second)
		if got, err := v.Newer(t.Context(), 30*time.Second); err != nil || got != 2 {
			t.Errorf("got %d, %v, want the one that the caller who left had asked for", got, err)
		}
	})
}
