package renewal_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/shared/renewal"
)

var limits = renewal.Options{Most: 2, Patience: 5 * time.Second, Moment: 500 * time.Millisecond, First: time.Second, Last: 8 * time.Second}

// source answers after delay, with a new number each time or with fault.
type source struct {
	calls atomic.Int64
	delay time.Duration
	fault error
}

func (s *source) fetch(ctx context.Context) (int64, renewal.Until, error) {
	n := s.calls.Add(1)
	select {
	case <-time.After(s.delay):
	case <-ctx.Done():
		return 0, renewal.Until{}, ctx.Err()
	}
	return n, renewal.Until{Renew: time.Now().Add(5 * time.Minute), End: time.Now().Add(time.Hour)}, s.fault
}

// cache is a Cache with one source.
type cache struct {
	*renewal.Cache[string, int64]
	fetch renewal.Fetch[int64]
}

func of(o renewal.Options, fetch renewal.Fetch[int64]) cache {
	return cache{renewal.New[string, int64](time.Now, o), fetch}
}

func (c cache) Get(ctx context.Context, key string) (int64, error) {
	return c.Cache.Get(ctx, key, c.fetch)
}

func want(t *testing.T, c cache, key string, value int64) {
	t.Helper()
	if got, err := c.Get(t.Context(), key); err != nil || got != value {
		t.Errorf("got %d, %v, want %d", got, err, value)
	}
}

func TestTheRequestThatFindsAValueStaleRenewsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		c := of(limits, s.fetch)
		want(t, c, "a", 1)
		time.Sleep(5*time.Minute - time.Second)
		want(t, c, "a", 1)
		time.Sleep(time.Second)
		want(t, c, "a", 2)
		want(t, c, "a", 2)
	})
}

func TestOneFetchServesAllWhoAskAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{delay: time.Second}
		c := of(limits, s.fetch)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { want(t, c, "a", 1) })
		}
		all.Wait()
		if s.calls.Load() != 1 {
			t.Errorf("got %d fetches, want one", s.calls.Load())
		}
	})
}

func TestWhileAStaleValueIsRenewedTheOthersGoOnWithTheOldOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		c := of(limits, s.fetch)
		want(t, c, "a", 1)
		time.Sleep(10 * time.Minute)
		s.delay = 2 * time.Second
		began := time.Now()
		go want(t, c, "a", 1) // the one that found it stale waits a moment
		synctest.Wait()
		want(t, c, "a", 1)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("another request waited %s, want not at all", waited)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		want(t, c, "a", 2)
	})
}

func TestAValueIsUsedWhileItsSourceIsDownButNotForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		c := of(limits, s.fetch)
		want(t, c, "a", 1)
		s.fault = errors.New("down")
		time.Sleep(time.Hour - time.Second)
		want(t, c, "a", 1)
		time.Sleep(time.Second)
		_, err := c.Get(t.Context(), "a")
		if u, ok := errors.AsType[*renewal.Unavailable](err); !ok || u.Wait <= 0 || u.Error() != "down" {
			t.Fatalf("got %v, want unavailable for a time", err)
		}
		s.fault = nil
		time.Sleep(8 * time.Second)
		want(t, c, "a", s.calls.Load()+1)
	})
}

func TestADeadSourceIsNotAskedByEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{fault: errors.New("down")}
		c := of(limits, s.fetch)
		for range 600 { // a minute
			if _, err := c.Get(t.Context(), "a"); err == nil {
				t.Fatal("got a value of a dead source")
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := s.calls.Load(); n < 8 || n > 12 { // 1+2+4+8+8+8…
			t.Errorf("got %d fetches in a minute, want about ten", n)
		}
	})
}

func TestAFailureOfTheWholeSourceHoldsForEveryKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, o := &source{fault: errors.New("down")}, limits
		o.Shared = func(error) bool { return true }
		c := of(o, s.fetch)
		_, _ = c.Get(t.Context(), "a")
		_, err := c.Get(t.Context(), "b")
		if err == nil || s.calls.Load() != 1 {
			t.Errorf("got %v after %d fetches, want no second one", err, s.calls.Load())
		}
	})
}

func TestACallerThatLeavesDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{delay: 4 * time.Second}
		c := of(limits, s.fetch)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := c.Get(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("got %v after %s, want the caller's own deadline", err, time.Since(began))
		}
		want(t, c, "a", 1) // its fetch went on for the next
	})
}

func TestASourceThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := of(limits, (&source{delay: time.Hour}).fetch)
		began := time.Now()
		if _, err := c.Get(t.Context(), "a"); err == nil || time.Since(began) != limits.Patience {
			t.Errorf("got %v after %s, want an end after %s", err, time.Since(began), limits.Patience)
		}
	})
}

func TestTheLeastRecentlyUsedIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := of(limits, (&source{}).fetch)
		want(t, c, "a", 1)
		want(t, c, "b", 2)
		want(t, c, "a", 1)
		want(t, c, "c", 3)
		want(t, c, "a", 1)
		want(t, c, "b", 4)
	})
}

func TestWhatComesExpiredIsNotUsed(t *testing.T) {
	c := of(limits, func(context.Context) (int64, renewal.Until, error) {
		return 1, renewal.Until{End: time.Now().Add(-time.Second)}, nil
	})
	if _, err := c.Get(t.Context(), "a"); err == nil {
		t.Error("got an expired value")
	}
}

func TestAPanicOfTheSourceIsAFailureThatTellsNothing(t *testing.T) {
	c := of(limits, func(context.Context) (int64, renewal.Until, error) { panic("hunter2") })
	if _, err := c.Get(t.Context(), "a"); err == nil || err.Error() != "the answer couldn't be read (string)" {
		t.Errorf("got %v, want a failure without the panic's text", err)
	}
}

func TestTogetherAllWaitForTheNewValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{delay: 100 * time.Millisecond}
		o := limits
		o.Together = true
		c := of(o, s.fetch)
		want(t, c, "a", 1)
		if v, ok := c.Fresh("a"); !ok || v != 1 {
			t.Errorf("got %d, %v of a fresh value", v, ok)
		}
		time.Sleep(5 * time.Minute)
		if _, ok := c.Fresh("a"); ok {
			t.Error("a stale value is called fresh")
		}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { want(t, c, "a", 2) })
		}
		all.Wait()
		s.fault, s.delay = errors.New("down"), 0
		time.Sleep(5 * time.Minute)
		want(t, c, "a", 2) // its source is down
	})
}

func TestWhatIsKeptCameByAnotherWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := of(limits, (&source{}).fetch)
		if _, ok := c.Last("a"); ok {
			t.Error("got a value that never came")
		}
		c.Keep("a", 7, renewal.Until{Renew: time.Now().Add(time.Minute), End: time.Now().Add(time.Hour)})
		want(t, c, "a", 7)
		time.Sleep(2 * time.Hour)
		if v, ok := c.Last("a"); !ok || v != 7 {
			t.Errorf("got %d, %v, want the last value", v, ok)
		}
		want(t, c, "a", 1)
	})
}
