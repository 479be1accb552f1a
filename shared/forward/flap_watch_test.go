package forward_test

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"tollgate/shared/contract"
)

// watcher stands between a delivery and its transport, and holds each target's
// breaker to the contract: by what came of the calls it knows when a target must
// be left alone. Things of the same instant may have come about in either order.
type watcher struct {
	t        testing.TB
	below    http.RoundTripper
	failures int           // that open
	open     time.Duration // for so long

	mu          sync.Mutex
	targets     map[string]*watched
	under, most int            // calls under way
	attempts    map[string]int // by call
	opened      int            // times
	probes      int
}

// watched is one target's breaker as it must be.
type watched struct {
	failed  int       // since it closed
	until   time.Time // zero: closed
	changed time.Time
	probe   *int // the call that tries it; nil: none
}

func (w *watcher) RoundTrip(r *http.Request) (*http.Response, error) {
	w.attempt(r)
	id := w.begin(r.URL.Host)
	resp, err := w.below.RoundTrip(r)
	w.end(r.URL.Host, id, err != nil || resp.StatusCode == http.StatusServiceUnavailable)
	if err != nil {
		w.leave()
		return nil, err
	}
	resp.Body = &leaving{ReadCloser: resp.Body, leave: sync.OnceFunc(w.leave)}
	return resp, nil
}

// attempt counts how often a call is tried: once, or with retries where its method allows them.
func (w *watcher) attempt(r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, most := r.Header.Get("X-Correlation-Id"), 1
	if contract.Idempotent(r.Method) {
		most += stormRetries
	}
	if w.attempts[id]++; w.attempts[id] > most {
		w.t.Errorf("got attempt %d of a %s, want %d at the most", w.attempts[id], r.Method, most)
	}
}

type leaving struct {
	io.ReadCloser
	leave func()
}

func (l *leaving) Close() error {
	l.leave()
	return l.ReadCloser.Close()
}

func (w *watcher) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.under--
}

func (w *watcher) begin(host string) *int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.under++
	w.most = max(w.most, w.under)
	id, b, now := new(int), w.targets[host], time.Now()
	switch {
	case b.until.IsZero() || b.changed.Equal(now): // closed, or it was in this instant
	case !now.After(b.until):
		w.t.Errorf("%s: got a call %s before the breaker's time is over, want none", host, b.until.Sub(now))
	case b.probe != nil:
		w.t.Errorf("%s: got a call beside the one that tries it, want one at a time", host)
	default:
		b.probe = id
		w.probes++
	}
	return id
}

func (w *watcher) end(host string, id *int, failed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, now := w.targets[host], time.Now()
	switch {
	case b.probe == id && !failed:
		*b = watched{changed: now}
	case b.probe == id:
		*b = watched{changed: now, until: now.Add(w.open)}
	case b.until.IsZero() && failed:
		if b.failed++; b.failed >= w.failures {
			*b = watched{changed: now, until: now.Add(w.open)}
			w.opened++
		}
	}
}

// turnedAway checks a refusal because of open breakers: no target may be asked
// now, and the wait is that of the first which may.
func (w *watcher) turnedAway(retryAfter string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, first := time.Now(), time.Hour
	for host, b := range w.targets {
		switch {
		case b.changed.Equal(now):
			return
		case b.until.IsZero(), now.After(b.until) && b.probe == nil:
			w.t.Errorf("got backend_open while %s may be asked, want the call there", host)
		}
		first = min(first, max(b.until.Sub(now), time.Second))
	}
	if want := strconv.Itoa(int((first + time.Second - 1) / time.Second)); retryAfter != want {
		w.t.Errorf("got Retry-After %q with the first breaker half-open in %s, want %s", retryAfter, first, want)
	}
}
