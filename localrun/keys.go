package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tollgate/shared/subscription"
)

// keysFlags are those of all keys commands.
type keysFlags struct {
	storeFlags
	asJSON bool
}

func keysCommand() *cobra.Command {
	f := &keysFlags{}
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Subscriptions and their keys: who may call which product or API with a key",
		Long: `Works on the store of the local run, of an environment of the contracts
(--environment), or at an address (--tables).

A key is printed once, when it is made, on standard output; only a digest of it
is kept. Those commands that cut somebody off ask first; scripts say --yes.`,
		Example: `  tollgate keys create --product partner --owner contoso-partners
  tollgate keys list
  tollgate keys rotate 4kq2… --grace 48h --environment prod`,
	}
	f.add(cmd)
	cmd.PersistentFlags().BoolVar(&f.asJSON, "json", false, "print JSON, for machines")
	cmd.AddCommand(f.openCommand(true), f.openCommand(false), f.listCommand(), f.showCommand(), f.rotateCommand())
	for _, s := range steps() {
		cmd.AddCommand(f.stepCommand(s))
	}
	return cmd
}

// step is a change of a subscription's state.
type step struct {
	use, short, question string // no question: it gives, and takes nothing
	take                 func(*subscription.Office, context.Context, string) (*subscription.Record, error)
}

func steps() []step {
	return []step{
		{"approve", "Let a subscription be used that was asked for", "", (*subscription.Office).Approve},
		{"reject", "Turn down a subscription that was asked for", "Reject it for good?", (*subscription.Office).Reject},
		{"suspend", "Stop a subscription until it is resumed", "Suspend it? Calls with its keys are refused within the contracts' refresh.", (*subscription.Office).Suspend},
		{"resume", "Let a suspended subscription be used again", "", (*subscription.Office).Resume},
		{"cancel", "End a subscription for good", "Cancel it for good? Calls with its keys are refused within the contracts' refresh.", (*subscription.Office).Cancel},
	}
}

func (f *keysFlags) stepCommand(s step) *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use: s.use + " ID", Short: s.short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := f.open(cmd)
			if err != nil {
				return err
			}
			office := store.office(rand.Reader)
			if s.question != "" {
				if err := f.sure(cmd, office, args[0], yes, s.question); err != nil {
					return err
				}
			}
			r, err := s.take(office, cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return f.show(cmd, r, "")
		},
	}
	if s.question != "" {
		cmd.Flags().BoolVar(&yes, "yes", false, "don't ask")
	}
	return cmd
}

// sure shows which subscription it is, and asks.
func (f *keysFlags) sure(cmd *cobra.Command, office *subscription.Office, id string, yes bool, question string) error {
	if yes {
		return nil
	}
	r, err := office.Show(cmd.Context(), id)
	if err != nil {
		return err
	}
	return confirm(cmd, yes, asking(r, question))
}

func asking(r *subscription.Record, question string) string {
	return fmt.Sprintf("The subscription %s to %s of %s is %s. %s", r.ID, plain(purpose(r)), plain(r.Owner), plain(string(r.State)), question)
}

func (f *keysFlags) rotateCommand() *cobra.Command {
	var how subscription.Rotation
	yes := false
	cmd := &cobra.Command{
		Use:   "rotate ID",
		Short: "Make a new key; the old one ends after a grace",
		Long: `Makes a key in the subscription's other slot, prints it once, and lets the old one
end after --grace (0 ends it at once, as for a key that leaked). If the slot holds
a key that is still in its own grace, --overwrite ends that one now.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if how.Grace < 0 {
				return errors.New("--grace can't be negative")
			}
			store, err := f.open(cmd)
			if err != nil {
				return err
			}
			if err := store.mints(); err != nil {
				return err
			}
			office := store.office(rand.Reader)
			question := fmt.Sprintf("Make a new key? The one in use ends in %s.", (*lasting)(&how.Grace))
			if err := f.sure(cmd, office, args[0], yes, question); err != nil {
				return err
			}
			r, key, err := office.Rotate(cmd.Context(), args[0], how)
			if errors.Is(err, subscription.ErrGrace) {
				return fmt.Errorf("%w. Wait, or say --overwrite", err)
			}
			if err != nil {
				return err
			}
			return f.show(cmd, r, key)
		},
	}
	how.Grace = 24 * time.Hour
	cmd.Flags().Var((*lasting)(&how.Grace), "grace", "how long the old key stays good, such as 36h or 7d")
	cmd.Flags().BoolVar(&how.Overwrite, "overwrite", false, "replace a key that is still in its grace")
	cmd.Flags().BoolVar(&yes, "yes", false, "don't ask")
	return cmd
}
