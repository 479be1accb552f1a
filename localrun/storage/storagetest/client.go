package storagetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// clientTraps are those of entra-oauth.md §5 and ecosystem.md §1: not of the
// service but of aztables, which both services let show.
func clientTraps() []expectation {
	return append(transactionTraps(), []expectation{
		{"UpdateEntity and DeleteEntity without IfMatch are unconditional", func(b *bench) string {
			b.add("p", "r", nil)
			_, update := b.table.UpdateEntity(b.ctx, entity("p", "r", nil), nil)
			_, remove := b.table.DeleteEntity(b.ctx, "p", "r", nil)
			return outcomes(update, remove)
		}, "ok, ok", ""},
		{"UpsertEntity is never conditional", func(b *bench) string {
			b.add("p", "r", nil)
			_, err := b.table.UpsertEntity(b.ctx, entity("p", "r", with("odata.etag", string(stale))), nil)
			return Outcome(err)
		}, "ok", ""},
		{"UpdateEntity with IfMatch alone fails before it is sent", func(b *bench) string {
			tag := b.add("p", "r", nil)
			_, err := b.table.UpdateEntity(b.ctx, entity("p", "r", nil), &aztables.UpdateEntityOptions{IfMatch: &tag})
			return Outcome(err)
		}, "invalid EntityUpdateMode", ""},
		{"UpdateEntity without keys panics", func(b *bench) (said string) {
			defer func() { said = fmt.Sprint(recover() != nil) }()
			_, _ = b.table.UpdateEntity(b.ctx, []byte(`{"PartitionKey":"p"}`), nil)
			return ""
		}, "true", ""},
		{"a JSON number beyond 2^53 is corrupted on its way", func(b *bench) string {
			b.add("p", "r", with("N", json.RawMessage("9007199254740993")))
			return fmt.Sprintf("%.0f", b.get("p", "r")["N"])
		}, "9007199254740992", ""},
		{"EDMEntity stores an apostrophe twice", func(b *bench) string {
			text, _ := json.Marshal(aztables.EDMEntity{Entity: aztables.Entity{PartitionKey: "p", RowKey: "a'b"}})
			if _, err := b.table.AddEntity(b.ctx, text, nil); err != nil {
				return Outcome(err)
			}
			_, once := b.table.GetEntity(b.ctx, "p", "a'b", nil)
			_, twice := b.table.GetEntity(b.ctx, "p", "a''b", nil)
			return b.matching("") + ": " + outcomes(once, twice)
		}, "a''b: 404 ResourceNotFound, ok", ""},
	}...)
}

func transactionTraps() []expectation {
	const merge, replace = aztables.TransactionTypeUpdateMerge, aztables.TransactionTypeUpdateReplace
	return []expectation{
		{"a failed transaction has status 202 and no code, and its body can be read again", func(b *bench) string {
			_, err := b.table.SubmitTransaction(b.ctx, []aztables.TransactionAction{action(aztables.TransactionTypeDelete, "p", "absent")}, nil)
			failed, ok := errors.AsType[*azcore.ResponseError](err)
			if !ok {
				return fmt.Sprint(err)
			}
			text, err := io.ReadAll(failed.RawResponse.Body)
			inside := strings.Contains(string(text), "HTTP/1.1 404") && strings.Contains(string(text), `"value":"0:`)
			return fmt.Sprintf("%d %q %t %v", failed.StatusCode, failed.ErrorCode, inside, err)
		}, `202 "" true <nil>`, ""},
		{"a transaction gives no ETags", func(b *bench) string {
			resp, err := b.table.SubmitTransaction(b.ctx, adds(2, nil), nil)
			return fmt.Sprintf("%+v %v", resp, err)
		}, "{} <nil>", ""},
		{"in a transaction an update without IfMatch is an upsert", func(b *bench) string {
			return b.submit(action(merge, "p", "m"), action(replace, "p", "r")) + ": " + b.matching("")
		}, "ok: m r", ""},
		{"in a transaction an update with ETagAny is none", func(b *bench) string {
			a := action(merge, "p", "m")
			a.IfMatch = ifMatch(azcore.ETagAny)
			return b.submit(a)
		}, "202 with 404 ResourceNotFound of 0", ""},
		{"new gap: in a transaction a key with an apostrophe can't be updated", func(b *bench) string {
			return b.submit(action(merge, "p", "a'b"))
		}, "400 InvalidInput", "ok"},
	}
}
