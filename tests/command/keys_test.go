package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tollgate/tests/desk"
)

var keyText = regexp.MustCompile(`^tgk_[a-z2-7]{39}\n$`)

// open is keys request or create: the key, and the subscription's id.
func open(t *testing.T, d desk.Desk, args ...string) (key, id string) {
	t.Helper()
	out, errs, code := d.Run(append([]string{"keys"}, args...)...)
	if code != 0 || !keyText.MatchString(out) || strings.Contains(errs, "tgk_") {
		t.Fatalf("got exit %d, %q, %s; want the key alone on standard output", code, out, errs)
	}
	return strings.TrimSpace(out), regexp.MustCompile(`subscription +([a-z2-7]{12})`).FindStringSubmatch(errs)[1]
}

func TestTheLifeOfASubscription(t *testing.T) {
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
	get := func(key, want string) {
		t.Helper()
		_, errs, _ := d.Run("call", "GET", "/rates/eur", "--anonymous", "--key", key)
		if !strings.Contains(errs, want) {
			t.Errorf("got %s, want %s", errs, want)
		}
	}
	if out, _ := run(0, "keys", "list"); out != "no subscriptions\n" {
		t.Errorf("got %q", out)
	}
	get("", "refused: key_missing by operations.get.allow.key (contracts/rates.yaml:12)")
	waiting, id := open(t, d, "request", "--product", "partner", "--owner", "acme@example.com")
	get(waiting, "refused: key_inactive")
	key, other := open(t, d, "create", "--product", "partner", "--owner", "acme@example.com", "--expires", "90d")
	get(key, "200 OK")
	get(key[:42]+"_", "refused: key_malformed")
	if out, _ := run(0, "call", "POST", "/rates/quotes", "--role", "Rates.Quote", "--key", key); !strings.Contains(out, "X-Roles") || strings.Contains(out, "tgk_") {
		t.Errorf("got %s, want what the backend saw, without the key", out)
	}
	if out, _ := run(0, "explain", "GET", "/rates/eur", "--anonymous", "--header", "Ocp-Apim-Subscription-Key: "+key); !strings.Contains(out, "key") || strings.Contains(out, "tgk_") {
		t.Errorf("got %s", out)
	}
	run(0, "keys", "approve", id)
	out, _ := run(0, "keys", "list", "--product", "partner", "--json")
	var all []struct{ ID, State, Owner, Expires string }
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != 2 || all[0].State != "active" || all[0].Owner != "acme@example.com" {
		t.Errorf("got %s", out)
	}
	// Nobody is there to ask.
	for _, args := range [][]string{{"suspend", other}, {"cancel", other}, {"rotate", other}} {
		_, errs := run(1, append([]string{"keys"}, args...)...)
		if !strings.Contains(errs, "--yes") {
			t.Errorf("%v: got %s", args, errs)
		}
	}
	fresh, _, code := d.Run("keys", "rotate", other, "--yes", "--grace", "1h")
	if code != 0 || !keyText.MatchString(fresh) {
		t.Fatalf("got exit %d, %q", code, fresh)
	}
	get(strings.TrimSpace(fresh), "200 OK")
	if _, errs := run(1, "keys", "rotate", other, "--yes"); !strings.Contains(errs, "--overwrite") {
		t.Errorf("got %s", errs)
	}
	if out, _ := run(0, "keys", "suspend", other, "--yes", "--json"); !strings.Contains(out, `"state": "suspended"`) {
		t.Errorf("got %s", out)
	}
	run(0, "keys", "resume", other)
	run(0, "keys", "cancel", other, "--yes")
	if _, errs := run(1, "keys", "resume", other); !strings.Contains(errs, "is cancelled; only one that is suspended can become active") {
		t.Errorf("got %s", errs)
	}
	if out, _ := run(0, "keys", "show", other); !strings.Contains(out, "cancelled") || strings.Contains(out, "tgk_") {
		t.Errorf("got %s", out)
	}
}

func TestKeysSaysWhatIsWrong(t *testing.T) {
	d := desk.New(t)
	d.Up(t)
	for want, args := range map[string][]string{
		`there is no product "partners"; known: partner`: {"create", "--product", "partners", "--owner", "o"},
		`there is no API "rate"; known: archive,`:        {"create", "--api", "rate", "--owner", "o"},
		"say what it is to":                              {"create", "--owner", "o"},
		"say who answers for it":                         {"create", "--product", "partner"},
		"it would have expired already":                  {"create", "--product", "partner", "--owner", "o", "--expires", "2020-01-01"},
		"write 90d":                                      {"create", "--product", "partner", "--owner", "o", "--expires", "soon"},
		"is not a tenant's id":                           {"create", "--product", "partner", "--owner", "o", "--tenant", "acme"},
		"there is no such subscription":                  {"show", "nonesuch"},
		"neither an https address nor a connection":      {"list", "--tables", "nonsense"},
		`there is no environment "prd"; did you mean`:    {"list", "--environment", "prd"},
		"sign in to Entra with `az login`":               {"list", "--environment", "prod"},
		"which is not set":                               {"list", "--tables", "-"},
		"which vault has it isn't known":                 {"create", "--product", "partner", "--owner", "o", "--tables", "@"},
	} {
		if args[len(args)-1] == "@" {
			args[len(args)-1] = tablesOf(t, d)
		}
		out, errs, code := d.Run(append([]string{"keys"}, args...)...)
		if code != 1 || !strings.Contains(errs, want) || out != "" || strings.Contains(errs, "AccountKey=") {
			t.Errorf("%v: got exit %d, %s%s, want %s", args[0], code, out, errs, want)
		}
	}
	// At its address, by the variable, with a secret of one's own.
	d.Write(t, "secret", strings.Repeat("s", 32)+"\n")
	cmd := d.Command("keys", "create", "--product", "any", "--owner", "o", "--tables", "-", "--digest-secret", "secret")
	cmd.Env = append(cmd.Environ(), "TOLLGATE_TABLES="+tablesOf(t, d))
	if out, errs, code := desk.Finish(cmd); code != 0 || !keyText.MatchString(out) {
		t.Errorf("got exit %d, %s%s", code, out, errs)
	}
}

// tablesOf is the local run's connection string.
func tablesOf(t *testing.T, d desk.Desk) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.Dir, ".tollgate/run.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct{ Tables string }
	if err := json.Unmarshal(text, &r); err != nil || r.Tables == "" {
		t.Fatalf("got %s, %v", text, err)
	}
	return r.Tables
}
