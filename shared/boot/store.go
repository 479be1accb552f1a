package boot

import (
	"fmt"
	"net/http"

	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/shared/revocation"
	"tollgate/shared/tables"
)

// OpenStore is the account in which the plan keeps things, one for the process:
// its clock learns from every answer. nil where the plan has none. It does no network.
func (o Outside) OpenStore(plan *contract.Plan) (*tables.Account, error) {
	if plan.Store == nil {
		return nil, nil
	}
	address := plan.Store.Tables
	if own := o.Getenv(Tables); own != "" {
		address = own
	}
	b := newBackends(o)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	account, err := tables.Open(tables.Options{
		Address: address, Identity: plan.Store.Identity, Tokens: b.sources.Tokens,
		Transport: transport, Now: b.outside.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("the store (store.tables of the environment %s, or %s): %w", plan.Environment, Tables, err)
	}
	return account, nil
}

// Keep adds to the parts what needs the store, and returns the work that is to
// be done on it now and then.
func Keep(parts *gateway.Parts, plan *contract.Plan, account *tables.Account) []Chore {
	if account == nil {
		return nil
	}
	rows := account.Table(revocation.TableName)
	parts.Revocations = revocation.NewWatch(rows, revocation.Options{
		Now: parts.Now, Clock: account.Clock(), MaxStale: plan.Revocation.MaxStale, Report: parts.Report,
	})
	book := revocation.Book{Rows: rows, Clock: account.Clock(), NewID: parts.NewID}
	return []Chore{{"revocations", book.Sweep}}
}
