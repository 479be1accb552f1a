package token

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Refresh fetches the key sets that are past half their time, so that requests
// find them fresh. However often and by whomever it is called, it asks an
// issuer no more than twice in freshFor. The report has one line for each issuer.
func (t *Trust) Refresh(ctx context.Context) (report []string, err error) {
	names := slices.Sorted(maps.Keys(t.issuers))
	report, faults := make([]string, len(names)), make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { report[i], faults[i] = t.issuers[name].keys.warm(ctx) })
	}
	wg.Wait()
	return report, errors.Join(faults...)
}

func (k *keySet) warm(ctx context.Context) (string, error) {
	if r := k.held(); r != nil && k.now().Sub(r.fetched) < freshFor/2 {
		return fmt.Sprintf("%s: %d keys, fresh", k.issuer.Issuer, len(r.keys)), nil
	}
	if err := k.fetch(ctx, false); err != nil {
		return k.issuer.Issuer + ": not refreshed", err
	}
	return fmt.Sprintf("%s: %d keys, fetched", k.issuer.Issuer, len(k.held().keys)), nil
}
