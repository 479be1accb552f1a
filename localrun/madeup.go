package main

import (
	"context"
	"crypto/rand"
	"time"

	"tollgate/localrun/storage"
	"tollgate/shared/contract"
	"tollgate/shared/subscription"
	"tollgate/shared/tables"
)

// madeUpKeys is a store in this process, and a key in it for each API of the
// plan that takes one: as a header, by the API's name.
func madeUpKeys(ctx context.Context, plan *contract.Plan) (func(contract.PlannedStore) subscription.Source, map[string][2]string, error) {
	keys := map[string][2]string{}
	if plan.Store == nil || plan.Store.Digest.Name == "" {
		return nil, keys, nil
	}
	account, err := tables.Open(tables.Options{
		Address:   "AccountName=" + storage.DefaultAccount + ";AccountKey=a2V5;TableEndpoint=http://127.0.0.1/" + storage.DefaultAccount,
		Transport: inProcess{storage.New(storage.Options{})}, Now: time.Now, Try: storeTry,
	})
	if err != nil {
		return nil, nil, err
	}
	secret, table := madeUpSecret(rand.Text()+rand.Text()), account.Table(subscription.Table)
	office := subscription.NewOffice(table, account.Clock(), secret, plan.Store.Digest, rand.Reader)
	for _, api := range plan.APIs {
		if !keyed(api) {
			continue
		}
		_, key, err := office.Open(ctx, subscription.Wish{API: api.Name, Owner: "matrix"})
		if err != nil {
			return nil, nil, err
		}
		keys[api.Name] = [2]string{api.Keys.Header, key}
	}
	return func(contract.PlannedStore) subscription.Source {
		return subscription.Source{Rows: table, Clock: account.Clock(), Secrets: secret}
	}, keys, nil
}

// keyed tells whether some operation of the API looks at keys.
func keyed(api contract.PlannedAPI) bool {
	for _, op := range api.Operations {
		if op.Key != contract.KeyUnused {
			return true
		}
	}
	return false
}

type madeUpSecret string

func (s madeUpSecret) Read(context.Context, contract.SecretRef) (string, error) {
	return string(s), nil
}
