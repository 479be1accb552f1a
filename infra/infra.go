// Package infra creates an environment from its contracts: it plans with Terraform,
// tells what the plan does, refuses what would open what must stay shut, applies,
// and writes what was created back into the contracts.
package infra

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/bindings"
	"tollgate/infra/guard"
	"tollgate/infra/planned"
	"tollgate/infra/summary"
	"tollgate/infra/terraform"
	"tollgate/shared/contract"
)

// Prod is the environment that is always private, and that is neither kept in a local
// state nor destroyed by a slip.
const Prod = "prod"

// Request is one that Terraform's providers can't make, and the driver makes itself.
type Request struct {
	What   string `json:"what"` // in words
	Method string `json:"method"`
	URL    string `json:"url"`
	Body   string `json:"body,omitempty"`
}

func (r Request) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s: %s %s %s", r.What, r.Method, r.URL, r.Body))
}

// Directory is what the identity provider has beside Terraform's resources.
type Directory interface {
	Pending(context.Context) ([]Request, error) // what would be changed, none if all is as it should be
	Apply(context.Context) error                // makes the pending requests and reads back
}

// Options are what a Driver works with.
type Options struct {
	Contracts   string // folder
	Infra       string // folder with modules and environments
	Folder      string // to work in
	Environment string
	Program     string   // Terraform; "" looks in PATH
	Environ     []string // of this process

	Accept     []string // findings that may pass, as RULE:ADDRESS
	LocalState bool     // prod may keep its state on this machine
	Detailed   bool     // a plan with changes is told by Differs

	// Variables is the text of contracts.auto.tfvars.json; nil writes none.
	Variables func(*contract.Estate, string) ([]byte, error)
	// Directory is nil where contracts ask nothing of the identity provider beside Terraform. It is made
	// anew after an apply, since client ids may be new.
	Directory func(*contract.Estate, string) (Directory, error)

	Result   io.Writer                         // what was asked for
	Progress io.Writer                         // what happens meanwhile
	JSON     bool                              // of Result
	Confirm  func(question string) error       // nil error goes on
	Name     func(question, name string) error // the same, but the name must be typed
	Abandon  <-chan struct{}                   // closed by a second interruption
}

// Driver works on one environment.
type Driver struct {
	o      Options
	estate *contract.Estate
	file   *bindings.File
	work   *terraform.Work
	name   func(address string) string // of resources, in the plan that is worked on
	warned map[string]bool
}

// Faulty says that the contracts can't be used. Nothing was touched.
type Faulty struct{ Faults contract.Faults }

func (f *Faulty) Error() string {
	return fmt.Sprintf("the contracts have %d error(s); nothing was touched", len(f.Faults.Errors()))
}

// Open reads the contracts, then gets Terraform ready. The caller closes the driver.
func Open(ctx context.Context, o Options) (*Driver, error) {
	d := &Driver{o: o, warned: map[string]bool{}, name: func(address string) string { return address }}
	if err := d.read(); err != nil {
		return nil, err
	}
	var values []byte
	if o.Variables != nil {
		var err error
		if values, err = o.Variables(d.estate, o.Environment); err != nil {
			return nil, err
		}
	}
	for _, name := range terraform.Ignored(o.Environ) {
		d.say("%s is ignored: it would change what is planned", name)
	}
	work, err := terraform.Open(ctx, terraform.Options{
		Program: o.Program, Environ: o.Environ, Infra: o.Infra, Environment: o.Environment, Folder: o.Folder,
		Variables: values, Step: d.step, Warn: d.warn, Stopping: d.stopping, Abandon: o.Abandon,
	})
	if err != nil {
		return nil, err
	}
	d.work = work
	d.say("%s: getting providers and modules ready", o.Environment)
	if err := work.Init(ctx); err != nil {
		work.Close()
		return nil, err
	}
	return d, nil
}

// Close removes what mustn't stay.
func (d *Driver) Close() { d.work.Close() }

func (d *Driver) read() error {
	estate, faults := contract.Load(os.DirFS(d.o.Contracts))
	if estate == nil {
		return &Faulty{faults}
	}
	if !slices.Contains(estate.Environments(), d.o.Environment) {
		return fmt.Errorf("the contracts in %s have no environment %q; they have %s", d.o.Contracts, d.o.Environment, strings.Join(estate.Environments(), ", "))
	}
	file, err := bindings.Read(d.o.Contracts, d.o.Environment)
	if err != nil {
		return err
	}
	d.estate, d.file = estate, file
	return nil
}

