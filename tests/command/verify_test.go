package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/infra/verify"
	"tollgate/tests/desk"
)

func TestVerifyProvesTheLocalRunShut(t *testing.T) {
	d := desk.New(t)
	if _, errs, code := d.Run("verify"); code != 2 || !strings.Contains(errs, "no local run found") {
		t.Errorf("without a run: got exit %d, %s; want 2", code, errs)
	}
	d.Up(t)
	out, errs, code := d.Run("verify", "--out", "reports", "--json")
	if code != 0 {
		t.Fatalf("got exit %d, %s, %s", code, out, errs)
	}
	printed, err := verify.Parse([]byte(out))
	if err != nil || printed.Environment != "local" || !printed.Reached {
		t.Fatalf("got %v, %.300s", err, out)
	}
	for _, id := range []string{"token/orders/other", "public/orders/list", "identity/echo", "identity/event", "address/event", "reserved/admin/functions", "routes/method", "cors/orders"} {
		if got := outcome(printed, id); got != verify.Passed {
			t.Errorf("%s: got %q, want it passed", id, got)
		}
	}
	if _, _, code := d.Run("verify", "--strict"); code != 1 {
		t.Errorf("--strict: got exit %d, want 1: a local run has no TLS to show", code)
	}
	files, _ := filepath.Glob(filepath.Join(d.Dir, "reports", "verify-local-*"))
	if len(files) != 2 {
		t.Fatalf("got %v, want the report in two forms", files)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil || strings.Contains(string(text), "eyJ") {
			t.Errorf("%s: got %v, or a token in it", f, err)
		}
	}
	t.Run("evidence shows the report", func(t *testing.T) { reported(t, d) })
	t.Run("a gateway that passes everything fails", func(t *testing.T) { passesAll(t, d) })
}

func outcome(r *verify.Report, id string) verify.Outcome {
	for _, one := range r.Results {
		if one.ID == id {
			return one.Outcome
		}
	}
	return ""
}

func reported(t *testing.T, d desk.Desk) {
	out, errs, code := d.Run("evidence", "--since", "1h", "--verify", "reports")
	if code != 0 || strings.Count(out, "probes of tokens, 2") < 2 || !strings.Contains(out, "Probes from outside: ") || strings.Contains(out, "other contracts") {
		t.Errorf("got exit %d, %s, %.2000s", code, errs, out)
	}
	out, _, _ = d.Run("evidence", "--since", "1h")
	if strings.Contains(out, "probes of tokens") || !strings.Contains(out, "Probes from outside: not shown") {
		t.Errorf("without a report: got %.2000s", out)
	}
	if _, errs, code := d.Run("evidence", "--verify", "reports", "--environment", "prod"); code == 0 || !strings.Contains(errs, "no report of the environment prod") {
		t.Errorf("got exit %d, %s; want the report of another environment refused", code, errs)
	}
}

// passesAll asks an echo where the gateway should be.
func passesAll(t *testing.T, d desk.Desk) {
	var run struct{ Backend string }
	text, err := os.ReadFile(filepath.Join(d.Dir, ".tollgate/run.json"))
	if err != nil || json.Unmarshal(text, &run) != nil {
		t.Fatal(err)
	}
	out, errs, code := d.Run("verify", "--address", run.Backend, "--table")
	if code != 1 || errs != "" || !strings.Contains(out, "failed     orders: a token with alg none is refused") {
		t.Errorf("got exit %d, %s, %s; want 1", code, errs, out)
	}
	if _, errs, code := d.Run("verify", "--address", "http://127.0.0.1:1", "--table"); code != 2 || !strings.Contains(errs, "was not reached") {
		t.Errorf("got exit %d, %s; want 2, and that nothing is proved", code, errs)
	}
}
