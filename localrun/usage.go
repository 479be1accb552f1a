package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tollgate/shared/contract"
	limits "tollgate/shared/limit/tables"
	"tollgate/shared/subscription"
)

// usageFilter says which counts are meant.
type usageFilter struct {
	product, api, subscription, limit string
}

func (f *usageFilter) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.product, "product", "", "only the limits of this product")
	fl.StringVar(&f.api, "api", "", "only the limits of this API and of its operations")
	fl.StringVar(&f.subscription, "subscription", "", "only what this subscription used, by its id")
	fl.StringVar(&f.limit, "limit", "", "only limits of this name")
}

func (f *usageFilter) empty() bool { return *f == usageFilter{} }

// check refuses what no count can be.
func (f *usageFilter) check() error {
	if f.product != "" && f.api != "" {
		return errors.New("--product and --api contradict each other: a limit is of a product or of an API")
	}
	return nil
}

func (f *usageFilter) keeps(u limits.Use) bool {
	kind, of, _ := strings.Cut(u.Scope, "/")
	api, _, _ := strings.Cut(of, "/") // an operation's scope is operation/API/ID
	return (f.product == "" || kind == "product" && of == f.product) &&
		(f.api == "" || kind != "product" && api == f.api) &&
		(f.limit == "" || u.Name == f.limit) &&
		(f.subscription == "" || subscriptionOf(u) == f.subscription)
}

// subscriptionOf is whose count it is, "" if it is not one subscription's.
func subscriptionOf(u limits.Use) string {
	for _, by := range u.By {
		if by[0] == contract.PerSubscription {
			return by[1]
		}
	}
	return ""
}

// slip tells a filter that no limit of the contracts fits, where they are known:
// "nothing" would look like an answer.
func (f *usageFilter) slip(plan *contract.Plan) error {
	if plan == nil {
		return nil
	}
	var products, apis, names []string
	add := func(all []contract.PlannedLimit) {
		for _, l := range all {
			names = append(names, l.Name)
		}
	}
	for _, p := range plan.Products {
		products = append(products, p.Name)
		add(p.Limits)
	}
	for _, a := range plan.APIs {
		apis = append(apis, a.Name)
		for _, op := range a.Operations {
			add(op.Limits)
		}
	}
	for _, known := range []struct {
		what, name string
		all        []string
	}{{"product", f.product, products}, {"API", f.api, apis}, {"limit", f.limit, names}} {
		if known.name != "" && !slices.Contains(known.all, known.name) {
			slices.Sort(known.all)
			return fmt.Errorf("there is no %s %q; known: %s", known.what, known.name, strings.Join(slices.Compact(known.all), ", "))
		}
	}
	return nil
}

// used is one count, and whose it is.
type used struct {
	limits.Use
	of *subscription.Record // nil: not a subscription's, or of one that is gone
}

// share is how much of the limit is used; 1 is all of it.
func (u used) share() float64 {
	if u.Most <= 0 {
		return 0
	}
	return float64(u.Used) / float64(u.Most)
}

// usesOf opens the store that the flags name, and gives the counts that the filter keeps.
func (f *usageFilter) usesOf(cmd *cobra.Command, in *storeFlags) (*openStore, []used, error) {
	if err := f.check(); err != nil {
		return nil, nil, err
	}
	store, err := in.open(cmd)
	if err != nil {
		return nil, nil, err
	}
	all, err := store.uses(cmd.Context(), *f)
	return store, all, err
}

// uses are the counts that the filter keeps, what is nearest to its end first.
func (s *openStore) uses(ctx context.Context, f usageFilter) ([]used, error) {
	all, err := picked(s.keeping().Uses(ctx), f)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, f.slip(s.plan)
	}
	return all, s.name(ctx, all)
}

func (s *openStore) keeping() limits.Keeping {
	return limits.Keeping{Rows: s.account.Table(limits.Name), Clock: s.account.Clock()}
}

func picked(from iter.Seq2[limits.Use, error], f usageFilter) ([]used, error) {
	var all []used
	for u, err := range from {
		if err != nil {
			return nil, err
		}
		if f.keeps(u) {
			all = append(all, used{Use: u})
		}
	}
	slices.SortStableFunc(all, func(a, b used) int {
		return cmp.Or(cmp.Compare(b.share(), a.share()), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Name, b.Name),
			slices.CompareFunc(a.By, b.By, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }))
	})
	return all, nil
}

// name looks up the subscriptions, if some count is one's.
func (s *openStore) name(ctx context.Context, all []used) error {
	wanted := map[string]*subscription.Record{}
	for _, u := range all {
		if id := subscriptionOf(u.Use); id != "" {
			wanted[id] = nil
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	for r, err := range s.office(rand.Reader).List(ctx) {
		if err != nil {
			return err
		}
		if _, ok := wanted[r.ID]; ok {
			wanted[r.ID] = r
		}
	}
	for i, u := range all {
		all[i].of = wanted[subscriptionOf(u.Use)]
	}
	return nil
}

type usageFlags struct {
	storeFlags
	usageFilter
	asJSON, asCSV bool
}

func usageCommand() *cobra.Command {
	f := &usageFlags{}
	cmd := &cobra.Command{
		Use:   "usage",
		Short: "Who used what of which limit",
		Long: `Shows each count of the store that hasn't ended, what is nearest to its limit first.

Used is what instances have debited. They debit blocks ahead, as large as they are
likely to need, so a part of it may still be held by them and not be spent yet.

Works on the store of the local run, of an environment of the contracts
(--environment), or at an address (--tables).`,
		Example: `  tollgate usage
  tollgate usage --product partner
  tollgate usage --subscription 4kq2… --json --environment prod`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.usage(cmd) },
	}
	f.storeFlags.add(cmd)
	f.usageFilter.add(cmd)
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON, for machines")
	cmd.Flags().BoolVar(&f.asCSV, "csv", false, "print CSV, for spreadsheets: a text that one would take for a formula begins with '")
	return cmd
}

func (f *usageFlags) usage(cmd *cobra.Command) error {
	if f.asJSON && f.asCSV {
		return errors.New("--json and --csv contradict each other")
	}
	_, all, err := f.usesOf(cmd, &f.storeFlags)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch {
	case f.asJSON:
		return writeUsageJSON(out, all)
	case f.asCSV:
		return writeUsageCSV(out, all)
	}
	return writeUsage(out, all, screenOf(out))
}
