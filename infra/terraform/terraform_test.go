package terraform_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tollgate/infra/terraform"
	mirror "tollgate/tests/terraform"
)

// bench is an environment dev with one main.tf, and a folder to work in.
type bench struct {
	terraform.Options
	mu    sync.Mutex
	steps []terraform.Step
	begun chan string // addresses, as they begin
}

func prepare(t *testing.T, main string) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{begun: make(chan string, 100)}
	b.Options = terraform.Options{
		Environ: mirror.Builtin(t), Infra: filepath.Join(dir, "infra"), Environment: "dev", Folder: filepath.Join(dir, ".tollgate/infra/dev"),
		Step: func(s terraform.Step) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.steps = append(b.steps, s)
			if s.Kind == terraform.Began {
				b.begun <- s.Address
			}
		},
	}
	b.write(t, "main.tf", main)
	return b
}

func (b *bench) write(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join(b.Infra, "environments/dev", name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) open(t *testing.T) *terraform.Work {
	t.Helper()
	w, err := terraform.Open(t.Context(), b.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if err := w.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (b *bench) planned(t *testing.T) *terraform.Work {
	t.Helper()
	w := b.open(t)
	if _, changes, err := w.Plan(t.Context(), terraform.Create); err != nil || !changes {
		t.Fatal(changes, err)
	}
	return w
}

func kind(t *testing.T, err error, want terraform.Kind) *terraform.Error {
	t.Helper()
	e, ok := errors.AsType[*terraform.Error](err)
	if !ok || e.Kind != want {
		t.Fatalf("got %v, want an error of the kind %s", err, want)
	}
	t.Log(err)
	return e
}

const one = `
terraform {
  backend "azurerm" {}
}

variable "environment" {
  type    = string
  default = "none"
}

resource "terraform_data" "one" {
  input = var.environment
}

output "environment" {
  value = terraform_data.one.output
}

output "key" {
  value     = "hush"
  sensitive = true
}
`

func TestWhatWasPlannedIsAppliedAndKeptInALocalState(t *testing.T) {
	b := prepare(t, one)
	b.Variables = []byte(`{"environment": "dev"}`)
	w := b.planned(t)
	if !w.Local() {
		t.Error("got a state elsewhere, want a local one")
	}
	if err := w.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := w.Outputs(t.Context())
	if err != nil || string(out["environment"].Value) != `"dev"` || !out["key"].Sensitive {
		t.Errorf("got %v, %v, want the contracts' variable and a sensitive key", out, err)
	}
	w.Close()
	again := b.open(t)
	if _, changes, err := again.Plan(t.Context(), terraform.Create); err != nil || changes {
		t.Errorf("got changes %t, %v in a second run, want none", changes, err)
	}
}

func TestWhatTheContractsSayIsNotOverruledByAFileOfTheEnvironment(t *testing.T) {
	b := prepare(t, one)
	b.Variables = []byte(`{"environment": "of the contracts"}`)
	b.write(t, "zz.auto.tfvars", `environment = "of the file"`)
	plan, _, err := b.open(t).Plan(t.Context(), terraform.Create)
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Variables["environment"]; got == nil || got.Value != "of the contracts" {
		t.Errorf("got %v, want what the contracts say", got)
	}
}

func TestTheWorkFolderIsForItsOwnerOnlyAndKeepsNoPlan(t *testing.T) {
	b := prepare(t, one)
	w := b.planned(t)
	if err := w.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(b.Folder, "tollgate.tfplan"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v for the plan, want mode 0600 while it is there", info, err)
	}
	w.Close()
	if _, err := os.Stat(filepath.Join(b.Folder, "tollgate.tfplan")); err == nil {
		t.Error("the plan is still there after Close")
	}
	for name, want := range map[string]os.FileMode{"": 0o700, "state": 0o700, "state/terraform.tfstate": 0o600} {
		info, err := os.Stat(filepath.Join(b.Folder, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: got %v, %v, want mode %o", name, info, err, want)
		}
	}
}

func TestVariablesOfTheShellDoNotSteerAPlan(t *testing.T) {
	b := prepare(t, one)
	b.Environ = append(b.Environ, "TF_VAR_environment=shell", "TF_CLI_ARGS_plan=-destroy", "TF_WORKSPACE=other", "TF_DATA_DIR=/nowhere")
	w := b.planned(t)
	if err := w.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := w.Outputs(t.Context())
	if err != nil || string(out["environment"].Value) != `"none"` {
		t.Errorf("got %s, %v, want the default", out["environment"].Value, err)
	}
	if got := len(terraform.Ignored(b.Environ)); got != 4 {
		t.Errorf("got %d variables named as ignored, want 4", got)
	}
}

func TestAMissingOrOldTerraformIsToldWithWhatToInstall(t *testing.T) {
	b := prepare(t, one)
	b.Program = "no-such-terraform"
	_, err := terraform.Open(t.Context(), b.Options)
	kind(t, err, terraform.NotInstalled)
	b.Program = filepath.Join(t.TempDir(), "terraform")
	if err := os.WriteFile(b.Program, []byte("#!/bin/sh\necho '{\"terraform_version\": \"1.9.8\", \"platform\": \"linux_amd64\", \"provider_selections\": {}}'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = terraform.Open(t.Context(), b.Options)
	if e := kind(t, err, terraform.NotInstalled); !strings.Contains(e.What, "1.9.8") {
		t.Errorf("got %q, want the version", e.What)
	}
}

func TestAnUnknownEnvironmentIsRefusedBeforeAnythingIsMade(t *testing.T) {
	b := prepare(t, one)
	b.Environment = "prd"
	if _, err := terraform.Open(t.Context(), b.Options); err == nil || !strings.Contains(err.Error(), "it has dev") {
		t.Errorf("got %v, want an error that names dev", err)
	}
	if _, err := os.Stat(b.Folder); err == nil {
		t.Error("a work folder was made")
	}
}

func TestAStalePlanIsRefused(t *testing.T) {
	b := prepare(t, one)
	w := b.planned(t)
	other := filepath.Join(t.TempDir(), "other")
	if err := os.CopyFS(other, os.DirFS(w.Root())); err != nil {
		t.Fatal(err)
	}
	mirror.Run(t, other, "apply", "-auto-approve", "-var", "environment=meanwhile")
	kind(t, w.Apply(t.Context()), terraform.Stale)
}

// waiting makes a resource whose creation lasts until somebody writes to the fifo.
const waiting = `
resource "terraform_data" "first" {
}

resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "cat '%s'"
  }
}

resource "terraform_data" "last" {
  depends_on = [terraform_data.slow]
}
`

func fifo(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // a provisioner outlives the Terraform that was killed
		if f, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = f.Close()
		}
	})
	return name
}

// until waits for an address to begin.
func (b *bench) until(t *testing.T, address string) {
	t.Helper()
	for got := range b.begun {
		if got == address {
			return
		}
	}
}

func TestOneInterruptionEndsTerraformInOrder(t *testing.T) {
	b := prepare(t, strings.ReplaceAll(waiting, "%s", fifo(t)))
	w := b.planned(t)
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Apply(ctx) }()
	b.until(t, "terraform_data.slow")
	interrupt()
	err := <-ended
	i, ok := errors.AsType[*terraform.Interrupted](err)
	if !ok || !i.Applying || i.Killed || len(i.Done) != 1 || i.Done[0].Address != "terraform_data.first" || len(i.Begun) != 1 {
		t.Fatalf("got %v, want an interruption in the middle, with the first resource done", err)
	}
	t.Log(err)
	w.Close()
	// The lock is given back and the state is whole: the rest can be planned.
	again := b.open(t)
	plan, changes, err := again.Plan(t.Context(), terraform.Create)
	if err != nil || !changes {
		t.Fatal(changes, err)
	}
	for _, r := range plan.ResourceChanges {
		if r.Address == "terraform_data.first" && !r.Change.Actions.NoOp() {
			t.Error("what was done before the interruption is not in the state")
		}
	}
}

func TestASecondInterruptionKills(t *testing.T) {
	b := prepare(t, strings.ReplaceAll(waiting, "%s", fifo(t)))
	abandon := make(chan struct{})
	b.Abandon = abandon
	w := b.planned(t)
	ended := make(chan error, 1)
	// Without the first: a Terraform that is asked ends too fast here to be killed.
	go func() { ended <- w.Apply(t.Context()) }()
	b.until(t, "terraform_data.slow")
	close(abandon)
	err := <-ended
	i, ok := errors.AsType[*terraform.Interrupted](err)
	if !ok || !i.Killed || len(i.Begun) != 1 {
		t.Fatalf("got %v, want a kill with one under way", err)
	}
	t.Log(err)
}

func TestALockThatSomebodyHoldsIsToldWithItsHolder(t *testing.T) {
	pipe := fifo(t)
	b := prepare(t, strings.ReplaceAll(waiting, "%s", pipe))
	w := b.planned(t)
	ended := make(chan error, 1)
	go func() { ended <- w.Apply(t.Context()) }()
	b.until(t, "terraform_data.slow")

	// A process of its own, and in another folder: it has the state's path and no more.
	other := prepare(t, strings.ReplaceAll(waiting, "%s", pipe))
	o := other.open(t)
	text := "terraform {\n  backend \"local\" {\n    path = \"" + filepath.Join(b.Folder, "state/terraform.tfstate") + "\"\n  }\n}\n"
	if err := os.WriteFile(filepath.Join(o.Root(), "backend_override.tf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, err := o.Plan(t.Context(), terraform.Create)
	e := kind(t, err, terraform.Locked)
	if !strings.Contains(e.What, "@") || !strings.Contains(e.Hint, "force-unlock") {
		t.Errorf("got %v, want who holds it and how to take it away", e)
	}
	if _, err := terraform.Open(t.Context(), b.Options); err == nil {
		t.Error("got a second work in the same folder, want none")
	} else {
		kind(t, err, terraform.Locked)
	}
	if err := os.WriteFile(pipe, []byte("go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestAFailedResourceIsNamedAndWhatWasDoneStays(t *testing.T) {
	b := prepare(t, `
resource "terraform_data" "first" {
}

resource "terraform_data" "bad" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "echo no more room >&2; exit 3"
  }
}
`)
	w := b.planned(t)
	err := w.Apply(t.Context())
	e := kind(t, err, terraform.Provider)
	f, _ := errors.AsType[*terraform.Failure](err)
	if e.Address != "terraform_data.bad" || len(f.Done) != 1 {
		t.Errorf("got %q and %v done, want terraform_data.bad and the first", e.Address, f.Done)
	}
}

func TestAFaultInTheSourcesIsToldWithItsLine(t *testing.T) {
	b := prepare(t, "resource \"terraform_data\" \"one\" {\n  inputs = 1\n}\n")
	w := b.open(t)
	_, _, err := w.Plan(t.Context(), terraform.Create)
	if e := kind(t, err, terraform.Configuration); e.Address != "main.tf:2" {
		t.Errorf("got %q, want main.tf:2", e.Address)
	}
}

func TestAProviderThatCannotBeHadIsToldAsSuch(t *testing.T) {
	b := prepare(t, `
terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "~> 5.2" }
  }
}
`)
	empty := t.TempDir()
	file := filepath.Join(empty, "terraformrc")
	if err := os.WriteFile(file, []byte("provider_installation {\n  filesystem_mirror {\n    path = \""+empty+"\"\n  }\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.Environ = append(b.Environ, "TF_CLI_CONFIG_FILE="+file)
	w, err := terraform.Open(t.Context(), b.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	kind(t, w.Init(t.Context()), terraform.Registry)
}

func TestAStateThatWasNotSavedStopsEverythingElse(t *testing.T) {
	b := prepare(t, one)
	w := b.open(t)
	w.Close()
	if err := os.WriteFile(filepath.Join(w.Root(), "errored.tfstate"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := terraform.Open(t.Context(), b.Options)
	kind(t, err, terraform.StateUnsaved)
	if _, err := os.Stat(filepath.Join(w.Root(), "errored.tfstate")); err != nil {
		t.Error("the unsaved state is gone")
	}
}

func TestALocalStateIsNotLeftBehindForOneElsewhere(t *testing.T) {
	b := prepare(t, one)
	w := b.planned(t)
	if err := w.Apply(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Close()
	b.write(t, "state.tfbackend", "container_name = \"state\"\nuse_azuread_auth = true\n")
	_, err := terraform.Open(t.Context(), b.Options)
	kind(t, err, terraform.StateUnsaved)
}

func TestAStateElsewhereIsReachedByIdentityOnly(t *testing.T) {
	for _, text := range []string{
		"storage_account_name = \"st\"\n",
		"use_azuread_auth = false\n",
		"use_azuread_auth = true\n  access_key = \"hush\"\n",
		"use_azuread_auth = true\nsas_token=\"hush\"\n",
	} {
		b := prepare(t, one)
		b.write(t, "state.tfbackend", text)
		_, err := terraform.Open(t.Context(), b.Options)
		if e := kind(t, err, terraform.Configuration); strings.Contains(e.Error(), "hush") {
			t.Errorf("got %v, want no secret in it", e)
		}
	}
}

func TestTheProvidersLockGoesBackToTheSources(t *testing.T) {
	b := prepare(t, `
terraform {
  required_providers {
    azuread = { source = "hashicorp/azuread", version = "~> 3.9" }
  }
}
`)
	b.Environ = mirror.Env(t)
	b.open(t)
	text, err := os.ReadFile(filepath.Join(b.Infra, "environments/dev/.terraform.lock.hcl"))
	if err != nil || !strings.Contains(string(text), "hashicorp/azuread") {
		t.Errorf("got %q, %v, want the lock of azuread", text, err)
	}
}

func TestAFolderThatHoldsSomethingElseIsLeftAsItIs(t *testing.T) {
	for title, place := range map[string]func(t *testing.T, b *bench) string{
		"the sources":       func(_ *testing.T, b *bench) string { return b.Infra },
		"above the sources": func(_ *testing.T, b *bench) string { return filepath.Dir(b.Infra) },
		"in the sources":    func(_ *testing.T, b *bench) string { return filepath.Join(b.Infra, "modules", "work") },
		"the sources, by a link": func(t *testing.T, b *bench) string {
			return link(t, b.Infra, filepath.Join(t.TempDir(), "work"))
		},
		"somebody's own": func(t *testing.T, _ *bench) string {
			dir := t.TempDir()
			save(t, filepath.Join(dir, "modules", "main.tf"))
			return dir
		},
		"a work folder whose root is a link": func(t *testing.T, b *bench) string {
			dir := t.TempDir()
			save(t, filepath.Join(dir, "busy"))
			save(t, filepath.Join(dir, "environments", "none"))
			link(t, filepath.Join(b.Infra, "environments", "dev"), filepath.Join(dir, "environments", "dev"))
			return dir
		},
	} {
		t.Run(title, func(t *testing.T) {
			b := prepare(t, one)
			b.Folder = place(t, b)
			_, err := terraform.Open(t.Context(), b.Options)
			kind(t, err, terraform.Configuration)
			if text, err := os.ReadFile(filepath.Join(b.Infra, "environments/dev/main.tf")); err != nil || string(text) != one {
				t.Errorf("got %q, %v of the sources, want them as they were", text, err)
			}
		})
	}
}

func save(t *testing.T, name string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, name string) string {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
	return name
}
