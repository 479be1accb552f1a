package main

import (
	"errors"

	"github.com/spf13/cobra"

	"tollgate/infra"
)

// noVerdict is an error of a command whose exit code 1 is a verdict: a script
// must be able to tell "refused" from "couldn't be asked".
type noVerdict struct{ error }

func (e noVerdict) Unwrap() error { return e.error }

// exitCode is 1, 2 for whatever kept a command from its verdict, what shells
// say of a program that Ctrl-C ended, and what infra says of its own.
func exitCode(err error) int {
	if errors.Is(err, errInterrupted) {
		return 130
	}
	if _, ok := errors.AsType[noVerdict](err); ok {
		return 2
	}
	return infra.ExitCode(err)
}

// verdictsOnly keeps exit code 1 of the command for errSaid.
func verdictsOnly(cmd *cobra.Command) *cobra.Command {
	mark := func(err error) error {
		if err == nil || errors.Is(err, errSaid) {
			return err
		}
		return noVerdict{err}
	}
	run, args := cmd.RunE, cmd.Args
	cmd.RunE = func(cmd *cobra.Command, given []string) error { return mark(run(cmd, given)) }
	cmd.Args = func(cmd *cobra.Command, given []string) error { return mark(args(cmd, given)) }
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return mark(err) })
	return cmd
}