func (d *Driver) say(format string, args ...any) {
	fmt.Fprintln(d.o.Progress, terraform.Printable(fmt.Sprintf(format, args...)))
}

// stopping says what a first interruption does, while it does it.
func (d *Driver) stopping() {
	d.say("\nStopping: Terraform ends what is under way, writes the state and gives its lock back. That can take minutes. " +
		"Ctrl-C again kills it, and may lose what was done last.")
}

var done = map[string]string{"create": "created", "update": "changed", "delete": "removed", "read": "read"}

// step tells progress in a line.
func (d *Driver) step(s terraform.Step) {
	what := done[s.Action]
	if what == "" {
		what = s.Action
	}
	switch s.Kind {
	case terraform.Ended:
		d.say("%s %s (%s)", d.name(s.Address), what, lasted(s.Took))
	case terraform.Goes:
		d.say("%s … (%s)", d.name(s.Address), lasted(s.Took))
	case terraform.Errored:
		d.say("%s stopped (%s)", d.name(s.Address), lasted(s.Took))
	}
}

func lasted(t time.Duration) string {
	s := int(t.Round(time.Second).Seconds())
	if s < 60 {
		return fmt.Sprintf("%d s", s)
	}
	return fmt.Sprintf("%d min %d s", s/60, s%60)
}

// warn tells each warning once: a plan repeats what init said.
func (d *Driver) warn(text string) {
	if !d.warned[text] {
		d.warned[text] = true
		d.say("warning: %s", text)
	}
}

func (d *Driver) uses() []planned.Use {
	var out []planned.Use
	for _, c := range d.estate.Clients {
		for _, u := range c.Uses {
			out = append(out, planned.Use{Client: c.Name, API: u.API, Scopes: u.Scopes, Roles: u.Roles})
		}
	}
	return out
}

// private: prod always is, another by an output of that name.
func (d *Driver) private(plan *tfjson.Plan) bool {
	if d.o.Environment == Prod {
		return true
	}
	if plan.PlannedValues == nil {
		return false
	}
	o := plan.PlannedValues.Outputs["private"]
	return o != nil && o.Value == true
}

func (d *Driver) directory() (Directory, error) {
	if d.o.Directory == nil {
		return nil, nil
	}
	return d.o.Directory(d.estate, d.o.Environment)
}

// pending are the requests beside Terraform, none where there is no directory.
func (d *Driver) pending(ctx context.Context) (Directory, []Request, error) {
	dir, err := d.directory()
	if err != nil || dir == nil {
		return nil, nil, err
	}
	all, err := dir.Pending(ctx)
	return dir, all, err
}

// judged is a plan with all that is known of it.
type judged struct {
	Summary  *summary.Summary `json:"summary"`
	Refused  []guard.Finding  `json:"refused"`
	Accepted []guard.Finding  `json:"accepted"`

	changes bool
}

// judge plans, and holds the plan against the rules.
func (d *Driver) judge(ctx context.Context) (*judged, error) {
	d.say("%s: reading what is there", d.o.Environment)
	plan, changes, err := d.work.Plan(ctx, terraform.Create)
	if err != nil {
		return nil, err
	}
	d.name = summary.Names(plan)
	j := &judged{Summary: summary.Of(plan, summary.Facts{Environment: d.o.Environment, Uses: d.uses()}), changes: changes}
	_, requests, err := d.pending(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range requests {
		j.Summary.Requests = append(j.Summary.Requests, r.String())
	}
	found := guard.Check(plan, guard.Facts{Private: d.private(plan), Uses: d.uses()})
	if j.Refused, j.Accepted, err = guard.Accept(found, d.o.Accept); err != nil {
		return nil, err
	}
	for _, f := range j.Accepted {
		j.Summary.Accepted = append(j.Summary.Accepted, fmt.Sprintf("%s: %s", f.ID(), f.Why))
	}
	return j, nil
}

// show prints a judged plan to w.
func (d *Driver) show(w io.Writer, j *judged) error {
	if d.o.JSON && w == d.o.Result {
		return writeJSON(w, j)
	}
	j.Summary.Write(w)
	if len(j.Refused) > 0 {
		fmt.Fprintf(w, "\nREFUSED:\n")
		for _, f := range j.Refused {
			fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(f.String(), "\n", "\n  "))
		}
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
