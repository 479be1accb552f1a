package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/shared/contract"
	"tollgate/shared/revocation"
	"tollgate/shared/subscription"
)

// forever is what --keep says for an entry that ends only when it is lifted.
const forever = "forever"

type revokeFlags struct {
	storeFlags
	tenant, issuer, reason, keep string
	yes, asJSON                  bool
}

func revokeCommand() *cobra.Command {
	f := &revokeFlags{}
	cmd := &cobra.Command{
		Use:   "revoke",
		Short: "Cut off a user, client, token, tenant or subscription: every instance refuses within 5 seconds",
		Long: `Refuses what was issued up to now, by the store's clock: tokens, and with
subscription and all also keys. Tokens that are issued later are accepted, so
disable the account or the client at its issuer first. It may be done again any
time; revocations list shows what is in force, revocations lift takes it back.

Works on the store of the local run, of an environment of the contracts
(--environment), or at an address (--tables).`,
		Example: `  tollgate revoke user 0badf00d-0000-4000-8000-000000000007 --reason "laptop stolen"
  tollgate revoke token - --yes < token.txt
  tollgate revoke client 0f9c1c2e-0000-4000-8000-000000000001 --environment prod
  tollgate revoke all --yes`,
	}
	f.add(cmd)
	fl := cmd.PersistentFlags()
	fl.StringVar(&f.tenant, "tenant", "", "the Entra tenant by its id (default: the contracts' own, if they have one)")
	fl.StringVar(&f.issuer, "issuer", "", "another issuer than Entra, by its name in the contracts: a user is then a sub, a token a jti")
	fl.StringVar(&f.reason, "reason", "", "why, for revocations list")
	fl.StringVar(&f.keep, "keep", "", "how long the entry is kept, such as 48h, or forever (default: 48h, longer than a token of Entra lives; forever where it refuses keys, or another issuer's tokens that no contract bounds by maxLifetime)")
	fl.BoolVar(&f.yes, "yes", false, "don't ask")
	fl.BoolVar(&f.asJSON, "json", false, "print JSON, for machines")
	for _, k := range revocable() {
		cmd.AddCommand(f.kindCommand(k))
	}
	return cmd
}

// kind is one of the commands.
type kind struct {
	revocation.Kind
	arg, short, question string
}

func revocable() []kind {
	return []kind{
		{revocation.User, "OBJECT-ID", "Refuse a user's tokens, or a service principal's", "Refuse every token of the user that was issued up to now?"},
		{revocation.Client, "APP-ID", "Refuse the tokens of a client, by its app id or its name in the contracts", "Refuse every token of the client that was issued up to now?"},
		{revocation.Token, "UTI | -", "Refuse one token, by its uti; - reads the token itself from standard input", "Refuse this token?"},
		{revocation.Tenant, "TENANT-ID", "Refuse all tokens of an Entra tenant", "Refuse every token of the tenant that was issued up to now?"},
		{revocation.Subscription, "ID", "Refuse a subscription's keys that were made up to now; rotate makes new ones", "Refuse the subscription's keys that were made up to now?"},
		{revocation.All, "", "Refuse every token, and every subscription key", "Refuse every token and every subscription key that was made up to now? New keys must be made for all."},
	}
}

func (f *revokeFlags) kindCommand(k kind) *cobra.Command {
	args := cobra.ExactArgs(1)
	if k.arg == "" {
		args = cobra.NoArgs
	}
	return &cobra.Command{
		Use: strings.TrimSpace(string(k.Kind) + " " + k.arg), Short: k.short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error { return f.revoke(cmd, k, strings.Join(args, "")) },
	}
}

func (f *revokeFlags) revoke(cmd *cobra.Command, k kind, id string) error {
	keep, err := f.kept()
	if err != nil {
		return err
	}
	store, err := f.open(cmd)
	if err != nil {
		return err
	}
	s, err := f.subject(cmd, store.plan, k.Kind, id)
	if err != nil {
		return err
	}
	if s.Kind == revocation.Subscription {
		// A slip would cut off nobody. Whether it is one must be known, and no more: an outage isn't one.
		if _, err := store.office(rand.Reader).Show(cmd.Context(), s.ID); errors.Is(err, subscription.ErrNone) {
			return err
		}
	}
	if err := confirm(cmd, f.yes, k.question); err != nil {
		return err
	}
	e, err := store.book().Revoke(cmd.Context(), revocation.Order{Subject: s, By: whoami(), Reason: f.reason, Keep: keepOf(s, store.plan, keep)})
	if err != nil && !errors.Is(err, revocation.ErrNotTold) {
		return fmt.Errorf("%w. It isn't known to be written; run the same command again", err)
	}
	if shown := f.show(cmd.OutOrStdout(), e, err == nil); shown != nil {
		return shown
	}
	return told(err)
}

// told explains a half-done change.
func told(err error) error {
	if errors.Is(err, revocation.ErrNotTold) {
		return fmt.Errorf("%w. It is written, and holds within 5 minutes; run the same command again to have it hold within 5 seconds", err)
	}
	return err
}

func (f *revokeFlags) kept() (time.Duration, error) {
	switch f.keep {
	case "":
		return 0, nil
	case forever:
		return revocation.Forever, nil
	}
	d, err := time.ParseDuration(f.keep)
	if err != nil || d < time.Minute {
		return 0, fmt.Errorf("--keep %q: write a time from 1m on such as 48h, or forever", f.keep)
	}
	return d, nil
}

// keepOf: how long another issuer's tokens live, nobody knows but a contract that bounds it.
func keepOf(s revocation.Subject, plan *contract.Plan, said time.Duration) time.Duration {
	bounded := plan != nil && plan.MaxLifetime > 0 && plan.MaxLifetime+2*plan.ClockSkew < revocation.DefaultKeep
	if said == 0 && s.Issuer != "" && s.Issuer != contract.Entra && !bounded {
		return revocation.Forever
	}
	return said
}

// book writes this store's list.
func (s *openStore) book() revocation.Book {
	return revocation.Book{Rows: s.account.Table(revocation.TableName), Clock: s.account.Clock(), NewID: rand.Text}
}

// whoami is who runs the command, as this machine knows them.
func whoami() string {
	who, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return who + "@" + host
}
