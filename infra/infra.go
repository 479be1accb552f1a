// Package infra creates an environment from its contracts: it plans with Terraform,
// tells what the plan does, refuses what would open what must stay shut, applies,
// and writes what was created back into the contracts.
package infra

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"tollgate/infra/bindings"
	"tollgate/infra/terraform"
	"tollgate/shared/contract"
)

// Prod is the environment that is always private, and that is neither kept in a local
// state nor destroyed by a slip.
const Prod = "prod"

// Request is one that Terraform's providers can't make, and the driver makes itself.
// It is shown exactly as it is sent, but for ids that apply gives.
type Request struct {
	What    string `json:"what"` // in words
	Method  string `json:"method"`
	URL     string `json:"url"`
	Body    string `json:"body,omitempty"`
	Loosens bool   `json:"loosens,omitempty"` // it takes a protection away: a finding, as where Terraform does
}

func (r Request) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s: %s %s\n%s", strings.TrimSuffix(r.What, "."), r.Method, r.URL, r.Body))
}

// Directory is what the identity provider has beside Terraform's resources.
type Directory interface {
	Pending(context.Context) ([]Request, error) // what would be changed, none if all is as it should be
	Apply(context.Context) error                // makes the requests that Pending gave last, and reads back
}

// Options are what a Driver works with.
type Options struct {
	Contracts   string // folder
	Infra       string // folder with modules and environments
	Folder      string // to work in
	Environment string
	Program     string   // Terraform; "" looks in PATH
	Environ     []string // of this process

	Accept     []string // findings that may pass, as RULE:ADDRESS#OF
	LocalState bool     // prod may keep its state on this machine
	Detailed   bool     // a plan with changes is told by Differs

	// Variables is the text of contracts.auto.tfvars.json; nil writes none.
	Variables func(*contract.Estate, string) ([]byte, error)
	// Directory is nil where contracts ask nothing of the identity provider beside Terraform. It is made
	// anew after an apply, since client ids may be new. gone: nothing of the environment is wanted any more.
	Directory func(estate *contract.Estate, environment string, gone bool) (Directory, error)

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
	app    app

	speaking sync.Mutex
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

// say is called from several goroutines: progress, and an interruption.
func (d *Driver) say(format string, args ...any) {
	d.speaking.Lock()
	defer d.speaking.Unlock()
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
