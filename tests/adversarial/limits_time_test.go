package adversarial

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	outage "tollgate/localrun/faults"
	"tollgate/localrun/storage"
	"tollgate/shared/limit/tables"
)

// G127: twenty in ten seconds, smooth: no ten seconds hold more than a twentieth
// over that, wherever a burst meets an edge.
func TestG127NoWindowHoldsMore(t *testing.T) {
	b := metered(t, nil)
	token := b.as(somebody(), nil)
	var passed []time.Time
	burst := func(n int) {
		for range n {
			if got, a := b.status(t, bearing("GET /metered/even/1", token)); got == "200" {
				passed = append(passed, b.clock())
			} else if got != "429 rate_exceeded" {
				t.Fatalf("got %s %s", got, a.body)
			}
		}
	}
	for range 3 {
		b.until(10*time.Second, -100*time.Millisecond) // the last 100 ms of a window
		burst(25)
		b.until(10*time.Second, 10*time.Millisecond) // and the first of the next
		burst(25)
		b.Pass(4 * time.Second)
		burst(25)
	}
	for i, end := range passed {
		n := 0
		for _, at := range passed[:i+1] {
			if end.Sub(at) < 10*time.Second {
				n++
			}
		}
		if n > 21 {
			t.Errorf("got %d in the ten seconds up to call %d, want 21 at most", n, i)
		}
	}
	if len(passed) < 20 {
		t.Errorf("got %d in all, want the limit to be used", len(passed))
	}
}

// G127: a fixed window holds its own limit, and that is all it says: around an
// edge there may be twice as many.
func TestG127AFixedWindowHoldsItsOwn(t *testing.T) {
	b := metered(t, nil)
	oid := somebody()
	b.until(time.Hour, -5*time.Second)
	before := b.granted(t, 6, "429 rate_exceeded", func(int) string { return b.user3(oid) })
	b.until(time.Hour, 5*time.Second)
	after := b.granted(t, 6, "429 rate_exceeded", func(int) string { return b.user3(oid) })
	if before != 3 || after != 3 {
		t.Errorf("got %d before the edge and %d behind it, want 3 of each", before, after)
	}
}

// G133: a limit begins anew with its window: not a second sooner, and whatever
// was refused meanwhile.
func TestG133ALimitIsNeitherResetEarlyNorStuck(t *testing.T) {
	b := metered(t, nil)
	oid := somebody()
	call := func(want int) {
		t.Helper()
		if n := b.granted(t, 4, "429 rate_exceeded", func(int) string { return b.user3(oid) }); n != want {
			t.Errorf("got %d granted at %s, want %d", n, b.clock().Format(time.TimeOnly), want)
		}
	}
	call(3)
	b.Pass(30 * time.Minute)
	call(0)
	b.until(time.Hour, -3*time.Second)
	call(0)
	b.until(time.Hour, 3*time.Second)
	call(3)
	// The store's clock is what counts: one that is five minutes fast ends the hour sooner, and one set back brings none back.
	b.until(time.Hour, -4*time.Minute)
	call(0)
	b.Storage.Offset(5 * time.Minute)
	b.Pass(time.Minute) // what is known of its clock is asked anew by then, at the latest
	_, _ = b.account(t).Table(tables.Name).Get(t.Context(), anyRow())
	first := b.granted(t, 4, "429 rate_exceeded", func(int) string { return b.user3(oid) })
	b.Storage.Offset(0)
	second := b.granted(t, 4, "429 rate_exceeded", func(int) string { return b.user3(oid) })
	if first+second > 3 {
		t.Errorf("got %d and %d granted around a jump of the store's clock, want one window's", first, second)
	}
}

// held is a backend that answers once it is let.
func held(t *testing.T) (url string, begun chan struct{}, release func()) {
	begun, hold := make(chan struct{}, 1<<12), make(chan struct{})
	release = sync.OnceFunc(func() { close(hold) })
	back := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-hold
	}))
	t.Cleanup(func() { release(); back.Close() })
	return back.URL, begun, release
}

// G136: calls that are under way when the month ends are charged to it, once, and to no other.
func TestG136ACallIsChargedToOneMonth(t *testing.T) {
	url, begun, release := held(t)
	b := metered(t, edit{"${backend.metered}", url})
	now := b.clock().UTC()
	end := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	b.Pass(end.Add(-8 * time.Second).Sub(b.clock()))
	oid := somebody()
	month := func() string { return bearing("GET /metered/month/1", b.as(oid, nil)) }
	requests := []string{month(), month()}
	done := make(chan answer, 2)
	for _, r := range requests {
		go func() { done <- b.send(t, r) }()
		<-begun
	}
	b.Pass(16 * time.Second)
	release()
	for range 2 {
		if a := <-done; a.StatusCode != 200 {
			t.Errorf("got %d, want what was under way finished", a.StatusCode)
		}
	}
	if n := b.granted(t, 5, "429 quota_exceeded", func(int) string { return month() }); n != 3 {
		t.Errorf("got %d granted in the new month, want all 3", n)
	}
	a := b.account(t)
	used := map[time.Month][]int64{}
	rows := a.Table(tables.Name)
	for row, err := range rows.List(t.Context(), everything()) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Fields.Text("Name") == "monthly" {
			starts := time.Unix(row.Fields.Int("Starts"), 0).UTC()
			used[starts.Month()] = append(used[starts.Month()], row.Fields.Int("Used"))
		}
	}
	before := end.Add(-time.Hour).Month()
	if !slices.Equal(used[before], []int64{2}) || !slices.Equal(used[end.Month()], []int64{3}) {
		t.Errorf("got %v used by month, want 2 of the old one and 3 of the new", used)
	}
}

