package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"tollgate/shared/audit"
)

func TestWhyACallWasDecidedSo(t *testing.T) {
	var all string
	for _, id := range []string{"c1", "c4", "c5", "c7", "c8", "c9"} {
		out, err := question(t, "why", id, "--table")
		if want := map[string]int{"c4": 1, "c5": 1}[id]; (err != nil) != (want == 1) || err != nil && exitCode(err) != 1 {
			t.Errorf("%s: got %v", id, err)
		}
		all += "$ why " + id + "\n" + out + "\n"
	}
	golden(t, "why.txt", all)
	if out, err := question(t, "why", "nobody"); err == nil || exitCode(err) != 2 || !strings.Contains(err.Error(), `no event of "nobody"; events reach from`) {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestWhySaysWhetherTheseContractsDecided(t *testing.T) {
	plan, err := planIn("testdata/contracts", "prod")
	if err != nil {
		t.Fatal(err)
	}
	e := recorded()[3]
	e.Contract = plan.Version
	out, _ := questionOf(t, kept(t, []audit.Event{e}), "why", "c4")
	var got reason
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.Contracts != sameContracts || !strings.HasPrefix(got.Place, "testdata/contracts/orders.yaml:") || !strings.Contains(got.Source, "id: create") {
		t.Errorf("got %s, %v", out, err)
	}
	if got.Stages[len(got.Stages)-1] != (stageSaid{"forward", notReached}) {
		t.Errorf("got %v", got.Stages)
	}
}

func TestWatchLines(t *testing.T) {
	var b strings.Builder
	n := names{}
	for _, e := range append(recorded(), hostileEvent()) {
		b.WriteString(watchLine(&e, n, screen{}))
	}
	raw(t, b.String())
	golden(t, "watch.txt", b.String())
	e := recorded()[4]
	got := watchLine(&e, n, screen{width: 60, colour: true})
	if !strings.Contains(got, "\x1b[33m401\x1b[0m") || columns(strings.TrimSpace(got)) > 80 {
		t.Errorf("got %q, want yellow and no more than the screen", got)
	}
	file, err := os.Open(kept(t, recorded()))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := command()
	var out bytes.Buffer
	cmd.SetIn(file)
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"watch", "--events", "-", "--refused", "--code", "token_expired", "--environment", "prod", "--contracts", "testdata/contracts"})
	if err := cmd.ExecuteContext(t.Context()); err != nil || strings.Count(out.String(), "\n") != 2 || !strings.Contains(out.String(), `"code":"token_expired"`) {
		t.Errorf("got %v, %s", err, out.String())
	}
}

func TestTheStageThatRefused(t *testing.T) {
	b := book{source: "contracts"}
	var err error
	if b.plan, err = planIn("testdata/contracts", "prod"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, path, code, rule, want string }{
		{"GET", "/orders/1", "no_route", "", "route: refused"},
		{"GET", "/orders/1", "token_revoked", "", "route, token: granted; revocation: refused; callers, allow, require, forward: not reached"},
		{"GET", "/orders/1", "wrong_principal_type", "operations.get.allow", "route, token, revocation, callers: granted; allow: refused; require, forward: not reached"},
		{"GET", "/rates/eur", "keys_unavailable", "", "route: granted; key: refused; revocation, binding, limits: not reached"},
		{"POST", "/payments", "rate_exceeded", "limits.0", "route, token, revocation, callers, allow, require, forward: granted; limits: refused"},
		{"POST", "/payments", "backend_timeout", "", "route, token, revocation, callers, allow, require, forward, limits: granted; backend: refused"},
		{"GET", "/orders/1", "rate_exceeded", "limits.0", ""}, // these contracts limit nothing there: others decided
		{"GET", "", "no_route", "", ""}, // kept out
		{"GET\n", "/\x00", "malformed_request", "", ""},
	} {
		e := audit.Event{Method: c.method, Path: c.path, Code: c.code, Rule: c.rule, Verdict: audit.Refused}
		if got := stageLine(stagesOf(b, &e)); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.path, c.code, got, c.want)
		}
	}
}
