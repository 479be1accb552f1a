// Command tollgate is everything that a person runs on their own machine: the
// local run, tokens and calls for it, and the check of contracts.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// errSaid ends a command with exit code 1 after it said why by itself.
var errSaid = errors.New("")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), interruptions()...)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintf(os.Stderr, "tollgate: %v\n", err)
		}
		stop()
		os.Exit(exitCode(err))
	}
}

// interruptions end a command in order. A terminal that is closed is one, unless nohup
// said otherwise: whoever is killed by it can't tell Terraform to write its state.
func interruptions() []os.Signal {
	out := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		out = append(out, syscall.SIGHUP)
	}
	return out
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "tollgate",
		Short:         "An API gateway that runs as a function",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(
		upCommand(), tokenCommand(), callCommand(), explainCommand(), checkCommand(), matrixCommand(),
		group(keysCommand()), usageCommand(), group(limitsCommand()), group(revokeCommand()), group(revocationsCommand()), packageCommand(), snapshotCommand(),
		whoCommand(), whyCommand(), watchCommand(), unusedCommand(), evidenceCommand(), verifyCommand(), group(infraCommand()),
	)
	return root
}
