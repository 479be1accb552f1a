package storagetest

import (
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

func action(kind aztables.TransactionType, pk, rk string) aztables.TransactionAction {
	return aztables.TransactionAction{ActionType: kind, Entity: entity(pk, rk, nil)}
}

// submit is the outcome of a transaction.
func (b *bench) submit(actions ...aztables.TransactionAction) string {
	b.t.Helper()
	_, err := b.table.SubmitTransaction(b.ctx, actions, nil)
	return Outcome(err)
}

// adds are n additions to one partition.
func adds(n int, properties map[string]any) []aztables.TransactionAction {
	var all []aztables.TransactionAction
	for i := range n {
		all = append(all, aztables.TransactionAction{ActionType: aztables.TransactionTypeAdd, Entity: entity("p", fmt.Sprintf("%03d", i), properties)})
	}
	return all
}

// transactions: entity group transactions, all or nothing.
func transactions() []expectation {
	const addition, merge, deletion = aztables.TransactionTypeAdd, aztables.TransactionTypeUpdateMerge, aztables.TransactionTypeDelete
	return append(transactionLimits(), []expectation{
		{"what fails is said inside a 202, with its index", func(b *bench) string {
			b.add("p", "there", nil)
			return b.submit(action(addition, "p", "a"), action(addition, "p", "there"), action(addition, "p", "c"))
		}, "202 with 409 EntityAlreadyExists of 1", ""},
		{"a stale ETag inside fails it", func(b *bench) string {
			b.add("p", "there", nil)
			stale := aztables.TransactionAction{ActionType: merge, Entity: entity("p", "there", nil), IfMatch: ifMatch(stale)}
			return b.submit(action(addition, "p", "a"), stale)
		}, "202 with 412 UpdateConditionNotSatisfied of 1", ""},
		{"an absent entity inside fails it", func(b *bench) string {
			return b.submit(action(addition, "p", "a"), action(deletion, "p", "absent"))
		}, "202 with 404 ResourceNotFound of 1", ""},
		{"an absent table inside fails it", func(b *bench) string {
			b.table = b.service.NewClient("absent")
			return b.submit(action(addition, "p", "a"))
		}, "202 with 404 TableNotFound of 0", ""},
		{"what fails leaves nothing behind", func(b *bench) string {
			b.add("p", "there", nil)
			_ = b.submit(action(addition, "p", "a"), action(deletion, "p", "there"), action(addition, "p", "c"), action(deletion, "p", "absent"))
			return b.matching("")
		}, "there", ""},
		{"all kinds work at once", func(b *bench) string {
			b.add("p", "m", nil)
			b.add("p", "d", nil)
			said := b.submit(action(addition, "p", "a"), action(merge, "p", "m"), action(deletion, "p", "d"),
				action(aztables.TransactionTypeInsertReplace, "p", "r"), action(aztables.TransactionTypeInsertMerge, "p", "i"))
			return said + ": " + b.matching("")
		}, "ok: a i m r", ""},
	}...)
}

func transactionLimits() []expectation {
	const addition = aztables.TransactionTypeAdd
	return []expectation{
		{"100 operations are fine", func(b *bench) string { return b.submit(adds(100, nil)...) }, "ok", ""},
		{"gap 1: two partitions are refused", func(b *bench) string {
			return b.submit(action(addition, "p", "a"), action(addition, "q", "a"))
		}, "202 with 400 CommandsInBatchActOnDifferentPartitions of 1", "ok"},
		{"gap 2: 101 operations are refused", func(b *bench) string {
			said := b.submit(adds(101, nil)...)
			if strings.Contains(said, "malformed HTTP response") {
				return "unreadable"
			}
			return said
		}, "202 with 400 InvalidInput of 100", "unreadable"},
		{"one entity twice is refused", func(b *bench) string {
			return b.submit(action(addition, "p", "a"), action(aztables.TransactionTypeInsertMerge, "p", "a"))
		}, "202 with 400 InvalidDuplicateRow of 1", ""},
		{"more than 4 MiB are refused", func(b *bench) string {
			return b.submit(adds(80, map[string]any{"S": strings.Repeat("x", 30<<10), "T": strings.Repeat("x", 30<<10)})...)
		}, "413 RequestBodyTooLarge", ""},
	}
}
