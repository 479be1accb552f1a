package faults

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tollgate/localrun/estate"
	"tollgate/localrun/host"
	"tollgate/shared/boot"
	"tollgate/tests/lab"
)

// faulty replaces the staged handler by a script.
func faulty(t *testing.T, script string) string {
	t.Helper()
	app := t.TempDir()
	if err := os.CopyFS(app, os.DirFS(lab.StageApp(t))); err != nil {
		t.Fatal(err)
	}
	handler := filepath.Join(app, "azure-handler")
	if err := os.Rename(handler, filepath.Join(app, "real-handler")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(handler, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return app
}

func startHost(t *testing.T, app string, settings map[string]string, adjust ...func(*host.Options)) *host.Host {
	t.Helper()
	o := host.Options{Root: app, Settings: settings}
	for _, a := range adjust {
		a(&o)
	}
	h, err := host.Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Timeout: time.Minute}
	resp, err := client.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}

// A gateway that can't be configured must not look alive: it exits with an
// error, three times, and the host gives up with the reason in its log.
func TestABadSettingStopsTheHostWithItsReason(t *testing.T) {
	app := lab.StageApp(t)
	h := startHost(t, app, map[string]string{boot.Environment: "", boot.Contracts: "nowhere"})
	err := h.Ready(t.Context())
	if err == nil || !strings.Contains(err.Error(), "TOLLGATE_ENVIRONMENT is not set") {
		t.Errorf("got %v, want the handler's own line", err)
	}
	select {
	case <-h.Done():
	case <-time.After(30 * time.Second):
		t.Error("the host didn't stop after the third failure (functions-host.md §1.3)")
	}
}

// functions-host.md §1.3: after exit code 0 the handler is never started again.
// Ours never exits so; this shows what it would cost.
func TestExitCodeZeroIsForEver(t *testing.T) {
	app := faulty(t, `./real-handler & real=$!; sleep 0.5; kill -9 $real; wait $real; exit 0`)
	h := startHost(t, app, settings(t))
	if err := h.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := eventually(func() bool { status, _ := get(t, h.URL()+"/orders/health"); return status == 500 })
	if !ended {
		t.Error("want 500 for every call after the handler left with 0")
	}
}

// A handler told to stop leaves with 200: the host starts it again, and counts no crash.
func TestAStoppedHandlerComesBack(t *testing.T) {
	app := lab.StageApp(t)
	h := startHost(t, app, settings(t))
	if err := h.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 5 { // more often than the host forgives crashes
		first := h.PID()
		p, err := os.FindProcess(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if !eventually(func() bool { pid := h.PID(); return pid != 0 && pid != first }) {
			t.Fatalf("process %d wasn't replaced: %v", first, h.Err())
		}
		if err := h.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Requests that come while the handler starts are held, not refused.
func TestASlowStartIsLatencyNotAnError(t *testing.T) {
	app := faulty(t, `sleep 1; exec ./real-handler`)
	h := startHost(t, app, settings(t))
	if status, text := get(t, h.URL()+"/orders/7"); status != 401 {
		t.Errorf("got %d %s, want the gateway's 401 after the wait", status, text)
	}
}

// A handler that accepts and never answers is killed at the end of its budget.
func TestAHungStartIsEndedByTheBudget(t *testing.T) {
	app := faulty(t, `exec sleep 1000`)
	edited := strings.Replace(read(t, app+"/host.json"), "00:00:20", "00:00:01", 1)
	if err := os.WriteFile(app+"/host.json", []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	h := startHost(t, app, settings(t))
	select {
	case <-h.Done():
	case <-time.After(30 * time.Second):
		t.Error("the host still waits for a handler that never answers")
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// settings bind the example estate to addresses where nothing answers.
func settings(t *testing.T) map[string]string {
	t.Helper()
	local, faults, err := estate.Prepare(filepath.Join(lab.Root(t), "contracts"), filepath.Join(t.TempDir(), "contracts"),
		estate.Addresses{Gateway: "https://api.example", Issuer: "http://127.0.0.1:9", Backend: "http://127.0.0.1:9"})
	if err != nil || local == nil {
		t.Fatal(err, faults)
	}
	return map[string]string{boot.Contracts: local.Dir, boot.Environment: estate.Name}
}

// eventually polls a condition that another process brings about.
func eventually(done func() bool) bool {
	deadline := time.After(20 * time.Second)
	for !done() {
		select {
		case <-deadline:
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
	return true
}

// functions-host.md §1.5: a call that hangs ends in 500 at functionTimeout, and
// the host starts the handler anew. A stopped process is as hung as can be.
func TestAHungHandlerIsReplacedAtTheTimeout(t *testing.T) {
	app := lab.StageApp(t)
	h := startHost(t, app, settings(t), func(o *host.Options) { o.Budgets.Function = time.Second })
	if err := h.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := h.PID()
	if err := syscall.Kill(first, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool { return strings.Contains(read(t, fmt.Sprintf("/proc/%d/stat", first)), ") T ") }) {
		t.Fatal("the handler doesn't stop")
	}
	if status, text := get(t, h.URL()+"/orders/7"); status != 500 || text != "" {
		t.Errorf("got %d %q, want the host's empty 500", status, text)
	}
	if !eventually(func() bool { pid := h.PID(); return pid != 0 && pid != first }) {
		t.Fatal("the hung handler wasn't replaced")
	}
	if status, text := get(t, h.URL()+"/orders/7"); status != 401 {
		t.Errorf("got %d %s, want the gateway's 401 again", status, text)
	}
}

// A handler that leaks is ended by its sandbox's memory limit. Here something in
// its process group grows until a limit ends it, and takes the handler along; the
// host sees an exit like any crash, and the next life answers.
func TestALeakingHandlerIsReplaced(t *testing.T) {
	app := faulty(t, `[ -e leaked ] && exec ./real-handler
: > leaked
./real-handler & real=$!
( ulimit -v 200000; sleep 0.5; x=0123456789abcdef; while :; do x=$x$x; done ) 2>/dev/null
kill -9 $real; wait $real; exit 137`)
	h := startHost(t, app, settings(t))
	if err := h.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := h.PID()
	if !eventually(func() bool { pid := h.PID(); return pid != 0 && pid != first }) {
		t.Fatalf("the leaking handler wasn't replaced: %v", h.Err())
	}
	if status, text := get(t, h.URL()+"/orders/7"); status != 401 {
		t.Errorf("got %d %s, want the gateway's 401 again", status, text)
	}
}
