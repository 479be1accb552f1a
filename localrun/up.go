package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"tollgate/localrun/inspector"
	"tollgate/localrun/lambda"
)

const defaultPort = 8080

type upFlags struct {
	contracts, pack, host, run, tables     string
	lambda                                 string // the kind of front; "": not on AWS Lambda
	port                                   int
	ownContracts, portGiven, once, verbose bool
}

func upCommand() *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up [--lambda [KIND]]",
		Short: "Start the gateway on this machine, with stand-ins for everything around it",
		Long: `Starts a stand-in for Entra ID, an echo backend and a stand-in for the Functions
host, which starts the real handler as a child process, and binds the contracts to
them. Stop it with Ctrl-C. A backend that a contract names by a literal address,
not by ${backend.NAME}, is called for real.

The inspector, at an address of its own, shows requests as they arrive: why each was
granted or refused, limits filling up, and a form to send one again.

With --lambda the bootstrap for AWS Lambda runs in place of the handler for Azure,
unmodified, under a stand-in for Lambda: frozen between calls, killed at its deadline,
one process for each call at a time. Before it stands what KIND says: rest or http
(API Gateway), url or url-stream (a function URL; the default is url), alb or alb-multi
(a load balancer, with multi-value headers or without).

With --tables, counts, subscriptions and revocations are kept there instead of in a
stand-in: in Azurite or a real account. The secret behind keys' digests is still the
run's own, and new at each start: keys that an earlier run made are unknown.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.kind(args); err != nil {
				return err
			}
			f.portGiven = cmd.Flags().Changed("port")
			f.ownContracts = cmd.Flags().Changed("package") && !cmd.Flags().Changed("contracts")
			return up(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.contracts, "contracts", "contracts", "folder of the contracts; with --package, the package's own unless this is given")
	fl.IntVar(&f.port, "port", defaultPort, "port of the gateway; without this flag, a free one if 8080 is busy")
	fl.StringVar(&f.host, "host", "functions", "functions: behind the stand-in for the Functions host; none: the bare handler on the port")
	fl.StringVar(&f.lambda, "lambda", "", "run the bootstrap for AWS Lambda behind this kind of front: rest, http, url, url-stream, alb or alb-multi")
	fl.Lookup("lambda").NoOptDefVal = string(lambda.URL)
	fl.StringVar(&f.pack, "package", "", "the app as it is deployed, a folder or a zip (default: dist/azure beside bin/, with --lambda dist/lambda-here)")
	fl.BoolVar(&f.once, "once", false, "make one allowed and one refused call, check the answers, and stop")
	fl.BoolVar(&f.verbose, "verbose", false, "show what the handler prints and what happens to its process")
	fl.StringVar(&f.tables, "tables", "", "keep things in these tables: an https address with a SAS, or a connection string; - reads it from $"+tablesVariable+", where the list of processes doesn't show it")
	addRunFlag(cmd, &f.run)
	return cmd
}

// kind takes the word after --lambda, which isn't joined to it.
func (f *upFlags) kind(args []string) error {
	if len(args) == 1 {
		if f.lambda != string(lambda.URL) {
			return fmt.Errorf("unknown argument %q; up takes a word only after --lambda", args[0])
		}
		f.lambda = args[0]
	}
	if f.lambda != "" && !slices.Contains(lambda.Kinds(), lambda.Kind(f.lambda)) {
		return fmt.Errorf("--lambda %q: it is one of %v", f.lambda, lambda.Kinds())
	}
	return nil
}

// up runs until ctx ends, or until --once has its answers.
func up(ctx context.Context, f upFlags, out, info io.Writer) (err error) {
	if f.host != "functions" && f.host != "none" {
		return fmt.Errorf("--host %q: it is functions or none", f.host)
	}
	if f.pack == "" {
		if f.pack, err = f.besideBinary(); err != nil {
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
func (f *upFlags) besideBinary() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	platform := "azure"
	if f.lambda != "" {
		platform = "lambda-here"
	}
	return filepath.Join(filepath.Dir(filepath.Dir(self)), "dist", platform), nil
}
