package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tollgate/infra"
	"tollgate/infra/variables"
	"tollgate/shared/contract"
)

type infraFlags struct {
	environment, contracts, infra, folder, terraform, graph string
	accept                                                  []string
	localState, yes, asJSON, detailed, lenient              bool
	name                                                    string
}

func infraCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "infra",
		Short: "Create an environment from the contracts with Terraform: plan, apply, drift, outputs, destroy",
		Long: `Creates what the contracts ask for: registrations, network, gateway, vault and
alerts, by infra/environments/NAME. Terraform 1.11 or a newer 1.x must be installed,
and you signed in to Azure (az login). The first deployment, step by step, and the
rights that it needs: infra/README.md; rules and messages: docs/infra.md.

It works in .tollgate/infra/NAME, which is for its owner only. The state is where
infra/environments/NAME/state.tfbackend says, else in that folder. Ctrl-C ends
Terraform in order; a second one kills it.

Exit codes: 0 done, or nothing to do; 1 an error; 2 it differs (drift, and plan
--detailed-exitcode); 3 refused by a rule; 130 interrupted.`,
		Example: `  tollgate infra plan --environment dev
  tollgate infra apply --environment prod
  tollgate infra drift --environment prod > drift.json || echo "exit code $?"
  tollgate infra destroy --environment dev`,
	}
	cmd.AddCommand(infraPlan(), infraApply(), infraDestroy(), infraDrift(), infraOutputs())
	return cmd
}

func (f *infraFlags) add(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs
	fl := cmd.Flags()
	fl.StringVar(&f.environment, "environment", "", "the environment, a folder of infra/environments and a file of contracts/environments")
	fl.StringVar(&f.contracts, "contracts", "contracts", "folder of the contracts")
	fl.StringVar(&f.infra, "infra", "infra", "folder that holds modules and environments")
	fl.StringVar(&f.folder, "folder", "", "work in this folder (default: .tollgate/infra/ENVIRONMENT)")
	fl.StringVar(&f.terraform, "terraform", "", "the program (default: terraform, in PATH)")
	fl.StringVar(&f.graph, "graph", "", "a stand-in for Microsoft Graph on this machine, instead of the cloud's")
	fl.BoolVar(&f.asJSON, "json", false, "print JSON also in a terminal")
	_ = cmd.MarkFlagRequired("environment") // the flag is there
	return cmd
}

func (f *infraFlags) addAccept(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.accept, "accept", nil, "let one finding pass, as RULE:ADDRESS#OF, which the finding prints; it is printed and recorded; repeat for several")
}

func infraPlan() *cobra.Command {
	f := &infraFlags{}
	cmd := f.add(&cobra.Command{
		Use: "plan", Short: "Tell what an apply would do, in plain words; nothing is changed",
		Long: `Tells what an apply would do: what goes first, then API by API and client by
client. Exits 3 where a rule refuses: a backend exposed, an audience shared, a
scope or role dropped that is still used, an access rule turned off.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.lenient = true
			return f.run(cmd, (*infra.Driver).Plan)
		},
	})
	f.addAccept(cmd)
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit 2 where an apply would change something")
	return cmd
}

func infraApply() *cobra.Command {
	f := &infraFlags{}
	cmd := f.add(&cobra.Command{
		Use: "apply", Short: "Create or change what is there, and write client ids into the contracts",
		Long: `Plans, tells, asks, and applies that plan and no other. What was created (client
ids, addresses) is written into contracts/environments/NAME.yaml: review and commit it.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, (*infra.Driver).Apply) },
	})
	f.addAccept(cmd)
	cmd.Flags().BoolVar(&f.yes, "yes", false, "don't ask")
	cmd.Flags().BoolVar(&f.localState, "local-state", false, "let prod keep its state on this machine only")
	return cmd
}

func infraDestroy() *cobra.Command {
	f := &infraFlags{}
	cmd := f.add(&cobra.Command{
		Use: "destroy", Short: "Take everything of an environment away, after its name was typed",
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, (*infra.Driver).Destroy) },
	})
	cmd.Flags().StringArrayVar(&f.accept, "accept", nil, "destroy:prod, without which prod is not destroyed")
	cmd.Flags().StringVar(&f.name, "yes", "", "the environment's name, instead of typing it")
	return cmd
}