// trouble is what the store does in case 131.
func trouble() map[string]outage.Fault {
	return map[string]outage.Fault{
		"503":                   {Kind: storage.Busy},
		"500, timed out":        {Kind: storage.TimedOut},
		"429":                   {Kind: outage.Status, Status: 429},
		"403":                   {Kind: outage.Status, Status: 403},
		"a storm of 412":        {Kind: storage.Conflict},
		"answers that are lost": {Kind: storage.Lost},
		"ten seconds":           {Kind: outage.Slow, Delay: 10 * time.Second},
		"a little over one try": {Kind: outage.Slow, Delay: 400 * time.Millisecond},
		"no connection":         {Kind: outage.Refuse},
		"a page of a portal's":  {Kind: outage.Garbage},
		"slow, and then a 503":  {Kind: outage.Status, Status: 503, Delay: 200 * time.Millisecond},
	}
}

// G131: whatever the store does, each limit does what its contract says, in
// time, and the event tells. Silence means refuse.
func TestG131AnOutageOfTheStore(t *testing.T) {
	const tries = 2 * 250 * time.Millisecond
	for name, fault := range trouble() {
		t.Run(name, func(t *testing.T) {
			b := inProcessOn(t, "metered", nil)
			for _, c := range []struct{ path, want, mark, code string }{
				{"refuse", "503 limit_unavailable", "", "limit_unavailable"},
				{"pass", "200", "limit_outage:passing:allow", "granted"},
				{"local", "200", "limit_outage:sharing:local", "granted"},
			} {
				b.Storage.Heal()
				b.Pass(11 * time.Second) // the pause after the fault before
				token := b.as(somebody(), nil)
				get := bearing("GET /metered/"+c.path+"/1", token)
				if got, a := b.status(t, get); got != "200" {
					t.Fatalf("%s, healthy: got %s %s", c.path, got, a.body)
				}
				b.Backend.Reset()
				b.Storage.Fail(fault)
				began := time.Now()
				got, a := b.status(t, get)
				took := time.Since(began)
				e := b.Event(t, a.Header.Get("X-Correlation-Id"))
				if got != c.want || e.Code != c.code || c.mark != "" && !slices.Contains(e.Marks, c.mark) {
					t.Errorf("%s: got %s %s and the event %+v, want %s and %s", c.path, got, a.body, e, c.want, c.mark)
				}
				if took > tries+500*time.Millisecond { // and what a loaded machine adds
					t.Errorf("%s: got a decision after %s, want one within %s", c.path, took, tries)
				}
				if retry := a.Header.Get("Retry-After"); c.path == "refuse" && (retry == "" || retry == "0" || e.Rule == "" || e.Cause == "" || b.Backend.Count() != 0 || strings.Contains(string(a.body), "127.0.0.1")) {
					t.Errorf("got Retry-After %q, the event %+v and %d calls of the backend", retry, e, b.Backend.Count())
				}
				if c.path == "local" { // a tenth of 20
					if n := b.granted(t, 5, "429 rate_exceeded", func(int) string { return get }); n != 1 {
						t.Errorf("got %d more by this instance alone, want one", n)
					}
				}
			}
			b.Storage.Heal()
			b.Pass(11 * time.Second)
			if got, a := b.status(t, bearing("GET /metered/refuse/1", b.as(somebody(), nil))); got != "200" {
				t.Errorf("healed: got %s %s", got, a.body)
			}
		})
	}
}

// G131: while the store is down, calls don't wait for it one after the other.
func TestG131ADeadStoreMakesNoSlowGateway(t *testing.T) {
	b := inProcessOn(t, "metered", nil)
	b.status(t, bearing("GET /metered/refuse/1", b.as(somebody(), nil)))
	b.Storage.Fail(outage.Fault{Kind: outage.Slow, Delay: 10 * time.Second})
	began := time.Now()
	for i := range 100 {
		if got, a := b.status(t, bearing("GET /metered/refuse/1", b.as(somebody(), map[string]any{"n": fmt.Sprint(i)}))); got != "503 limit_unavailable" {
			t.Fatalf("got %s %s", got, a.body)
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("got 100 decisions in %s, want them not to wait for the store each", took)
	}
}
