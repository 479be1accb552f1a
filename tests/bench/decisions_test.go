package bench

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"tollgate/localrun/storage"
	"tollgate/shared/contract"
	"tollgate/shared/limit/limittest"
	limits "tollgate/shared/limit/tables"
	"tollgate/shared/pipeline"
	"tollgate/shared/subscription"
	"tollgate/shared/tables"
)

// What one decision may cost, in CPU time of this process. They are reported
// beside what was measured, and fail nothing: the machine is shared.
const (
	goalOfADecision = 300 * time.Nanosecond // a limit, from a block that is held
	goalOfALookUp   = 500 * time.Nanosecond // a key that is known
)

const (
	rounds  = 5
	inRound = 200_000
)

// least reports the CPU time of one call of do, of the quickest of the rounds.
func least(b *testing.B, goal time.Duration, do func()) {
	b.Helper()
	do()
	best := time.Duration(1 << 62)
	for b.Loop() {
		for range rounds {
			before := cpu(b)
			for range inRound {
				do()
			}
			best = min(best, cpu(b)-before)
		}
	}
	b.ReportMetric(0, "ns/op") // of all rounds together: nobody's figure
	b.ReportMetric(float64(best)/inRound, "cpu-ns")
	b.ReportMetric(float64(goal), "goal-ns")
	b.ReportMetric(testing.AllocsPerRun(1000, do), "allocs")
}

// cpu is what this process has used so far, in user and system mode.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLimitDecision: one call is charged to a block that this instance holds.
func BenchmarkLimitDecision(b *testing.B) {
	view := limittest.NewTable(time.Now).View(tables.MachineOf(time.Now))
	s := limits.New(view, limits.Options{Clock: view.Clock, Now: time.Now})
	key := limittest.Key(limittest.Rule("bench", func(l *contract.PlannedLimit) { l.Amount = 1 << 50 }), "entra/11111111-1111-1111-1111-111111111111")
	least(b, goalOfADecision, func() {
		if g, err := s.Take(context.Background(), key, 1); err != nil || !g.OK {
			b.Fatal(g, err)
		}
	})
}

// digestSecret stands in for the vault.
type digestSecret struct{}

func (digestSecret) Read(context.Context, contract.SecretRef) (string, error) {
	return "a secret of more than thirty-two bytes", nil
}

// BenchmarkKeyLookup: a call's key is found, and judged, without the store.
func BenchmarkKeyLookup(b *testing.B) {
	server := httptest.NewServer(storage.New(storage.Options{}))
	b.Cleanup(server.Close)
	transport := &http.Transport{}
	b.Cleanup(transport.CloseIdleConnections)
	account, err := tables.Open(tables.Options{
		Address:   "AccountName=" + storage.DefaultAccount + ";AccountKey=a2V5;TableEndpoint=" + server.URL + "/" + storage.DefaultAccount,
		Transport: transport, Now: time.Now, Try: 10 * time.Second,
	})
	if err != nil {
		b.Fatal(err)
	}
	digest := contract.SecretRef{Name: "digest"}
	plan := &contract.Plan{
		Store: &contract.PlannedStore{Digest: digest}, Products: []contract.PlannedProduct{{Name: "partner"}},
		APIs: []contract.PlannedAPI{{Name: "orders", Products: []string{"partner"}, Keys: contract.PlannedKeys{Header: contract.DefaultKeyHeader, Refresh: time.Hour, MaxStale: time.Hour}}},
	}
	table := account.Table(subscription.Table)
	_, key, err := subscription.NewOffice(table, account.Clock(), digestSecret{}, digest, rand.Reader).
		Open(b.Context(), subscription.Wish{Product: "partner", Owner: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	require := subscription.NewRegister(plan, subscription.Source{Rows: table, Clock: account.Clock(), Secrets: digestSecret{}}, time.Now).
		Require(plan.APIs[0], contract.PlannedOperation{ID: "get", Key: contract.KeyAnd})
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/orders/1", nil)
	r.Header[contract.DefaultKeyHeader] = []string{key}
	call, ctx := &pipeline.Call{Request: r}, b.Context()
	least(b, goalOfALookUp, func() {
		if refused := require(ctx, call); refused != nil {
			b.Fatal(refused)
		}
	})
}
