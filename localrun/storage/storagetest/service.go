package storagetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// serviceWide is what aztables asks of accounts and tables, and rarely is used.
func serviceWide() []expectation {
	return []expectation{
		{"gap 7: a table keeps access policies", func(b *bench) string {
			policies := []*aztables.SignedIdentifier{{ID: new("one"), AccessPolicy: &aztables.AccessPolicy{
				Permission: new("r"), Start: new(time.Unix(0, 0)), Expiry: new(time.Unix(1<<32, 0)),
			}}}
			_, set := b.table.SetAccessPolicy(b.ctx, &aztables.SetAccessPolicyOptions{TableACL: policies})
			got, get := b.table.GetAccessPolicy(b.ctx, nil)
			return fmt.Sprint(outcomes(set, get), " ", len(got.SignedIdentifiers))
		}, "ok, ok 1", ""},
		{"gap 7: the service has properties", func(b *bench) string {
			got, err := b.service.GetProperties(b.ctx, nil)
			return fmt.Sprint(Outcome(err), " ", got.Logging != nil)
		}, "ok true", ""},
		{"gap 7: the service keeps properties", func(b *bench) string {
			on := aztables.ServiceProperties{HourMetrics: &aztables.Metrics{
				Enabled: new(true), IncludeAPIs: new(true), Version: new("1.0"), RetentionPolicy: &aztables.RetentionPolicy{Enabled: new(false)},
			}}
			_, set := b.service.SetProperties(b.ctx, on, nil)
			got, get := b.service.GetProperties(b.ctx, nil)
			return fmt.Sprint(outcomes(set, get), " ", got.HourMetrics != nil && *got.HourMetrics.Enabled)
		}, "ok, ok true", ""},
	}
}

// races: what several writers do to one entity.
func races() []expectation {
	return []expectation{
		{"of eight writers with one ETag, one wins", func(b *bench) string {
			tag := b.add("p", "r", nil)
			var won, lost atomic.Int32
			together(8, func() {
				switch _, err := b.table.UpdateEntity(b.ctx, entity("p", "r", nil), &aztables.UpdateEntityOptions{IfMatch: &tag, UpdateMode: aztables.UpdateModeReplace}); Outcome(err) {
				case "ok":
					won.Add(1)
				case "412 UpdateConditionNotSatisfied":
					lost.Add(1)
				}
			})
			return fmt.Sprint(won.Load(), " ", lost.Load())
		}, "1 7", ""},
		{"no increment is lost", func(b *bench) string {
			b.add("p", "r", with("N", 0))
			together(4, func() {
				for range 10 {
					b.increment()
				}
			})
			return fmt.Sprint(b.get("p", "r")["N"])
		}, "40", ""},
	}
}

// increment reads and writes until no other was faster.
func (b *bench) increment() {
	for b.ctx.Err() == nil {
		read, err := b.table.GetEntity(b.ctx, "p", "r", nil)
		if err != nil {
			b.t.Error(err)
			return
		}
		next := b.parsed(read.Value)["N"].(float64) + 1
		if _, err = b.table.UpdateEntity(b.ctx, entity("p", "r", with("N", next)), &aztables.UpdateEntityOptions{IfMatch: &read.ETag, UpdateMode: aztables.UpdateModeMerge}); err == nil {
			return
		}
	}
}

// together does the same n times at once.
func together(n int, do func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(do)
	}
	all.Wait()
}
