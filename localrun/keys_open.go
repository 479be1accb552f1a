package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/localrun/estate"
	"tollgate/shared/contract"
	"tollgate/shared/subscription"
)

// wishFlags describe a subscription.
type wishFlags struct {
	subscription.Wish
	expires string
}

// openCommand is request, which obeys the product's approval, or create, with which an operator needs none.
func (f *keysFlags) openCommand(request bool) *cobra.Command {
	var w wishFlags
	cmd := &cobra.Command{
		Use:   "create (--product NAME | --api NAME) --owner WHO",
		Short: "Make a subscription that is active at once, and print its key",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.openOne(cmd, w, request)
		},
	}
	if request {
		cmd.Use, cmd.Short = "request (--product NAME | --api NAME) --owner WHO", "Ask for a subscription, and print its key; it is good once it is approved, where the product needs that"
	}
	fl := cmd.Flags()
	fl.StringVar(&w.Product, "product", "", "the product that it is to")
	fl.StringVar(&w.API, "api", "", "the API that it is to, instead of a product")
	fl.StringVar(&w.Owner, "owner", "", "who answers for it: a mail address or a team's name")
	fl.StringVar(&w.Client, "client", "", "client id that the token must name; in the local run also a client's name")
	fl.StringVar(&w.Tenant, "tenant", "", "tenant id that the token must be of; in the local run also home")
	fl.StringVar(&w.expires, "expires", "", "when it ends: 90d, 2027-06-30 (that day is the first without it) or 2027-06-30T12:00:00Z; without it, never")
	fl.StringVar(&w.Note, "note", "", "anything to remember")
	return cmd
}

func (f *keysFlags) openOne(cmd *cobra.Command, w wishFlags, request bool) error {
	store, err := f.open(cmd)
	if err != nil {
		return err
	}
	if w.Expires, err = moment(w.expires, time.Now()); err != nil {
		return err
	}
	if err := errors.Join(w.fit(store), store.mints()); err != nil {
		return err
	}
	if !request {
		w.Approval = false
	}
	r, key, err := store.office(rand.Reader).Open(cmd.Context(), w.Wish)
	if err != nil {
		return err
	}
	return f.show(cmd, r, key)
}

var guidText = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// fit holds the wish against the contracts, where they are known.
func (w *wishFlags) fit(s *openStore) error {
	if (w.Product == "") == (w.API == "") {
		return errors.New("say what it is to: --product or --api, one of them")
	}
	if w.Owner == "" {
		return errors.New("say who answers for it: --owner")
	}
	if s.local && w.Client != "" && !guidText.MatchString(w.Client) {
		w.Client = estate.GUID("client", w.Client)
	}
	if s.local && w.Tenant == contract.Home {
		w.Tenant = estate.Tenant()
	}
	if w.Tenant != "" && !guidText.MatchString(w.Tenant) {
		return fmt.Errorf("--tenant %q is not a tenant's id (a GUID)", w.Tenant)
	}
	if s.plan == nil {
		w.Approval = true // which products need it isn't known, and approving is easily done
		return nil
	}
	return w.against(s.plan)
}

func (w *wishFlags) against(plan *contract.Plan) error {
	var products, apis []string
	for _, p := range plan.Products {
		products = append(products, p.Name)
	}
	for _, a := range plan.APIs {
		apis = append(apis, a.Name)
	}
	if w.API != "" {
		if !slices.Contains(apis, w.API) {
			return fmt.Errorf("there is no API %q; known: %s", w.API, strings.Join(apis, ", "))
		}
		w.Approval = true // no product's limits and bindings hold for such a key, so somebody must want that
		return nil
	}
	i := slices.Index(products, w.Product)
	if i < 0 {
		return fmt.Errorf("there is no product %q; known: %s", w.Product, strings.Join(products, ", "))
	}
	p := plan.Products[i]
	switch w.Approval = p.Approval; {
	case p.BindClient && w.Client == "":
		return fmt.Errorf("the product %s binds keys to a client; name it with --client", p.Name)
	case p.BindTenant && w.Tenant == "":
		return fmt.Errorf("the product %s binds keys to a tenant; name it with --tenant", p.Name)
	}
	return nil
}

var days = regexp.MustCompile(`^[1-9][0-9]{0,4}d$`)

// moment reads an end.
func moment(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if days.MatchString(s) {
		n := 0
		_, _ = fmt.Sscanf(s, "%dd", &n) // digits, and few
		return now.Add(time.Duration(n) * 24 * time.Hour), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("--expires %q: write 90d, 2027-06-30 or 2027-06-30T12:00:00Z", s)
}
