package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/infra/verify"
	"tollgate/localrun/estate"
	"tollgate/shared/contract"
)

type verifyFlags struct {
	eventFlags
	verify.Options
	publicBackends []string
	out            string
	strict         bool
	wait           time.Duration
}

func verifyCommand() *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify --environment NAME",
		Short: "Prove a deployed estate shut, by harmless probes from where you are",
		Long: `Asks the gateway, and the public names of what lies behind it, what anybody could
ask: GET and OPTIONS only, some 5 requests for each API, 4 at once. Each probe has
passed, failed, or is not shown, with the reason, where its answer can't tell.

Run it from outside the private network: from inside, what is shut looks open, and
what is open may look shut. Tokens are yours, of az or azd; of a local run, without
--environment, its issuer's. What only events can tell is read from --workspace or
--events. No token is printed or kept.

Exits 0 if nothing failed, 1 if something did (with --strict: or isn't shown), 2 if
there is no verdict, because the gateway wasn't reached, for example.`,
		Example: `  tollgate verify                                      # the local run
  tollgate verify --environment prod --out reports --workspace 8f0c2f4e-…
  tollgate verify --environment prod --origin func-contoso-prod.azurewebsites.net --echo orders/health --strict`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.verify(cmd) },
	}
	f.add(cmd, "")
	fl := cmd.Flags()
	fl.StringVar(&f.Address, "address", "", "where the gateway is (default: the environment's publicURL)")
	fl.StringVar(&f.Origin, "origin", "", "the function's own host name, which must not lead around Front Door")
	fl.StringVar(&f.Echo, "echo", "", "api/operation whose backend repeats the headers it heard (default: one of a local run)")
	fl.StringSliceVar(&f.publicBackends, "public-backend", nil, "API whose backend is somebody's public service; repeat for several")
	fl.StringVar(&f.out, "out", "", "folder for the report: verify-ENVIRONMENT-TIME.md and .json")
	fl.BoolVar(&f.strict, "strict", false, "what is not shown counts as a failure")
	fl.DurationVar(&f.Time, "time", verify.DefaultTime, "how long all probes together may take")
	fl.DurationVar(&f.wait, "wait", 0, "how long events are waited for (default: 5s in files, 5m in a workspace)")
	fl.BoolVar(&f.asJSON, "json", false, "print the report as JSON also in a terminal")
	fl.BoolVar(&f.asTable, "table", false, "print the table also where the output is no terminal")
	return verdictsOnly(cmd)
}

func (f *verifyFlags) verify(cmd *cobra.Command) error {
	asJSON, err := f.json(cmd.OutOrStdout())
	if err != nil {
		return err
	}
	if slices.Contains(f.files, "-") {
		return errors.New("--events -: events come after the probes, so they can't be standard input; name a file")
	}
	plan, outside, err := f.world()
	if err != nil {
		return err
	}
	if f.PublicBackends, err = namedAPIs(plan, f.publicBackends); err != nil {
		return err
	}
	report, err := verify.Run(cmd.Context(), plan, f.Options, outside, strings.ToLower(rand.Text()[:12]))
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := saveReport(cmd.ErrOrStderr(), f.out, report); err != nil {
			return err
		}
	}
	if asJSON {
		err = writeMachine(cmd.OutOrStdout(), report)
	} else {
		err = verifyTable(cmd.OutOrStdout(), report)
	}
	switch {
	case err != nil:
		return err
	case report.Count(verify.Failed, "") > 0:
		return errSaid
	case !report.Reached:
		return fmt.Errorf("the gateway at %s was not reached, so nothing is proved", report.Address)
	case f.strict && report.Count(verify.NotShown, "") > 0:
		return errSaid
	}
	return nil
}

// world is what is probed and how: of a local run, or of an environment that is deployed.
func (f *verifyFlags) world() (*contract.Plan, verify.Outside, error) {
	out := verify.Outside{Resolve: resolve, Dial: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, Now: time.Now}
	if f.environment == "" || f.environment == estate.Name {
		r, err := readRun(f.run)
		if err != nil {
			return nil, out, fmt.Errorf("%w. For what is deployed, name it with --environment", err)
		}
		plan, err := planOf(r)
		if err != nil {
			return nil, out, err
		}
		if f.Address == "" {
			f.Address = r.Gateway
		}
		if f.Echo == "" {
			f.Echo = anEcho(plan)
		}
		out.Token = r.tokenFor
		out.Events = f.eventsOf(f.sourcesOr(r.Events))
		return plan, out, nil
	}
	plan, err := planIn(f.contracts, f.environment)
	if err != nil {
		return nil, out, err
	}
	person := newSignIn()
	out.Token = func(ctx context.Context, api *contract.PlannedAPI) (string, error) {
		return person.within(ctx, api.Audience+"/.default")
	}
	out.Resource = person.within
	if f.workspace != "" || len(f.files) > 0 {
		out.Events = f.eventsOf(f.files)
	}
	return plan, out, nil
}

// within asks for a token in the time that a sign-in may take.
func (s *signIn) within(ctx context.Context, scope string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, signInTime)
	defer cancel()
	return s.Token(ctx, "", scope)
}

func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// anEcho is a public operation of a local run: every backend there repeats what it heard.
func anEcho(plan *contract.Plan) string {
	for _, api := range plan.APIs {
		for _, op := range api.Operations {
			if op.Allow == nil && op.Reply == nil && op.Template.Method == "GET" {
				return api.Name + "/" + op.ID
			}
		}
	}
	return ""
}

func namedAPIs(plan *contract.Plan, names []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, name := range names {
		if err := knownAPI(plan, name); err != nil {
			return nil, fmt.Errorf("--public-backend: %w", err)
		}
		out[name] = true
	}
	return out, nil
}

func (f *verifyFlags) sourcesOr(file string) []string {
	if len(f.files) > 0 || f.workspace != "" {
		return f.files
	}
	return []string{file}
}

// verifyTable is for a terminal; what servers said in it is printed, never obeyed.
func verifyTable(w io.Writer, r *verify.Report) error {
	var b strings.Builder
	for _, group := range verify.Groups() {
		first := true
		for _, one := range r.Results {
			if one.Group != group {
				continue
			}
			if first {
				fmt.Fprintf(&b, "%s\n", strings.ToUpper(group))
				first = false
			}
			fmt.Fprintf(&b, "  %s  %s\n", padded(string(one.Outcome), 9), plain(one.Promise))
			if one.Why != "" && one.Outcome != verify.Passed {
				fmt.Fprintf(&b, "             %s\n", plain(one.Why))
			}
		}
	}
	fmt.Fprintf(&b, "\n%s at %s, %s: %d passed, %d failed, %d not shown; %d requests\n", plain(r.Environment), plain(r.Address), day(r.Began),
		r.Count(verify.Passed, ""), r.Count(verify.Failed, ""), r.Count(verify.NotShown, ""), r.Requests)
	_, err := io.WriteString(w, b.String())
	return err
}

// errNoSource: nothing says where events are.
var errNoSource = errors.New("nothing says where the gateway's events are")
