package deploy

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/bundle"
	"tollgate/shared/boot"
	"tollgate/tests/lab"
)

// stagedFunction is a small package for AWS Lambda that Check has no fault with.
func stagedFunction(t *testing.T) string {
	t.Helper()
	app := lab.StageLambda(t)
	if err := os.CopyFS(filepath.Join(app, "contracts"), os.DirFS(filepath.Join(lab.Root(t), "contracts"))); err != nil {
		t.Fatal(err)
	}
	return app
}

func TestAPackageThatLambdaWouldNotRunIsRefused(t *testing.T) {
	app := stagedFunction(t)
	if err := bundle.Check(app); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(app, bundle.Bootstrap)
	program, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(app, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(app, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		file, text string
		mode       os.FileMode
		want       string
	}{
		"a bootstrap without the bit": {bundle.Bootstrap, string(program), 0o644, "has no executable bit"},
		"a script":                    {bundle.Bootstrap, "#!/bin/sh\n", 0o755, "isn't a Linux program"},
		"another machine's":           {bundle.Bootstrap, string(program[:18]) + "\xf3" + string(program[19:]), 0o755, "AWS Lambda runs arm64 and x86-64"},
		"a file that doesn't belong":  {"secrets.env", "KEY=x", 0o644, "doesn't belong into the package"},
		"a broken contract":           {"contracts/gateway.yaml", "kind: Gateway\n", 0o644, "contracts"},
	} {
		t.Run(name, func(t *testing.T) {
			before, existed := os.ReadFile(filepath.Join(app, c.file))
			write(c.file, c.text, c.mode)
			if err := bundle.Check(app); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if existed != nil {
				_ = os.Remove(filepath.Join(app, c.file))
				return
			}
			write(c.file, string(before), map[bool]os.FileMode{true: 0o755, false: 0o644}[c.file == bundle.Bootstrap])
		})
	}
}

// Lambda tells whoever asks for a call what its function said of itself.
func TestAFunctionThatCanNotStartTellsLambdaWhy(t *testing.T) {
	type fault struct{ ErrorType, ErrorMessage string }
	told := make(chan fault, 1)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var f fault
		if err := json.NewDecoder(r.Body).Decode(&f); err != nil || r.Method != http.MethodPost || r.URL.Path != "/2018-06-01/runtime/init/error" {
			t.Errorf("got %s %s, %v, want the report of a start that failed", r.Method, r.URL, err)
		}
		w.WriteHeader(http.StatusAccepted)
		told <- f
	}))
	defer api.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(lab.StageLambda(t), bundle.Bootstrap))
	cmd.Env = []string{boot.RuntimeAPI + "=" + strings.TrimPrefix(api.URL, "http://")}
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); err == nil || code != 1 || !strings.Contains(string(out), boot.Environment) {
		t.Errorf("got exit code %d and %q, want 1 and the setting named", code, out)
	}
	if f := <-told; f.ErrorType != "Tollgate.Start" || !strings.Contains(f.ErrorMessage, boot.Environment) {
		t.Errorf("got %+v, want the setting named", f)
	}
}
