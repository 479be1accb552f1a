package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tollgate/shared/revocation"
)

func revocationsCommand() *cobra.Command {
	f := &revokeFlags{}
	cmd := &cobra.Command{
		Use:   "revocations",
		Short: "Who was cut off, and how to take it back",
	}
	f.add(cmd)
	cmd.PersistentFlags().BoolVar(&f.asJSON, "json", false, "print JSON, for machines")
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "Show what is revoked", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.list(cmd) },
	}, &cobra.Command{
		Use: "lift NAME...", Short: "Take revocations back, by their names in the list: what they refused is accepted again", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.lift(cmd, args) },
	})
	return cmd
}

func (f *revokeFlags) list(cmd *cobra.Command) error {
	store, err := f.open(cmd)
	if err != nil {
		return err
	}
	all, err := store.book().Entries(cmd.Context())
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b revocation.Entry) int { return b.NotBefore.Compare(a.NotBefore) })
	out := cmd.OutOrStdout()
	if f.asJSON {
		said := []entryJSON{}
		for _, e := range all {
			said = append(said, jsonOf(e))
		}
		return printJSON(out, said)
	}
	if len(all) == 0 {
		fmt.Fprintln(out, "nothing is revoked")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tREVOKED\tISSUED UP TO\tENDS\tBY\tREASON")
	for _, e := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Name(), e.Subject, e.NotBefore.Format(time.RFC3339), endOf(e), plain(e.By), plain(e.Reason))
	}
	return w.Flush()
}

func endOf(e revocation.Entry) string {
	if e.Ends.IsZero() {
		return "never"
	}
	return e.Ends.Format(time.RFC3339)
}

func (f *revokeFlags) lift(cmd *cobra.Command, names []string) error {
	store, err := f.open(cmd)
	if err != nil {
		return err
	}
	book := store.book()
	for _, name := range names {
		there, err := book.Lift(cmd.Context(), name)
		if err != nil {
			return fmt.Errorf("lift %s: %w", name, told(err))
		}
		if !there {
			return fmt.Errorf("there is no revocation %s; `tollgate revocations list` shows all", name)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "lifted: %s; what it refused is accepted within 5 seconds\n", name)
	}
	return nil
}

// entryJSON is an entry for machines. Its names are kept.
type entryJSON struct {
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	Issuer    string     `json:"issuer,omitempty"`
	Tenant    string     `json:"tenant,omitempty"`
	ID        string     `json:"id,omitempty"`
	NotBefore time.Time  `json:"notBefore"` // what was issued in that second or before is refused
	Ends      *time.Time `json:"ends,omitempty"`
	By        string     `json:"by"`
	Reason    string     `json:"reason,omitempty"`
}

func jsonOf(e revocation.Entry) entryJSON {
	j := entryJSON{
		Name: e.Name(), Kind: string(e.Kind), Issuer: e.Issuer, Tenant: e.Tenant, ID: e.ID,
		NotBefore: e.NotBefore, By: e.By, Reason: e.Reason,
	}
	if !e.Ends.IsZero() {
		j.Ends = &e.Ends
	}
	return j
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// show says what was revoked, and from when it holds.
func (f *revokeFlags) show(w io.Writer, e revocation.Entry, told bool) error {
	if f.asJSON {
		return printJSON(w, jsonOf(e))
	}
	what := "tokens"
	switch e.Kind {
	case revocation.All:
		what = "tokens and keys"
	case revocation.Subscription:
		what = "keys"
	}
	fmt.Fprintf(w, "revoked: %s; its %s issued up to %s are refused\n", e.Subject, what, e.NotBefore.Format(time.RFC3339))
	if told {
		fmt.Fprintln(w, "every instance refuses within 5 seconds")
	}
	if e.Ends.IsZero() {
		fmt.Fprintln(w, "until it is lifted")
	} else {
		fmt.Fprintf(w, "the entry ends at %s, when no such token should live any more\n", endOf(e))
	}
	fmt.Fprintf(w, "to take it back: tollgate revocations lift %s\n", e.Name())
	return nil
}

func payloadOf(part string) []byte {
	text, _ := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "=")) // what can't be decoded is no JSON
	return text
}
