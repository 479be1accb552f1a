package tables_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sethvargo/go-limiter"
	"github.com/sethvargo/go-limiter/httplimit"

	"tollgate/shared/contract"
	"tollgate/shared/limit/limittest"
	"tollgate/shared/limit/tables"
	machine "tollgate/shared/tables"
)

var _ limiter.Store = (*tables.Limiter)(nil)

// Through go-limiter's own middleware, two instances let through three calls of a key together.
func TestGoLimitersMiddlewareCountsInTheTables(t *testing.T) {
	table := limittest.NewTable(time.Now)
	rule := limittest.Rule("middleware", func(l *contract.PlannedLimit) { l.Amount = 3 })
	var instances []http.Handler
	for range 2 {
		view := table.View(machine.MachineOf(time.Now))
		store := tables.New(view, tables.Options{Clock: view.Clock, Now: time.Now}).Limiter(rule)
		byKey := func(r *http.Request) (string, error) { return r.Header.Get("X-Key"), nil }
		m, err := httplimit.NewMiddleware(store, byKey)
		if err != nil {
			t.Fatal(err)
		}
		instances = append(instances, m.Handle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })))
		t.Cleanup(func() { _ = store.Close(t.Context()) })
	}
	ask := func(i int, key string) *httptest.ResponseRecorder {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Key", key)
		instances[i%2].ServeHTTP(w, r)
		return w
	}
	for i := range 3 {
		if w := ask(i, "a/b#?"); w.Code != http.StatusNoContent || w.Header().Get("X-RateLimit-Limit") != "3" {
			t.Errorf("call %d: got %d and %v, want it let through", i, w.Code, w.Header())
		}
	}
	if w := ask(0, "a/b#?"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d and %v, want the fourth refused", w.Code, w.Header())
	}
	if w := ask(0, "other"); w.Code != http.StatusNoContent {
		t.Errorf("got %d, want another key let through", w.Code)
	}
}

func TestALimiterTellsWithoutTaking(t *testing.T) {
	view := limittest.NewTable(time.Now).View(machine.MachineOf(time.Now))
	l := tables.New(view, tables.Options{Clock: view.Clock, Now: time.Now}).Limiter(limittest.Rule("tells", func(l *contract.PlannedLimit) { l.Amount = 2 }))
	for range 3 {
		if tokens, left, err := l.Get(t.Context(), "a"); tokens != 2 || left != 2 || err != nil {
			t.Errorf("got %d of %d (%v), want 2 of 2", left, tokens, err)
		}
	}
	if _, left, reset, ok, err := l.Take(t.Context(), "a"); left != 1 || reset == 0 || !ok || err != nil {
		t.Errorf("got %d left, reset %d, %v, %v, want one taken", left, reset, ok, err)
	}
	if err := l.Set(t.Context(), "a", 10, time.Minute); err == nil {
		t.Error("got a limit set for one key, want an error")
	}
	if err := l.Burst(t.Context(), "a", 10); err == nil {
		t.Error("got more than the rule says, want an error")
	}
}
