package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tollgate/shared/revocation"
	"tollgate/shared/subscription"
)

// shown is a subscription, as --json prints it. Its names are kept.
type shown struct {
	ID        string             `json:"id"`
	Product   string             `json:"product,omitempty"`
	API       string             `json:"api,omitempty"`
	Owner     string             `json:"owner"`
	State     subscription.State `json:"state"`
	Client    string             `json:"client,omitempty"`
	Tenant    string             `json:"tenant,omitempty"`
	Note      string             `json:"note,omitempty"`
	Created   time.Time          `json:"created"`
	Started   *time.Time         `json:"started,omitempty"`
	Expires   *time.Time         `json:"expires,omitempty"`
	Primary   *shownKey          `json:"primary,omitempty"`
	Secondary *shownKey          `json:"secondary,omitempty"`
}

type shownKey struct {
	Made time.Time  `json:"made"`
	Ends *time.Time `json:"ends,omitempty"`
}

func shownOf(r *subscription.Record) shown {
	out := shown{
		ID: r.ID, Product: r.Product, API: r.API, Owner: r.Owner, State: r.State, Client: r.Client, Tenant: r.Tenant, Note: r.Note,
		Created: r.Created, Started: known(r.Started), Expires: known(r.Expires),
	}
	for i, at := range []**shownKey{&out.Primary, &out.Secondary} {
		if s := r.Slots[i]; s.Digest != "" {
			*at = &shownKey{s.Made, known(s.Ends)}
		}
	}
	return out
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func purpose(r *subscription.Record) string {
	if r.Product != "" {
		return "product " + r.Product
	}
	return "API " + r.API
}

// show prints one subscription. A key that was just made is alone on standard
// output, for a script to take; everything else is beside it.
func (f *keysFlags) show(cmd *cobra.Command, r *subscription.Record, key string) error {
	if f.asJSON {
		return writeIndented(cmd.OutOrStdout(), struct {
			Subscription shown  `json:"subscription"`
			Key          string `json:"key,omitempty"`
		}{shownOf(r), key})
	}
	info := cmd.OutOrStdout()
	if key != "" {
		info = cmd.ErrOrStderr()
	}
	w := tabwriter.NewWriter(info, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	line("subscription", r.ID)
	line("to", plain(purpose(r)))
	line("owner", plain(r.Owner))
	line("state", plain(string(r.State)))
	line("client", plain(r.Client))
	line("tenant", plain(r.Tenant))
	line("note", plain(r.Note))
	line("created", when(r.Created))
	line("active since", when(r.Started))
	line("expires", when(r.Expires))
	for i, s := range r.Slots {
		if s.Digest != "" {
			line(subscription.SlotName(i)+" key", "made "+when(s.Made)+ending(s))
		}
	}
	if err := w.Flush(); err != nil || key == "" {
		return err
	}
	fmt.Fprintln(info, "The key is shown this once; only its digest is kept:")
	if r.State == subscription.Submitted {
		fmt.Fprintf(info, "(it is good once somebody ran: tollgate keys approve %s)\n", r.ID)
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), key)
	return err
}

func ending(s subscription.Slot) string {
	if s.Ends.IsZero() {
		return ""
	}
	return ", ends " + when(s.Ends)
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

func writeIndented(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(value)
}

func (f *keysFlags) showCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "One subscription: its state and its keys' times, never the keys", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := f.open(cmd)
			if err != nil {
				return err
			}
			r, err := store.office(rand.Reader).Show(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if err := f.show(cmd, r, ""); err != nil || f.asJSON {
				return err
			}
			return warnOfRevocation(cmd, store, r)
		},
	}
}

// warnOfRevocation says what the subscription's own row can't: that it was cut off.
func warnOfRevocation(cmd *cobra.Command, store *openStore, r *subscription.Record) error {
	entries, err := store.book().Entries(cmd.Context())
	if err != nil {
		return fmt.Errorf("whether its keys are revoked can't be told: %w", err)
	}
	for _, e := range entries {
		if e.Kind == revocation.All || e.Kind == revocation.Subscription && e.ID == r.ID {
			fmt.Fprintf(cmd.OutOrStdout(), "Revoked: keys made up to %s are refused (tollgate revocations list).\n", when(e.NotBefore))
		}
	}
	return nil
}

func (f *keysFlags) listCommand() *cobra.Command {
	var product, api, state string
	cmd := &cobra.Command{
		Use: "list", Short: "All subscriptions", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := f.open(cmd)
			if err != nil {
				return err
			}
			all := []shown{} // [] rather than null
			for r, err := range store.office(rand.Reader).List(cmd.Context()) {
				if err != nil {
					return err
				}
				if (product == "" || r.Product == product) && (api == "" || r.API == api) && (state == "" || string(r.State) == state) {
					all = append(all, shownOf(r))
				}
			}
			if f.asJSON {
				return writeIndented(cmd.OutOrStdout(), all)
			}
			return writeSubscriptions(cmd.OutOrStdout(), all)
		},
	}
	cmd.Flags().StringVar(&product, "product", "", "only those to this product")
	cmd.Flags().StringVar(&api, "api", "", "only those to this API")
	cmd.Flags().StringVar(&state, "state", "", "only those in this state: submitted, active, suspended, expired or cancelled")
	return cmd
}

func writeSubscriptions(out io.Writer, all []shown) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "no subscriptions")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATE\tTO\tOWNER\tCREATED\tEXPIRES\tKEYS")
	for _, s := range all {
		to := "product " + s.Product
		if s.Product == "" {
			to = "API " + s.API
		}
		expires, keys := "never", 0
		if s.Expires != nil {
			expires = s.Expires.Format(time.DateOnly)
		}
		for _, k := range []*shownKey{s.Primary, s.Secondary} {
			if k != nil {
				keys++
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", plain(s.ID), plain(string(s.State)), plain(to), plain(s.Owner), s.Created.Format(time.DateOnly), expires, keys)
	}
	return w.Flush()
}
