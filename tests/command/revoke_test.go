package command

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tollgate/tests/desk"
)

const jo, ann = "0badf00d-0000-4000-8000-000000000007", "0badf00d-0000-4000-8000-000000000008"

func TestTheLifeOfARevocation(t *testing.T) {
	d := desk.New(t)
	d.Up(t)
	run := func(want int, args ...string) (string, string) {
		t.Helper()
		out, errs, code := d.Run(args...)
		if code != want {
			t.Fatalf("%v: got exit %d, %s%s", args, code, out, errs)
		}
		return out, errs
	}
	token := func(user string) string {
		t.Helper()
		out, _ := run(0, "token", "--api", "orders", "--scope", "Orders.Read", "--user", user)
		return strings.TrimSpace(out)
	}
	// becomes calls until the answer is that one, which it must be within 5 s of the command.
	becomes := func(raw, want string) {
		t.Helper()
		for began := time.Now(); ; {
			asked := time.Now()
			_, errs, _ := d.Run("call", "GET", "/orders/42", "--token", raw)
			if strings.Contains(errs, want) {
				return
			}
			if asked.Sub(began) > 5*time.Second {
				t.Fatalf("got %s after %v, want %s", errs, time.Since(began), want)
			}
		}
	}
	if out, _ := run(0, "revocations", "list"); out != "nothing is revoked\n" {
		t.Errorf("got %q", out)
	}
	his, hers := token(jo), token(ann)
	becomes(his, "200 OK")
	out, _ := run(0, "revoke", "user", strings.ToUpper(jo), "--yes", "--reason", "laptop\x1b[31m stolen")
	for _, want := range []string{"revoked: user " + jo + " of tenant ", "every instance refuses within 5 seconds", "tollgate revocations lift user-"} {
		if !strings.Contains(out, want) {
			t.Errorf("got %s, want %q in it", out, want)
		}
	}
	becomes(his, "refused: token_revoked")
	becomes(hers, "200 OK")

	out, _ = run(0, "revocations", "list", "--json")
	var all []struct{ Name, Kind, ID, Reason, By string }
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != 1 || all[0].Kind != "user" || all[0].ID != jo || all[0].Reason != "laptop [31m stolen" || all[0].By == "" {
		t.Errorf("got %s", out)
	}
	if out, _ := run(0, "revocations", "list"); !strings.Contains(out, all[0].Name) || strings.Contains(out, "\x1b") {
		t.Errorf("got %q", out)
	}
	run(0, "revocations", "lift", all[0].Name)
	becomes(his, "200 OK")
	if _, errs := run(1, "revocations", "lift", all[0].Name); !strings.Contains(errs, "there is no revocation "+all[0].Name) {
		t.Errorf("got %s", errs)
	}

	one := d.Command("revoke", "token", "-", "--yes")
	one.Stdin = strings.NewReader(his + "\n")
	if out, errs, code := desk.Finish(one); code != 0 || !strings.Contains(out, "revoked: token ") || strings.Contains(out, his) {
		t.Fatalf("got exit %d, %s%s", code, out, errs)
	}
	becomes(his, "refused: token_revoked")
	becomes(token(jo), "200 OK")
}

func TestRevokeAsksAndRefusesSlips(t *testing.T) {
	d := desk.New(t)
	d.Up(t)
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"all"}, "--yes"}, // nobody is there to ask
		{[]string{"tenant", "11111111-1111-1111-1111-111111111111"}, "--yes"},
		{[]string{"user", jo}, "--yes"},
		{[]string{"user", "jo@contoso.example"}, "is not an id such as"},
		{[]string{"client", "web"}, "is not an id such as"},
		{[]string{"tenant", "contoso", "--yes"}, "is not an id such as"},
		{[]string{"user", "jo", "--issuer", "okta"}, "the contracts trust"},
		{[]string{"user", jo, "--keep", "soon"}, "--keep"},
		{[]string{"all", "--tenant", jo, "--yes"}, "takes neither"},
		{[]string{"user", jo, "--tables", "http://127.0.0.1:1/none"}, "which tenant's isn't clear"},
		{[]string{"subscription", "aaaaaaaaaaaa"}, "there is no such subscription"},
		{[]string{"subscription", "A Slip"}, "there is no such subscription"},
		{[]string{"subscription", "x", "--run", "none.json"}, "no local run found"},
	} {
		out, errs, code := d.Run(append([]string{"revoke"}, tc.args...)...)
		if code != 1 || !strings.Contains(errs, tc.want) {
			t.Errorf("%v: got exit %d, %s%s; want 1 and %q", tc.args, code, out, errs, tc.want)
		}
	}
	if out, _, _ := d.Run("revocations", "list"); out != "nothing is revoked\n" {
		t.Errorf("got %q, want nothing written by a slip", out)
	}
	out, errs, code := d.Run("revoke", "all", "--yes", "--keep", "1h", "--json")
	if code != 0 || !strings.Contains(out, `"kind": "all"`) || !strings.Contains(out, `"ends"`) {
		t.Errorf("got exit %d, %s%s", code, out, errs)
	}
}
