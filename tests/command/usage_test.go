package command

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/tests/desk"
	"tollgate/tests/lab"
)

// walk are the commands that README shows below that heading.
func walk(t *testing.T, heading string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(lab.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, below, _ := strings.Cut(string(text), "\n## "+heading+"\n")
	below, _, _ = strings.Cut(below, "\n## ")
	var out []string
	for line := range strings.Lines(below) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			out = append(out, strings.TrimSpace(command))
		}
	}
	return out
}

func TestTheReadmesWalkThroughKeysLimitsAndUsage(t *testing.T) {
	d := desk.New(t)
	d.Up(t)
	const next = "=== next"
	commands := walk(t, "Keys, limits, usage")
	if len(commands) != 8 {
		t.Fatalf("got %q", commands)
	}
	shell := exec.Command("bash", "-c", strings.Join(commands, "\necho; echo '"+next+"'\n"))
	shell.Dir = d.Dir
	text, _ := shell.CombinedOutput() // each command's own exit code is not the shell's
	said := strings.Split(string(text), next)
	if len(said) != len(commands) {
		t.Fatalf("got %d parts of %s", len(said), text)
	}
	used := regexp.MustCompile(`product/partner +daily +subscription [a-z2-7]{12} \(product partner, me\) +([0-9]+) / 20  █+`)
	for i, want := range map[int]string{
		0: "The key is shown this once", 1: "200 OK", 2: "429 Too Many Requests", 3: "product/partner",
		5: "refused: quota_exceeded by gateway.products.partner.limits.0 (contracts/gateway.yaml:", 6: "20 / 20  ████████████████████  100 %", 7: "reset ",
	} {
		if !strings.Contains(said[i], want) {
			t.Errorf("%s: got %s\nwant %s", commands[i], said[i], want)
		}
	}
	if found := used.FindStringSubmatch(said[3]); found == nil || len(found[1]) < 2 {
		t.Errorf("got %s, want a bar with ten or more of twenty", said[3])
	}
	if !strings.Contains(said[1], `Ratelimit: "daily";r=19;t=86`) || strings.Contains(string(text), "tgk_") {
		t.Errorf("got %s, want what is left of the limits, and no key", said[1])
	}
	if out, _, code := d.Run("usage"); code != 0 || out != "nothing is used\n" {
		t.Errorf("got exit %d, %s after the reset", code, out)
	}
}

