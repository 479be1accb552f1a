package tables_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/limit/limittest"
	"tollgate/shared/limit/tables"
	"tollgate/shared/pipeline"
	machine "tollgate/shared/tables"
)

// A store in memory, under the real clock.
func real() *tables.Store {
	view := limittest.NewTable(time.Now).View(machine.MachineOf(time.Now))
	return tables.New(view, tables.Options{Clock: view.Clock, Now: time.Now})
}

// BenchmarkTake is one decision from a held block.
func BenchmarkTake(b *testing.B) {
	s, r := real(), limittest.Rule("bench", func(l *contract.PlannedLimit) { l.Amount = 1 << 50 })
	key := limittest.Key(r, "entra/11111111-1111-1111-1111-111111111111")
	b.ReportAllocs()
	for b.Loop() {
		if g, err := s.Take(context.Background(), key, 1); err != nil || !g.OK {
			b.Fatal(g, err)
		}
	}
}

// BenchmarkSpend is the whole stage: what the call is counted by, the decision,
// and what is noted for the answer.
func BenchmarkSpend(b *testing.B) {
	l := contract.PlannedLimit{
		Name: "per-tenant", Scope: "api/orders", Amount: 1 << 50, Period: contract.PeriodFixed, Window: time.Minute,
		By: []contract.CountedBy{{Kind: contract.PerClaim, Names: []string{"tid"}}},
	}
	set := limit.NewSet(&contract.Plan{}, limit.Stores{Shared: real()})
	spend := set.Spend(contract.PlannedAPI{Name: "orders"}, contract.PlannedOperation{ID: "get", Weight: 1, Limits: []contract.PlannedLimit{l}})
	identity := &pipeline.Identity{Authority: "entra/11111111-1111-1111-1111-111111111111", Claims: pipeline.Claims{"tid": "11111111-1111-1111-1111-111111111111"}}
	request := &http.Request{Header: http.Header{}}
	call := new(pipeline.Call)
	b.ReportAllocs()
	for b.Loop() {
		*call = pipeline.Call{Request: request, Identity: identity}
		if refused := spend(context.Background(), call); refused != nil {
			b.Fatal(refused)
		}
	}
}
