package command

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate/tests/desk"
)

// calls are made of the local run: each with the exit code that it must have.
func makeCalls(t *testing.T, d desk.Desk) (refused string) {
	t.Helper()
	for _, c := range []struct {
		args string
		code int
	}{
		{"GET /orders/42 --role DataReader", 0}, {"GET /orders/43 --role DataReader", 0}, {"POST /orders --role DataReader", 1},
		{"POST /payments --role Payments.Create --client billing-batch", 0}, {"GET /orders/1 --anonymous", 1}, {"GET /orders/health --anonymous", 0},
	} {
		_, errs, code := d.Run(append([]string{"call"}, strings.Fields(c.args)...)...)
		if code != c.code {
			t.Fatalf("%s: got exit %d, %s", c.args, code, errs)
		}
		if strings.HasPrefix(c.args, "POST /orders") {
			refused = regexp.MustCompile(`X-Correlation-Id: (\S+)`).FindStringSubmatch(errs)[1]
		}
	}
	return refused
}

func TestTheLocalRunAnswersQuestions(t *testing.T) {
	d := desk.New(t)
	up := d.Up(t)
	watched := watching(t, d, "--refused", "--api", "orders")
	id := makeCalls(t, d)
	for _, want := range []string{"insufficient_role", "token_missing"} {
		if got := watched.next(t); got.Code != want || got.API != "orders" {
			t.Errorf("watch: got %+v, want %s", got, want)
		}
	}
	watched.interrupt(t)

	out, errs, code := d.Run("who")
	var who struct {
		Callers []struct {
			ID, Name, Owner         string
			Calls, Granted, Refused int
			APIs                    []string
		}
		Total  struct{ Calls, Granted, Refused int }
		Events struct{ Events, Skipped int }
	}
	if err := json.Unmarshal([]byte(out), &who); err != nil || code != 0 {
		t.Fatalf("got exit %d, %s%s", code, out, errs)
	}
	if who.Total.Calls != 6 || who.Total.Granted != 4 || who.Total.Refused != 2 || who.Events.Skipped != 0 || len(who.Callers) != 3 {
		t.Errorf("got %s", out)
	}
	out, _, code = d.Run("who", "--table")
	for _, want := range []string{"billing-batch (billing-team@contoso.example)", "local-client", "(nobody known)", "insufficient_role (1)"} {
		if code != 0 || !strings.Contains(out, want) || strings.Contains(out, "\x1b") {
			t.Errorf("got exit %d, %s, want %s", code, out, want)
		}
	}

	out, errs, code = d.Run("why", id, "--table")
	for _, want := range []string{
		id + ": refused, 403 Forbidden, insufficient_role", "decided by  operations.create.allow.roles (contracts/orders.yaml:", "those in contracts, digest",
		"stages      route, token, revocation, callers: granted; allow: refused; require, forward, limits: not reached", "claims      ", "DataReader", "backend     not called",
	} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("got exit %d, %s%s, want %s", code, out, errs, want)
		}
	}
	if out, errs, code := d.Run("why", "nobody"); code != 2 || out != "" || !strings.Contains(errs, "there is no event of") {
		t.Errorf("got exit %d, %s%s", code, out, errs)
	}

	unusedAndEvidence(t, d)

	// What a run left can be asked after it ended.
	if err := up.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = up.Wait()
	if out, errs, code := d.Run("who", "--table"); code != 0 || !strings.Contains(out, "billing-batch") {
		t.Errorf("got exit %d, %s%s", code, out, errs)
	}
}

func unusedAndEvidence(t *testing.T, d desk.Desk) {
	t.Helper()
	_, id := open(t, d, "create", "--product", "partner", "--owner", "idle@contoso.example", "--expires", "10d")
	out, errs, code := d.Run("unused", "--table")
	for _, want := range []string{"operation     orders     create", "subscription", id, "idle@contoso.example", "role", "absence here is not proof", "EXPIRES"} {
		if code != 0 || !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("got exit %d, %s%s, want %s", code, out, errs, want)
		}
	}
	if regexp.MustCompile(`(?m)^operation +orders +get `).MatchString(out) || regexp.MustCompile(`(?m)^role +payments +Payments.Create `).MatchString(out) {
		t.Errorf("got %s, want nothing that was used", out)
	}
	if out, errs, code := d.Run("evidence", "--out", "e.md", "--html", "e.html"); code != 0 || out != "" {
		t.Fatalf("got exit %d, %s%s", code, out, errs)
	}
	text, err := os.ReadFile(filepath.Join(d.Dir, "e.md"))
	if err != nil || !strings.Contains(string(text), "6 calls, 4 granted, 2 refused") {
		t.Errorf("got %v, %.2000s", err, text)
	}
	asked(t, d, string(text))
}

// asked runs queries of the document: they give its figures again.
func asked(t *testing.T, d desk.Desk, text string) {
	t.Helper()
	if _, err := exec.LookPath("jq"); err != nil {
		return // the figures themselves are held by the unit tests
	}
	for _, c := range [][2]string{{"6 calls, 4 granted, 2 refused", "6\n4\n2"}, {"calls refused with insufficient\\_role: 1", "1"}, {"- calls refused with token\\_missing: 1", "1"}} {
		_, below, ok := strings.Cut(text, c[0]+"\n  Query: `")
		query, _, _ := strings.Cut(below, "`")
		cmd := exec.Command("bash", "-c", "bin/"+query)
		cmd.Dir = d.Dir
		out, err := cmd.CombinedOutput()
		if !ok || err != nil || strings.TrimSpace(string(out)) != c[1] {
			t.Errorf("%s: got %s, %v, want %s", query, out, err, c[1])
		}
	}
}

type watched struct {
	cmd   *exec.Cmd
	lines chan string
}

type decision struct{ Code, API string }

func watching(t *testing.T, d desk.Desk, args ...string) *watched {
	t.Helper()
	w := &watched{cmd: d.Command(append([]string{"watch"}, args...)...), lines: make(chan string, 100)}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := w.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	if said, _ := bufio.NewReader(errs).ReadString('\n'); !strings.HasPrefix(said, "watching ") {
		t.Fatalf("got %q", said)
	}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			w.lines <- s.Text()
		}
		close(w.lines)
	}()
	return w
}

func (w *watched) next(t *testing.T) (e decision) {
	t.Helper()
	select {
	case line := <-w.lines:
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("got %q", line)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was seen")
	}
	return e
}

func (w *watched) interrupt(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for line := range w.lines {
		t.Errorf("got %s too", line)
	}
	if err := w.cmd.Wait(); err != nil {
		t.Errorf("got %v, want a clean end", err)
	}
}