func TestUsageOfEverything(t *testing.T) {
	d := desk.New(t)
	d.Up(t)
	for _, args := range [][]string{
		{"GET", "/orders/42", "--role", "DataReader"}, {"GET", "/catalog/42", "--role", "CatalogReader"}, {"GET", "/invoices", "--role", "InvoiceReader"},
		{"GET", "/archive/42", "--role", "Archive.Read"}, {"GET", "/stock/health", "--anonymous", "--header", "X-Site: =cmd"},
	} {
		if _, errs, code := d.Run(append([]string{"call"}, args...)...); code != 0 {
			t.Fatalf("%v: got %s", args, errs)
		}
	}
	key, id := open(t, d, "create", "--product", "partner", "--owner", "=1+1")
	if _, errs, code := d.Run("call", "POST", "/rates/quotes", "--role", "Rates.Quote", "--key", key); code != 0 {
		t.Fatal(errs)
	}
	run := func(want int, args ...string) (string, string) {
		t.Helper()
		out, errs, code := d.Run(args...)
		if code != want {
			t.Fatalf("%v: got exit %d, %s%s", args, code, out, errs)
		}
		return out, errs
	}
	out, _ := run(0, "usage", "--json")
	var all []struct {
		Scope, Limit, Unit string
		Used, Of           int64
		Ends               *time.Time
		Subscription       *struct{ ID, Owner string }
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) < 6 {
		t.Fatalf("got %s, %v", out, err)
	}
	seen := map[string]bool{}
	for _, u := range all {
		seen[u.Scope+" "+u.Limit+" "+u.Unit] = true
		if u.Limit == "daily" && (u.Used != 5 || u.Of != 20 || u.Subscription == nil || u.Subscription.ID != id || u.Ends == nil) {
			t.Errorf("got %+v, want five of twenty for a quote", u)
		}
	}
	for _, want := range []string{
		"api/orders per-tenant calls", "api/catalog per-client calls", "api/invoices per-caller calls", "api/archive volume bytes",
		"operation/stock/health probes calls", "product/partner daily calls",
	} {
		if !seen[want] {
			t.Errorf("got %v, want %s", seen, want)
		}
	}
	out, _ = run(0, "usage", "--csv", "--subscription", id)
	if rows, err := csv.NewReader(strings.NewReader(out)).ReadAll(); err != nil || len(rows) < 2 || rows[1][13] != "'=1+1" {
		t.Errorf("got %s, %v", out, err)
	}
	if out, _ = run(0, "usage", "--api", "archive"); !strings.Contains(out, "KiB / 10 GiB") || strings.Contains(out, "partner") || strings.Contains(out, "\x1b") {
		t.Errorf("got %s", out)
	}

	// A reset asks, and takes what its filters say.
	if out, errs := run(1, "limits", "reset", "--subscription", id); !strings.Contains(out, "daily") || !strings.Contains(errs, "--yes") {
		t.Errorf("got %s%s", out, errs)
	}
	run(0, "limits", "reset", "--subscription", id, "--yes")
	if out, _ := run(0, "usage", "--product", "partner"); out != "nothing is used\n" {
		t.Errorf("got %s", out)
	}
	if out, _ := run(0, "limits", "reset", "--subscription", id, "--yes"); !strings.Contains(out, "nothing to reset") {
		t.Errorf("got %s", out)
	}
	if out, _ := run(0, "usage", "--api", "archive"); !strings.Contains(out, "volume") {
		t.Errorf("got %s, want the others kept", out)
	}
	run(0, "limits", "reset", "--all", "--yes")
	// What is explained costs nobody anything.
	if out, _ := run(0, "explain", "GET", "/orders/42", "--role", "DataReader"); !strings.Contains(out, "limits      granted (nothing is debited here, ") {
		t.Errorf("got %s", out)
	}
	if out, _ := run(0, "usage", "--json"); out != "[]\n" {
		t.Errorf("got %s", out)
	}
}

func TestTheMatrixUsesNoLimitUp(t *testing.T) {
	d := desk.Bare(t)
	d.Edit(t, "contracts/orders.yaml", "rate: 60000/minute", "rate: 1/hour")
	if out, errs, code := d.Run("matrix", "--check", "contracts/matrix.golden"); code != 0 {
		t.Errorf("got exit %d, %s%s", code, out, errs)
	}
}

func TestUsageAndResetRefuseSlips(t *testing.T) {
	d := desk.New(t)
	d.Up(t)
	for _, c := range []struct{ args, want string }{
		{"usage --product partners", `there is no product "partners"; known: partner`},
		{"usage --api order", `there is no API "order"; known: archive, `},
		{"usage --limit dayly", `there is no limit "dayly"; known: burst, daily, `},
		{"usage --product partner --api orders", "contradict each other"},
		{"usage --json --csv", "contradict each other"},
		{"usage --run none.json", "no local run found"},
		{"usage --tables nonsense", "neither an https address nor a connection string"},
		{"usage --tables http://127.0.0.1:1/x?sig=SECRETSIG", "connection refused"},
		{"limits reset", "say what to reset"},
		{"limits reset --yes", "say what to reset"},
		{"limits reset --all --limit daily", "contradicts"},
		{"limits reset --product partners --yes", `there is no product "partners"`},
		{"limits reset --all --yes more", "unknown command"},
	} {
		out, errs, code := d.Run(strings.Fields(c.args)...)
		if code != 1 || out != "" || !strings.Contains(errs, c.want) || strings.Contains(errs, "SECRETSIG") {
			t.Errorf("%s: got exit %d, %s%s, want %s", c.args, code, out, errs, c.want)
		}
	}
}
