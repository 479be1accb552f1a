// Package terraform runs Terraform for one environment: in a work folder of its
// own, with its progress told line by line, its errors told in plain words, and
// Ctrl-C passed on once. Nothing else runs it.
package terraform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// Options are what a Work is made of.
type Options struct {
	Program     string   // Terraform's path; "" looks in PATH
	Environ     []string // of this process
	Infra       string   // the folder with modules/ and environments/
	Environment string   // a folder of environments/
	Folder      string   // to work in; it is made, and readable by its owner only
	Variables   []byte   // of the contracts, as JSON; nil writes none

	Step     func(Step)      // told as things happen; may be nil
	Warn     func(string)    // what a person should know; may be nil
	Stopping func()          // called when an interruption was passed on; may be nil
	Abandon  <-chan struct{} // closed to kill what a first interruption hasn't ended; may be nil
}

// Work is an environment's work folder. One process at a time has it.
type Work struct {
	o       Options
	program string
	root    string // where Terraform runs
	local   bool
	unlock  func()
	applied bool
}

const (
	backendFile   = "state.tfbackend"
	overrideFile  = "backend_override.tf"
	variablesFile = "contracts.auto.tfvars.json"
	busyFile      = "busy"
	lockFile      = ".terraform.lock.hcl"
	erroredFile   = "errored.tfstate"
	planFile      = "tollgate.tfplan"
	stateFile     = "terraform.tfstate"
)

// Open finds Terraform, lays the sources out and keeps other processes out until Close.
func Open(ctx context.Context, o Options) (*Work, error) {
	if o.Step == nil {
		o.Step = func(Step) {}
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	if o.Stopping == nil {
		o.Stopping = func() {}
	}
	var err error
	for _, p := range []*string{&o.Infra, &o.Folder} {
		if *p, err = filepath.Abs(*p); err != nil {
			return nil, err
		}
	}
	w := &Work{o: o, root: filepath.Join(o.Folder, "environments", o.Environment)}
	if err := w.sources(); err != nil {
		return nil, err
	}
	if w.program, err = find(o.Program); err != nil {
		return nil, err
	}
	if err := w.lay(); err != nil {
		w.Close()
		return nil, err
	}
	if err := w.version(ctx); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close removes the plan, which holds values in the clear, and lets others in.
func (w *Work) Close() {
	_ = os.Remove(w.plan()) // there may be none
	w.hide()
	if w.unlock != nil {
		w.unlock()
	}
}

// Local tells that the state is kept in the work folder, not in a storage account.
func (w *Work) Local() bool { return w.local }

// Root is where Terraform runs, for commands that a person is told to type.
func (w *Work) Root() string { return w.root }

func (w *Work) plan() string  { return filepath.Join(w.o.Folder, planFile) }
func (w *Work) state() string { return filepath.Join(w.o.Folder, "state", stateFile) }

// sources tells whether there is such an environment, before anything is touched.
func (w *Work) sources() error {
	dir := filepath.Join(w.o.Infra, "environments")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("there is no folder of environments at %s; --infra names the folder that holds modules and environments", dir)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	if !slices.Contains(names, w.o.Environment) {
		return fmt.Errorf("there is no environment %q in %s; it has %s", w.o.Environment, dir, strings.Join(names, ", "))
	}
	return nil
}

const install = "Terraform 1.11 or a newer 1.x is needed: https://developer.hashicorp.com/terraform/install, or name it with --terraform"

func find(program string) (string, error) {
	if program == "" {
		program = "terraform"
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", &Error{Kind: NotInstalled, What: "Terraform was not found: " + program, Hint: install}
	}
	return filepath.Abs(path)
}

func (w *Work) version(ctx context.Context) error {
	tf, err := w.terraform()
	if err != nil {
		return err
	}
	v, _, err := tf.Version(ctx, true)
	if ctx.Err() != nil {
		return w.interrupted(nil)
	}
	if err != nil {
		return &Error{Kind: NotInstalled, What: w.program + " doesn't tell its version", Detail: err.Error(), Hint: install}
	}
	if s := v.Segments(); s[0] != 1 || s[1] < 11 {
		return &Error{Kind: NotInstalled, What: fmt.Sprintf("%s is version %s", w.program, v), Hint: install}
	}
	return nil
}

// terraform is a new client for one command: tfexec keeps a command's output for the next.
func (w *Work) terraform() (*tfexec.Terraform, error) {
	tf, err := tfexec.NewTerraform(w.root, w.program)
	if err != nil {
		return nil, err
	}
	// An update of Azure can take half an hour, and an interrupted Terraform waits for it.
	// It must not be killed meanwhile, as tfexec would after a minute: the state would be lost.
	if err := errors.Join(tf.SetWaitDelay(0), tf.SetEnv(w.environ())); err != nil {
		return nil, err
	}
	return tf, nil
}

// steering are variables that would change what is planned behind the person's back.
var steering = []string{"TF_VAR_", "TF_CLI_ARGS", "TF_DATA_DIR", "TF_WORKSPACE"}

func (w *Work) environ() map[string]string {
	env := map[string]string{"CHECKPOINT_DISABLE": "1"}
	for _, pair := range w.o.Environ {
		name, value, _ := strings.Cut(pair, "=")
		if !slices.ContainsFunc(steering, func(p string) bool { return strings.HasPrefix(name, p) }) {
			env[name] = value
		}
	}
	return tfexec.CleanEnv(env)
}

// Ignored are the variables of the environment that Terraform isn't given, because
// they would change what it plans.
func Ignored(environ []string) []string {
	var out []string
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if value != "" && slices.ContainsFunc(steering, func(p string) bool { return strings.HasPrefix(name, p) }) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