func infraDrift() *cobra.Command {
	f := &infraFlags{}
	return f.add(&cobra.Command{
		Use: "drift", Short: "Tell how what is there differs from the contracts; exits 2 if it does",
		Long: `Compares what is there with the state (what others changed), and the state with
the contracts (what an apply would change). Nothing is changed. For a pipeline:
exit code 0 is no drift, 2 drift, 1 that it couldn't be told.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, (*infra.Driver).Drift) },
	})
}

func infraOutputs() *cobra.Command {
	f := &infraFlags{}
	return f.add(&cobra.Command{
		Use: "outputs", Short: "Print what an environment says of itself, but for what is sensitive",
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, (*infra.Driver).Outputs) },
	})
}

func (f *infraFlags) run(cmd *cobra.Command, do func(*infra.Driver, context.Context) error) error {
	abandon, end := secondSignal()
	defer end()
	d, err := infra.Open(cmd.Context(), f.options(cmd, abandon))
	if faulty, ok := errors.AsType[*infra.Faulty](err); ok {
		writeFaults(cmd.ErrOrStderr(), f.contracts, faulty.Faults)
		fmt.Fprintln(cmd.ErrOrStderr(), "the contracts can't be used; nothing was touched")
		return errSaid
	}
	if err != nil {
		return err
	}
	defer d.Close()
	err = do(d, cmd.Context())
	if errors.Is(err, infra.ErrDiffers) {
		return differs{}
	}
	return err
}

// differs ends a command after it told how.
type differs struct{}

func (differs) Error() string { return "" }
func (differs) Is(err error) bool {
	return err == errSaid || err == infra.ErrDiffers //nolint:errorlint // an Is method compares
}

func (f *infraFlags) options(cmd *cobra.Command, abandon <-chan struct{}) infra.Options {
	folder := f.folder
	if folder == "" {
		folder = filepath.Join(".tollgate", "infra", f.environment)
	}
	return infra.Options{
		Contracts: f.contracts, Infra: f.infra, Folder: folder, Environment: f.environment,
		Program: f.terraform, Environ: os.Environ(),
		Accept: f.accept, LocalState: f.localState, Detailed: f.detailed, Variables: contractVariables,
		Result: cmd.OutOrStdout(), Progress: cmd.ErrOrStderr(), JSON: f.asJSON || !isTerminal(cmd.OutOrStdout()),
		Directory: f.directory(cmd.ErrOrStderr()), Confirm: func(question string) error { return confirm(cmd, f.yes, question) },
		Name:    func(question, name string) error { return typed(cmd, f.name, question, name) },
		Abandon: abandon,
	}
}

// typed asks for a name to be typed, or takes it from the flag.
func typed(cmd *cobra.Command, given, question, name string) error {
	if given == "" {
		in := cmd.InOrStdin()
		if _, file := in.(*os.File); file && !terminal(in) {
			return fmt.Errorf("there is no terminal to ask on; say --yes %s if it is meant", name)
		}
		fmt.Fprint(cmd.ErrOrStderr(), question)
		line, err := awaited(cmd.Context(), func() (string, error) { return bufio.NewReader(in).ReadString('\n') })
		if errors.Is(err, errInterrupted) {
			return err
		}
		given = strings.TrimSpace(line)
	}
	if given != name {
		return fmt.Errorf("got %q, and not %q; nothing was changed", given, name)
	}
	return nil
}

// secondSignal closes its channel at the second Ctrl-C, or request to end; the first
// one ends the command's context.
func secondSignal() (second <-chan struct{}, end func()) {
	signals, out, over := make(chan os.Signal, 2), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, interruptions()...)
	go func() {
		for range 2 {
			select {
			case <-signals:
			case <-over:
				return
			}
		}
		close(out)
	}()
	return out, func() { signal.Stop(signals); close(over) }
}

// contractVariables are what the modules are told of the contracts. Faults are told as check tells them.
func contractVariables(estate *contract.Estate, environment string) ([]byte, error) {
	if _, faults := estate.Registrations(environment); faults.Err() != nil {
		return nil, &infra.Faulty{Faults: faults}
	}
	v, err := variables.Of(estate, environment)
	if err != nil {
		return nil, err
	}
	return v.File()
}
