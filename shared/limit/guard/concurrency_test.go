package guard

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Calls that arrive together may each find the last of the budget: it is
// overdrawn by as many as there are at one time, and no more.
func TestCallsAtOneTimeOverdrawTheBudgetByTheirNumberAtMost(t *testing.T) {
	const workers, each = 8, 2000
	var verified, granted atomic.Int64
	verify := func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		if c.Request.Header.Get("Authorization") == "good" {
			granted.Add(1)
			return nil
		}
		verified.Add(1)
		return refusal.New(refusal.Unauthenticated, "bad_signature", "No.")
	}
	known := func(_ context.Context, c *pipeline.Call) bool { return c.Request.Header.Get("Authorization") == "good" }
	stage := New(contract.GuardLimit{Refused: budget, Window: time.Hour}).Around(known, verify)
	began := time.Now()
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range each {
				stage(context.Background(), call(attacker, []string{"bad", "good"}[i%2]))
			}
		})
	}
	all.Wait()
	most := budget + workers + lane*(int(time.Since(began)/time.Second)+2)
	if got := int(verified.Load()); got < budget || got > most {
		t.Errorf("got %d verified, want from %d to %d", got, budget, most)
	}
	if got := granted.Load(); got != workers*each/2 {
		t.Errorf("got %d grants of a known token, want all %d", got, workers*each/2)
	}
}
