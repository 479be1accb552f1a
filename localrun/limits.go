package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// shownBeforeReset is how many counts are shown before the question; the rest are told by their number.
const shownBeforeReset = 20

type resetFlags struct {
	storeFlags
	usageFilter
	all, yes bool
}

func limitsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "limits", Short: "Have counts of limits begin anew"}
	cmd.AddCommand(resetCommand())
	return cmd
}

func resetCommand() *cobra.Command {
	f := &resetFlags{}
	cmd := &cobra.Command{
		Use:   "reset (--subscription ID | --product NAME | --api NAME | --limit NAME | --all)",
		Short: "Have the counts that the flags name begin at nothing again, in the window they are in",
		Long: `Shows what it would reset, and asks. Of several flags all must fit.

Instances that had found a count used up notice within a minute. What they hold of
it they may still spend, so callers may get so much more in this window.

Works on the store of the local run, of an environment of the contracts
(--environment), or at an address (--tables).`,
		Example: `  tollgate limits reset --subscription 4kq2… --limit daily
  tollgate limits reset --product partner --yes --environment prod`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.reset(cmd) },
	}
	f.storeFlags.add(cmd)
	f.usageFilter.add(cmd)
	cmd.Flags().BoolVar(&f.all, "all", false, "all counts of the store")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "don't ask")
	return cmd
}

func (f *resetFlags) reset(cmd *cobra.Command) error {
	switch {
	case f.empty() && !f.all:
		return errors.New("say what to reset: --subscription, --product, --api or --limit, or --all")
	case !f.empty() && f.all:
		return errors.New("--all contradicts the other flags; say one or the other")
	}
	store, all, err := f.usesOf(cmd, &f.storeFlags)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if len(all) == 0 {
		fmt.Fprintln(out, "nothing is used, so there is nothing to reset")
		return nil
	}
	if err := announce(out, all); err != nil {
		return err
	}
	if err := confirm(cmd, f.yes, fmt.Sprintf("Reset %s? Callers get what they had used once more.", counts(len(all)))); err != nil {
		return err
	}
	keeping := store.keeping()
	for i, u := range all {
		if err := keeping.Reset(cmd.Context(), u.Use); err != nil {
			return fmt.Errorf("%w. %d of %s were reset; the same command does the rest", err, i, counts(len(all)))
		}
	}
	_, err = fmt.Fprintf(out, "reset %s. Instances notice within a minute; what they hold may still be spent\n", counts(len(all)))
	return err
}

// announce shows what is about to be reset.
func announce(w io.Writer, all []used) error {
	if err := writeUses(w, all[:min(len(all), shownBeforeReset)], screenOf(w)); err != nil {
		return err
	}
	if more := len(all) - shownBeforeReset; more > 0 {
		fmt.Fprintf(w, "and %s more\n", counts(more))
	}
	_, err := fmt.Fprintln(w)
	return err
}

func counts(n int) string {
	if n == 1 {
		return "1 count"
	}
	return fmt.Sprintf("%d counts", n)
}
