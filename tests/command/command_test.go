// Package command runs bin/tollgate as a person would.
package command

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tollgate/tests/desk"
)

func TestOnceMakesAnAllowedAndARefusedCall(t *testing.T) {
	d := desk.New(t)
	for _, front := range []string{"functions", "none"} {
		out, errs, code := d.Run("up", "--once", "--port", "0", "--host", front)
		if want := "GET /orders as DataReader: 200\nPOST /orders as DataReader: 403\n"; code != 0 || out != want {
			t.Errorf("--host %s: got exit %d, %q, %s; want %q", front, code, out, errs, want)
		}
	}
}

func TestCallsAndTokensFindTheLocalRun(t *testing.T) {
	d := desk.New(t)
	d.Up(t)

	out, _, code := d.Run("call", "GET", "/orders/42", "--role", "DataReader")
	var seen struct {
		Path    string
		Headers map[string][]string
	}
	if err := json.Unmarshal([]byte(out), &seen); code != 0 || err != nil || seen.Path != "/orders/42" || seen.Headers["X-Roles"][0] != "DataReader" {
		t.Errorf("got exit %d, %s; want what the backend saw", code, out)
	}
	_, errs, code := d.Run("call", "POST", "/orders", "--role", "DataReader")
	if want := "refused: insufficient_role by operations.create.allow.roles (contracts/orders.yaml:"; code != 1 || !strings.Contains(errs, want) {
		t.Errorf("got exit %d, %s; want exit 1 and %s", code, errs, want)
	}
	raw, _, code := d.Run("token", "--api", "orders", "--role", "DataWriter")
	if code != 0 || strings.Count(raw, ".") != 2 {
		t.Fatalf("got exit %d, token %q", code, raw)
	}
	if _, errs, code := d.Run("call", "POST", "/orders", "--token", strings.TrimSpace(raw), "--data", "{}"); code != 0 {
		t.Errorf("got exit %d, %s, want 0", code, errs)
	}
	_, errs, code = d.Run("token", "--api", "orders", "--role", "DataReeder")
	if code != 1 || !strings.Contains(errs, "known: DataReader, DataWriter") {
		t.Errorf("got exit %d, %s; want the known roles", code, errs)
	}
	if _, errs, code := d.Run("up", "--port", "0"); code != 1 || !strings.Contains(errs, "a local run is up already") {
		t.Errorf("got exit %d, %s; want a second run refused", code, errs)
	}
	if info, err := os.Stat(filepath.Join(d.Dir, ".tollgate/run.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("run.json: got %v, %v; want mode 0600", info, err)
	}
}

func TestCtrlCLeavesNothingBehind(t *testing.T) {
	for _, front := range []string{"functions", "none"} {
		d := desk.New(t)
		cmd := d.Up(t, "--host", front)
		handlers := children(t, cmd.Process.Pid)
		if len(handlers) != 1 {
			t.Fatalf("got child processes %v, want the handler", handlers)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("got %v, want exit 0", err)
		}
		assertGone(t, handlers[0])
		if _, err := os.Stat(filepath.Join(d.Dir, ".tollgate/run.json")); err == nil {
			t.Error("run.json is still there")
		}
		if _, errs, code := d.Run("call", "GET", "/orders", "--role", "DataReader"); code != 1 || !strings.Contains(errs, "no local run found") {
			t.Errorf("got exit %d, %s; want a hint to start one", code, errs)
		}
	}
}

func TestAKilledCommandTakesTheHandlerWithIt(t *testing.T) {
	d := desk.New(t)
	cmd := d.Up(t)
	handlers := children(t, cmd.Process.Pid)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for _, pid := range handlers {
		assertGone(t, pid)
	}
	if _, errs, code := d.Run("token", "--api", "orders"); code != 1 || !strings.Contains(errs, "doesn't answer") {
		t.Errorf("got exit %d, %s; want a hint that the run is dead", code, errs)
	}
	d.Up(t) // the leftover file doesn't stop the next start
}

// children reads /proc; elsewhere the tests that need it have nothing to say.
func children(t *testing.T, pid int) []int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "task", strconv.Itoa(pid), "children"))
	if err != nil {
		t.Fatal(err)
	}
	tasks, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task/*/children"))
	text = nil
	for _, task := range tasks {
		more, _ := os.ReadFile(task)
		text = append(append(text, more...), ' ')
	}
	var out []int
	for _, f := range strings.Fields(string(text)) {
		if n, err := strconv.Atoi(f); err == nil {
			out = append(out, n)
		}
	}
	return out
}

func assertGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for syscall.Kill(pid, 0) == nil {
		if stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat")); err != nil || bytes.Contains(stat, []byte(") Z ")) {
			return // reaped by somebody else in a moment
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestABadStartSaysOneClearThing(t *testing.T) {
	d := desk.New(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	broken := filepath.Join(d.Dir, "contracts", "orders.yaml")
	port := strconv.Itoa(busy.Addr().(*net.TCPAddr).Port)

	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"busy port":              {[]string{"up", "--port", port}, "tollgate: port " + port + " can't be had"},
		"missing contracts":      {[]string{"up", "--port", "0", "--contracts", "nowhere"}, "tollgate: there is no folder of contracts at nowhere"},
		"missing app":            {[]string{"up", "--port", "0", "--package", "nowhere"}, "tollgate: there is no app at nowhere; run `make build`"},
		"unknown front":          {[]string{"up", "--host", "iis"}, `tollgate: --host "iis": it is functions or none`},
		"unknown command":        {[]string{"upp"}, `tollgate: unknown command "upp"`},
		"no run to call":         {[]string{"call", "GET", "/orders"}, "tollgate: no local run found"},
		"check without a folder": {[]string{"check", "nowhere"}, "tollgate: there is no folder of contracts at nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, errs, code := d.Run(c.args...); code != 1 || !strings.HasPrefix(errs, c.want) || strings.Count(strings.TrimSpace(errs), "\n") > 4 {
				t.Errorf("got exit %d, %s\nwant %s", code, errs, c.want)
			}
		})
	}
	t.Run("broken contract", func(t *testing.T) {
		text, err := os.ReadFile(broken)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(broken, bytes.Replace(text, []byte("audience:"), []byte("audiance:"), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		want := "contracts/orders.yaml:7:1: error: unknown field \"audiance\"; did you mean \"audience\"?\n" +
			"    7 | audiance: \"api://${tenant}/orders\"\n" +
			"      | ^^^^^^^^\n"
		for _, args := range [][]string{{"up", "--port", "0"}, {"check"}} {
			if _, errs, code := d.Run(args...); code != 1 || !strings.Contains(errs, want) {
				t.Errorf("%v: got exit %d\n%s\nwant\n%s", args, code, errs, want)
			}
		}
		out, _, code := d.Run("check", "--json")
		var faults []struct {
			File         string
			Line, Column int
			Message      string
		}
		if err := json.Unmarshal([]byte(out), &faults); err != nil || code != 1 || len(faults) != 2 || faults[1].Line != 7 {
			t.Errorf("check --json: got exit %d, %v, %s", code, err, out)
		}
	})
}

func TestCheckOfTheExampleEstateIsQuiet(t *testing.T) {
	d := desk.New(t)
	if out, errs, code := d.Run("check"); code != 0 || errs != "" || out != "contracts: no errors\n" {
		t.Errorf("got exit %d, %q, %q", code, out, errs)
	}
	if _, errs, code := d.Run("check", "--environment", "prd"); code != 1 || !strings.Contains(errs, `did you mean "prod"?`) {
		t.Errorf("got exit %d, %s", code, errs)
	}
}
