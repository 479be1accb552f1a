package token

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Refresh fetches the key sets that are past half their time, so that requests
// find them fresh. However often and by whomever it is called, it asks an
// issuer no more than twice in the time that keys are fresh. The report has one line for each issuer.
func (t *Trust) Refresh(ctx context.Context) (report []string, err error) {
	issuers := t.sorted()
	report, faults := make([]string, len(issuers)), make([]error, len(issuers))
	var wg sync.WaitGroup
	for i, is := range issuers {
		wg.Go(func() { report[i], faults[i] = is.keys.warm(ctx) })
	}
	wg.Wait()
	return report, errors.Join(faults...)
}

// sorted are the issuers in an order that doesn't change from call to call.
func (t *Trust) sorted() []*issuer {
	return slices.SortedFunc(maps.Values(t.issuers), func(a, b *issuer) int {
		return cmp.Or(cmp.Compare(a.Issuer, b.Issuer), cmp.Compare(a.AppID, b.AppID))
	})
}

func (k *keySet) warm(ctx context.Context) (string, error) {
	if r := k.held(); r != nil && !r.old && k.now().Sub(r.fetched) < k.times.Refresh/2 {
		return fmt.Sprintf("%s: %d keys, fresh", k.issuer.Issuer, len(r.keys)), nil
	}
	if err := k.fetch(ctx, false); err != nil {
		return k.issuer.Issuer + ": not refreshed", err
	}
	return fmt.Sprintf("%s: %d keys, fetched", k.issuer.Issuer, len(k.held().keys)), nil
}
