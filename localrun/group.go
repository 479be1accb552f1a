package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// group is a command that only holds others. A slip in the name of one must not
// look like success.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.FParseErrWhitelist = cobra.FParseErrWhitelist{UnknownFlags: true} // they are the subcommand's that was meant
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = "; did you mean " + strings.Join(near, " or ") + "?"
		}
		return fmt.Errorf("%s has no command %q%s See %s --help", cmd.CommandPath(), args[0], ended(hint), cmd.CommandPath())
	}
	return cmd
}

// ended closes a sentence.
func ended(s string) string {
	if strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}
