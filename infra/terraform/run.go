package terraform

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"
)

// Mode is what a plan is for.
type Mode string

// The modes.
const (
	Create  Mode = "create"  // what the configuration says
	Destroy Mode = "destroy" // nothing
	Refresh Mode = "refresh" // only what changed outside Terraform
)

// Init gets providers and modules, and reaches the state.
func (w *Work) Init(ctx context.Context) error {
	tf, err := w.terraform()
	if err != nil {
		return err
	}
	// Reconfigure: whether the state is here or elsewhere is decided anew each time,
	// and never moves a state by itself.
	opts := []tfexec.InitOption{tfexec.Reconfigure(true)}
	if !w.local {
		opts = append(opts, tfexec.BackendConfig(backendFile))
	}
	err = w.run(ctx, func(l *listener) error { return tf.InitJSON(ctx, l, opts...) })
	if err != nil {
		return err
	}
	return w.keepLock()
}

// Plan makes a plan, keeps it for Apply, and reads it. changes is false where there is nothing to do.
func (w *Work) Plan(ctx context.Context, mode Mode) (plan *tfjson.Plan, changes bool, err error) {
	tf, err := w.terraform()
	if err != nil {
		return nil, false, err
	}
	opts := []tfexec.PlanOption{tfexec.Out(w.plan())}
	if w.o.Variables != nil { // by name: no file of the environment's own comes after it
		opts = append(opts, tfexec.VarFile(variablesFile))
	}
	switch mode {
	case Destroy:
		opts = append(opts, tfexec.Destroy(true))
	case Refresh:
		opts = append(opts, tfexec.RefreshOnly(true))
	}
	err = w.run(ctx, func(l *listener) error {
		var err error
		changes, err = tf.PlanJSON(ctx, l, opts...)
		return err
	})
	w.hide()
	if err != nil {
		return nil, false, err
	}
	show, err := w.terraform()
	if err != nil {
		return nil, false, err
	}
	plan, err = show.ShowPlanFile(ctx, w.plan())
	if err != nil {
		return nil, false, w.failure(ctx, err, &listener{})
	}
	return plan, changes, nil
}

// Apply does what the last Plan said, and nothing else: where the state has moved on
// meanwhile, it is refused as stale.
func (w *Work) Apply(ctx context.Context) error {
	if _, err := os.Stat(w.plan()); err != nil {
		return errors.New("there is no plan to apply")
	}
	tf, err := w.terraform()
	if err != nil {
		return err
	}
	w.applied = true
	err = w.run(ctx, func(l *listener) error { return tf.ApplyJSON(ctx, l, tfexec.DirOrPlan(w.plan())) })
	w.hide()
	return err
}

// Output is one output of the root module.
type Output struct {
	Sensitive bool
	Value     []byte // JSON
}

// Outputs are those of the state.
func (w *Work) Outputs(ctx context.Context) (map[string]Output, error) {
	tf, err := w.terraform()
	if err != nil {
		return nil, err
	}
	all, err := tf.Output(ctx)
	if err != nil {
		return nil, w.failure(ctx, err, &listener{})
	}
	out := map[string]Output{}
	for name, o := range all {
		out[name] = Output{Sensitive: o.Sensitive, Value: o.Value}
	}
	return out, nil
}

// Unlock takes a lock away that its holder left behind.
func (w *Work) Unlock(ctx context.Context, id string) error {
	tf, err := w.terraform()
	if err != nil {
		return err
	}
	if err := tf.ForceUnlock(ctx, id); err != nil {
		return w.failure(ctx, err, &listener{})
	}
	return nil
}

// run runs one command. When ctx ends, tfexec sends Terraform one SIGINT, and it ends
// in order: it waits for what is under way, writes the state and gives the lock back.
func (w *Work) run(ctx context.Context, command func(*listener) error) error {
	l := &listener{step: w.o.Step}
	defer context.AfterFunc(ctx, w.o.Stopping)()
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-w.o.Abandon:
			kill()
		case <-over:
		}
	}()
	err := command(l)
	for _, d := range l.warnings {
		w.o.Warn(d.text())
	}
	if err == nil && ctx.Err() == nil {
		return nil
	}
	return w.failure(ctx, err, l)
}

// failure is err in plain words.
func (w *Work) failure(ctx context.Context, err error, l *listener) error {
	if ctx.Err() != nil || w.abandoned() {
		return w.interrupted(l)
	}
	if len(l.errors) == 0 {
		// show and output say what is wrong in text, after the exit code's line.
		text := err.Error()
		if _, ok := errors.AsType[*exec.ExitError](err); ok {
			text = trimExit(text)
		}
		l.errors = []Diagnostic{{Severity: "error", Summary: firstLine(text), Detail: text}}
	}
	var all []error
	for _, d := range l.errors {
		all = append(all, w.explain(d))
	}
	f := &Failure{Errors: unique(all), Done: l.ended, Begun: l.begun}
	if _, err := os.Stat(filepath.Join(w.root, erroredFile)); err == nil {
		f.Errors = append(f.Errors, w.unsaved())
	}
	return f
}

func (w *Work) interrupted(l *listener) error {
	i := &Interrupted{Applying: w.applied, Root: w.root}
	if l != nil {
		i.Done, i.Begun = l.ended, append(l.begun, l.failed...)
		for _, d := range l.errors {
			if e := w.explain(d); e.Kind == LockLost || e.Kind == StateUnsaved {
				i.Also = append(i.Also, e)
			}
		}
	}
	i.Killed = w.abandoned()
	if _, err := os.Stat(filepath.Join(w.root, erroredFile)); err == nil {
		i.Also = append(i.Also, w.unsaved())
	}
	return i
}

func (w *Work) abandoned() bool {
	select {
	case <-w.o.Abandon:
		return true
	default:
		return false
	}
}

func unique(all []error) []error {
	seen := map[string]bool{}
	var out []error
	for _, e := range all {
		if !seen[e.Error()] {
			seen[e.Error()], out = true, append(out, e)
		}
	}
	return out
}

func (d Diagnostic) text() string {
	text := d.Summary
	if d.Address != "" {
		text = d.Address + ": " + text
	}
	if detail := firstLine(d.Detail); detail != "" && len(detail) < 200 {
		text += ": " + detail
	}
	return text
}
