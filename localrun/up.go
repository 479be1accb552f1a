package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tollgate/localrun/inspector"
)

const defaultPort = 8080

type upFlags struct {
	contracts, pack, host, run, tables     string
	port                                   int
	ownContracts, portGiven, once, verbose bool
}

func upCommand() *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the gateway on this machine, with stand-ins for everything around it",
		Long: `Starts a stand-in for Entra ID, an echo backend and a stand-in for the Functions
host, which starts the real handler as a child process, and binds the contracts to
them. Stop it with Ctrl-C. A backend that a contract names by a literal address,
not by ${backend.NAME}, is called for real.

The inspector, at an address of its own, shows requests as they arrive: why each was
granted or refused, limits filling up, and a form to send one again.

With --tables, counts, subscriptions and revocations are kept there instead of in a
stand-in: in Azurite or a real account. The secret behind keys' digests is still the
run's own, and new at each start: keys that an earlier run made are unknown.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.portGiven = cmd.Flags().Changed("port")
			f.ownContracts = cmd.Flags().Changed("package") && !cmd.Flags().Changed("contracts")
			return up(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.contracts, "contracts", "contracts", "folder of the contracts; with --package, the package's own unless this is given")
	fl.IntVar(&f.port, "port", defaultPort, "port of the gateway; without this flag, a free one if 8080 is busy")
	fl.StringVar(&f.host, "host", "functions", "functions: behind the stand-in for the Functions host; none: the bare handler on the port")
	fl.StringVar(&f.pack, "package", "", "the app as it is deployed, a folder or a zip (default: dist/azure beside bin/)")
	fl.BoolVar(&f.once, "once", false, "make one allowed and one refused call, check the answers, and stop")
	fl.BoolVar(&f.verbose, "verbose", false, "show what the handler prints and what happens to its process")
	fl.StringVar(&f.tables, "tables", "", "keep things in these tables: an https address with a SAS, or a connection string; - reads it from $"+tablesVariable+", where the list of processes doesn't show it")
	addRunFlag(cmd, &f.run)
	return cmd
}

// up runs until ctx ends, or until --once has its answers.
func up(ctx context.Context, f upFlags, out, info io.Writer) (err error) {
	if f.host != "functions" && f.host != "none" {
		return fmt.Errorf("--host %q: it is functions or none", f.host)
	}
	if f.pack == "" {
		if f.pack, err = besideBinary(); err != nil {
			return err
		}
	}
	if old, err := readRun(f.run); err == nil && alive(old.PID) {
		return fmt.Errorf("a local run is up already at %s (process %d); stop it, or keep this one apart with --run FILE", old.Gateway, old.PID)
	}
	s := &stage{flags: f, info: info, seen: inspector.NewLog()}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return err
	}
	if f.once {
		return s.once(ctx, out)
	}
	s.greet(out)
	select {
	case <-ctx.Done():
		fmt.Fprintln(info, "\nstopped")
		return nil
	case <-s.front.Done():
		return fmt.Errorf("the handler is gone for good: %w", s.front.Err())
	}
}

// besideBinary is the app that `make build` staged.
func besideBinary() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(filepath.Dir(self)), "dist", "azure"), nil
}
