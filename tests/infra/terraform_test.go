// Package infra holds the Terraform under infra/ to what it promises: by
// Terraform's own checks, by mutations that a test must notice, and against what the gateway enforces.
package infra

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-exec/tfexec"

	"tollgate/tests/need"
	"tollgate/tests/terraform"
)

// folders are every module and environment, relative to infra/.
func folders(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, kind := range []string{"modules", "environments"} {
		all, err := filepath.Glob(filepath.Join(need.Root(t), "infra", kind, "*", "main.tf"))
		if err != nil {
			t.Fatal(err)
		}
		for _, main := range all {
			out = append(out, filepath.Join(kind, filepath.Base(filepath.Dir(main))))
		}
	}
	if len(out) < 8 {
		t.Fatalf("got %d modules and environments under infra/, want all of them", len(out))
	}
	return out
}

// copied is a copy of infra's modules and environments, which the test may change and Terraform write into.
func copied(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, kind := range []string{"modules", "environments"} {
		if err := copyTree(filepath.Join(need.Root(t), "infra", kind), filepath.Join(dir, kind)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// copyTree copies files, but for what Terraform leaves behind in a folder that somebody tried by hand.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == ".terraform" {
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || entry.Name() == ".terraform.lock.hcl" {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, 0o644)
	})
}

// in is Terraform in a folder that is initialised, without its backend.
func in(t testing.TB, dir string) *tfexec.Terraform {
	t.Helper()
	tf := bare(t, dir)
	if err := tf.Init(t.Context(), tfexec.Backend(false)); err != nil {
		t.Fatalf("terraform init in %s: %v", dir, err)
	}
	return tf
}

// bare is Terraform in a folder as it is.
func bare(t testing.TB, dir string) *tfexec.Terraform {
	t.Helper()
	file := terraform.Mirror(t)
	program, err := exec.LookPath("terraform")
	if err != nil {
		t.Fatal(err)
	}
	tf, err := tfexec.NewTerraform(dir, program)
	if err != nil {
		t.Fatal(err)
	}
	// Short-lived programs with much to decode: collecting less often halves their time.
	env := map[string]string{"CHECKPOINT_DISABLE": "1", "GOGC": "800"}
	for _, pair := range os.Environ() {
		// tfexec sets these itself, and refuses them.
		if name, value, _ := strings.Cut(pair, "="); !strings.HasPrefix(name, "TF_") && name != "GOGC" {
			env[name] = value
		}
	}
	if file != "" {
		env["TF_CLI_CONFIG_FILE"] = file
	}
	if err := tf.SetEnv(env); err != nil {
		t.Fatal(err)
	}
	return tf
}

// run is one run block of a test file, as it ended.
type run struct {
	File, Name, Status string
	Why                []string // what Terraform said of it
}

// tested runs the tests of a folder. Their failure is in the runs, not an error.
func tested(t testing.TB, tf *tfexec.Terraform, options ...tfexec.TestOption) []run {
	t.Helper()
	var out bytes.Buffer
	err := tf.Test(t.Context(), &out, options...)
	tf.SetStdout(io.Discard)
	runs := readRuns(t, out.Bytes())
	if len(runs) == 0 {
		t.Fatalf("terraform test ran nothing: %v\n%s", err, out.Bytes())
	}
	return runs
}

func readRuns(t testing.TB, out []byte) (runs []run) {
	t.Helper()
	for line := range bytes.Lines(out) {
		var m struct {
			Type string
			Run  struct {
				Path, Run, Progress, Status string
			} `json:"test_run"`
			Diagnostic struct{ Severity, Summary, Detail string }
		}
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("terraform test wrote %q: %v", line, err)
		}
		switch {
		case m.Type == "test_run" && m.Run.Status != "" && m.Run.Progress != "starting" && m.Run.Progress != "running":
			runs = append(runs, run{File: m.Run.Path, Name: m.Run.Run, Status: m.Run.Status})
		case m.Type == "diagnostic" && m.Diagnostic.Severity == "error" && len(runs) == 0:
			runs = append(runs, run{Name: "the test files themselves", Status: "error", Why: []string{m.Diagnostic.Summary + ": " + m.Diagnostic.Detail}})
		case m.Type == "diagnostic" && m.Diagnostic.Severity == "error":
			last := &runs[len(runs)-1] // diagnostics come after the run's own last line
			last.Why = append(last.Why, m.Diagnostic.Summary+": "+m.Diagnostic.Detail)
		}
	}
	return runs
}

// parallel bounds how many Terraforms run at once: each starts providers of its own.
var parallel = make(chan struct{}, 2)

func slot(t *testing.T) {
	t.Parallel()
	parallel <- struct{}{}
	t.Cleanup(sync.OnceFunc(func() { <-parallel }))
}
