// Package desk runs bin/tollgate as a person would: in a folder of its own, with
// the example contracts.
package desk

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/tests/lab"
)

// Desk is a folder with the command and the example contracts. It ends with the test.
type Desk struct{ Dir string }

// New is a desk with the staged app on it, for what starts the gateway.
func New(t testing.TB) Desk {
	t.Helper()
	d := Bare(t)
	d.lay(t, lab.StageApp(t), "dist/azure")
	return d
}

// WithLambda adds the app for AWS Lambda.
func (d Desk) WithLambda(t testing.TB) Desk {
	t.Helper()
	d.lay(t, lab.StageLambda(t), "dist/lambda-here")
	return d
}

// Bare is a desk without the app.
func Bare(t testing.TB) Desk {
	t.Helper()
	d := Desk{t.TempDir()}
	build := exec.Command("go", "build", "-o", filepath.Join(d.Dir, "bin/tollgate"), "./localrun")
	build.Dir = lab.Root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	d.lay(t, filepath.Join(lab.Root(t), "contracts"), "contracts")
	return d
}

func (d Desk) lay(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(filepath.Join(d.Dir, to), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// Command is bin/tollgate, to be started in the desk's folder.
func (d Desk) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(d.Dir, "bin/tollgate"), args...)
	cmd.Dir = d.Dir
	return cmd
}

// Run is a command to its end.
func (d Desk) Run(args ...string) (stdout, stderr string, code int) {
	return Finish(d.Command(args...))
}

// Finish runs a command to its end.
func Finish(cmd *exec.Cmd) (stdout, stderr string, code int) {
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	_ = cmd.Run() // the code says how it ended
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// Up starts the local run and waits until it greets.
func (d Desk) Up(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := d.Command(append([]string{"up", "--port", "0"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for s := bufio.NewScanner(out); s.Scan(); {
		if strings.Contains(s.Text(), "Stop with Ctrl-C") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return cmd
		}
	}
	t.Fatal("up ended before it was up")
	return nil
}

// Edit replaces what stands once in a file of the desk.
func (d Desk) Edit(t testing.TB, file, old, with string) {
	t.Helper()
	name := filepath.Join(d.Dir, file)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), old); n != 1 {
		t.Fatalf("%s holds %q %d times, want once", file, old, n)
	}
	d.Write(t, file, strings.Replace(string(text), old, with, 1))
}

// Write makes a file of the desk.
func (d Desk) Write(t testing.TB, file, text string) {
	t.Helper()
	name := filepath.Join(d.Dir, file)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
