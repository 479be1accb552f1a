package explain

import (
	"strings"
	"testing"

	"tollgate/tests/desk"
)

func TestEachStageSaysWhyItRefuses(t *testing.T) {
	d := ownDesk(t)
	staff, member, batch := "--claim=groups=\"staff\"", "--claim=acct=0", asBatch()
	for name, c := range map[string]struct {
		args   []string
		stages string
		code   string
		status int
		rule   string
		at     string
		line   int
		cause  string
	}{
		"unknown path":    {[]string{"GET", "/nowhere"}, "route", "no_route", 404, "", "", 0, ""},
		"another method":  {[]string{"PUT", "/things/1"}, "route", "method_not_allowed", 405, "", "", 0, ""},
		"two readings":    {[]string{"GET", "/things/%2e%2e?access_token=secret"}, "route", "path_not_canonical", 400, "", "", 0, "it encodes a character"},
		"no token":        {[]string{"GET", "/things/1", "--anonymous"}, "route token", "token_missing", 401, "", "", 0, ""},
		"two tokens":      {[]string{"GET", "/things/1", "--header", "Authorization: Bearer a", "--header", "authorization: Bearer b", "--environment=prod"}, "route token", "multiple_credentials", 400, "", "", 0, ""},
		"broken token":    {[]string{"GET", "/things/1", "--token", "a.b.c"}, "route token", "malformed", 401, "", "", 0, "base64"},
		"expired":         {[]string{"GET", "/things/1", "--role", "Reader", "--lifetime", "-1h"}, "route token", "token_expired", 401, "", "", 0, ""},
		"another API's":   {[]string{"GET", "/things/1", "--role", "Reader", "--claim", `aud="x"`}, "route token", "wrong_audience", 401, "", "", 0, ""},
		"unsigned":        {[]string{"GET", "/things/1", "--role", "Reader", "--jose", `alg="none"`}, "route token", "alg_not_allowed", 401, "", "", 0, ""},
		"guest":           {[]string{"GET", "/things/1", "--scope", "Things.Read", batch, "--claim", "acct=1"}, "route token callers", "guest_not_allowed", 403, "guests", "things.yaml", 7, ""},
		"unlisted client": {[]string{"GET", "/things/1", "--role", "Reader"}, "route token callers", "client_not_allowed", 403, "clients", "things.yaml", 8, ""},
		"wrong role":      {[]string{"GET", "/things/1", "--role", "Boss", batch}, "route token callers allow", "insufficient_role", 403, "operations.get.allow.roles", "things.yaml", 14, ""},
		"no scope":        {[]string{"GET", "/things/1", "--user", "u", "--claim=idtyp=\"user\"", member, batch}, "route token callers allow", "insufficient_scope", 403, "operations.get.allow.scopes", "things.yaml", 14, ""},
		"claim required":  {[]string{"GET", "/things/1", "--role", "Reader", batch}, "route token callers allow require", "claim_required", 403, "require.0", "things.yaml", 12, ""},
		"step up":         {[]string{"POST", "/things/1", "--scope", "Things.Read", "--role", "Boss", batch, member, staff}, "route token callers allow require stepUp", "step_up_required", 403, "operations.approve.stepUp", "things.yaml", 16, ""},
		"not forwardable": {[]string{"GET", "/things/1", "--role", "Reader", batch, staff, "--claim", `dept={"a":1}`}, "route token callers allow require forward", "claim_not_forwardable", 403, "forward.X-Dept", "gateway.yaml", 7, "header X-Dept: the claim is neither text nor a list of texts"},
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := d.Run(append([]string{"explain", "--contracts", "own", "--json"}, c.args...)...)
			if code != 1 || errs != "" {
				t.Fatalf("got exit %d, %s, want 1", code, errs)
			}
			a := read[account](t, out)
			if a.Verdict != "refused" || a.Code != c.code || a.Status != c.status || a.stages() != c.stages || strings.Contains(a.Path, "?") {
				t.Errorf("got %s, want %s, %d after the stages %s", out, c.code, c.status, c.stages)
			}
			last := a.Stages[len(a.Stages)-1]
			if c.at != "" {
				c.at = "own/" + c.at
			}
			if last.Verdict != "refused" || last.Code != c.code || last.Status != c.status || last.Detail == "" || last.Rule != c.rule || last.File != c.at || last.Line != c.line || !strings.Contains(last.Cause, c.cause) {
				t.Errorf("got %+v, want %s by %s (%s:%d), cause %q", last, c.code, c.rule, c.at, c.line, c.cause)
			}
		})
	}
}

func (a account) stages() string {
	var names []string
	for _, s := range a.Stages {
		names = append(names, s.Stage)
	}
	return strings.Join(names, " ")
}

func TestAGrantedCallShowsWhatTheBackendWouldHear(t *testing.T) {
	d := ownDesk(t)
	args := []string{"explain", "--contracts", "own", "get", "/things/42", "--role", "Reader", asBatch(), "--claim", `groups="staff"`, "--claim", `dept="a\nb"`}
	out, errs, code := d.Run(append(args, "--json")...)
	a := read[account](t, out)
	if code != 0 || a.Verdict != "granted" || a.Code != "granted" || a.Status != 0 || a.API != "things" || a.Operation != "get" || a.Method != "GET" || a.Environment != "local" || a.Contracts != "own" || a.Version == "" {
		t.Errorf("got exit %d, %s, %s", code, out, errs)
	}
	if a.stages() != "route token callers allow require forward" || a.Forward["X-Roles"] != "Reader" || a.Forward["X-Dept"] != "a%0Ab" || len(a.Forward) != 3 || a.Claims != nil {
		t.Errorf("got %s, want every stage and three headers", out)
	}
	out, _, code = d.Run(args...)
	for _, want := range []string{"GET /things/42, which is get of things\nby own, environment local, at ", "\nforward  granted\n", "\nthe backend would hear:\n  X-Dept: a%0Ab\n  X-Roles: Reader\n"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("got exit %d, %s\nwant %s", code, out, want)
		}
	}
	out, _, code = d.Run("explain", "--contracts", "own", "GET", "/things/open", "--anonymous")
	if code != 0 || !strings.Contains(out, "the backend would hear nothing about the caller") {
		t.Errorf("a public operation: got exit %d, %s", code, out)
	}
}

func TestARefusalMarksTheLineThatDecided(t *testing.T) {
	d := ownDesk(t)
	out, errs, code := d.Run("explain", "--contracts", "own", "GET", "/things/1", "--role", "Boss", asBatch(), "--at", "2026-03-01T09:30:00Z")
	want := `GET /things/1, which is get of things
by own, environment local, at 2026-03-01T09:30:00Z

route    granted
token    granted
callers  granted
allow    refused: insufficient_role by operations.get.allow.roles (own/things.yaml:14): The caller holds none of the roles that this operation asks for.
   14 |   - { id: get, match: "GET /{id}", allow: { scopes: [Things.Read], roles: [Reader] } }
      |                                                                    ^^^^^

refused: 403 Forbidden, insufficient_role
`
	if code != 1 || out != want || errs != "" {
		t.Errorf("got exit %d, %s\n%s\nwant\n%s", code, errs, out, want)
	}
	out, _, _ = d.Run("explain", "--contracts", "own", "GET", "/things//1\x1b[31m")
	if !strings.Contains(out, "cause (private): it holds ") || !strings.Contains(out, `\u001b[31m`) || strings.Contains(out, "\x1b") {
		t.Errorf("got %q, want the cause, and nothing that a terminal obeys", out)
	}
	out, _, code = d.Run("explain", "GET", "/.well-known/oauth-protected-resource/orders", "--anonymous")
	if code != 0 || !strings.Contains(out, "the gateway answers this itself") {
		t.Errorf("got exit %d, %s", code, out)
	}
}

func TestTheLocalRunIsFound(t *testing.T) {
	d := desk.New(t)
	d.Up(t)
	if out, errs, code := d.Run("explain", "GET", "/orders/42", "--role", "DataReader"); code != 0 || !strings.Contains(out, "environment local") || !strings.Contains(out, "X-Roles: DataReader") {
		t.Errorf("got exit %d, %s%s", code, out, errs)
	}
	raw, _, _ := d.Run("token", "--api", "orders", "--role", "DataReader")
	cmd := d.Command("explain", "POST", "/orders", "--token", "-")
	cmd.Stdin = strings.NewReader(raw)
	if out, errs, code := desk.Finish(cmd); code != 1 || !strings.Contains(out, "insufficient_role by operations.create.allow.roles (contracts/orders.yaml:") || !strings.Contains(out, "^^^^^\n") {
		t.Errorf("got exit %d, %s%s; want the rule's place where the person wrote it", code, out, errs)
	}
	if out, errs, code := d.Run("explain", "POST", "/orders", "--token", strings.TrimSpace(raw), "--environment", "prod", "--json"); code != 1 || read[account](t, out).Code != "issuer_not_trusted" {
		t.Errorf("got exit %d, %s%s; want prod not to know the local issuer", code, out, errs)
	}
}

func TestWhatCanNotBeJudgedExitsWith2(t *testing.T) {
	d := ownDesk(t)
	d.Write(t, "text.json", "no JSON")
	d.Write(t, "empty.json", `{"keys": []}`)
	d.Write(t, "two/gateway.yaml", ownGateway)
	d.Write(t, "two/things.yaml", strings.Replace(ownThings, "clients: [batch]\n", "", 1))
	d.Write(t, "two/environments/dev.yaml", ownProd)
	d.Write(t, "two/environments/prod.yaml", ownProd)
	d.Write(t, "broken/gateway.yaml", ownGateway+"pathh: /\n")
	own := func(args ...string) []string { return append([]string{"explain", "--contracts", "own"}, args...) }
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no path":                  {own("GET"), "got 1 arguments, want METHOD and PATH, such as GET /orders/42"},
		"path first":               {own("/things", "GET"), "METHOD comes first, such as GET"},
		"token for a path":         {own("GET", "eyJzZWNyZXQi"), "PATH comes second, from the root, such as /orders/42"},
		"unknown flag":             {own("GET", "/things/1", "--bogus"), "unknown flag: --bogus"},
		"bad header":               {own("GET", "/things/1", "--header", "Authorization eyJzZWNyZXQi"), `--header number 1 has no colon; write "Name: value"`},
		"bad time":                 {own("GET", "/things/1", "--at", "yesterday"), `--at "yesterday" is not a time; write it as 2026-03-01T09:30:00Z`},
		"two tokens":               {own("GET", "/things/1", "--token", "eyJzZWNyZXQi", "--role", "Reader"), "--token and --role contradict each other"},
		"token and none":           {own("GET", "/things/1", "--token", "eyJzZWNyZXQi", "--anonymous"), "--token and --anonymous contradict each other"},
		"empty token":              {own("GET", "/things/1", "--token", ""), "--token is empty"},
		"empty standard input":     {own("GET", "/things/1", "--token", "-"), "standard input is empty"},
		"keys without a token":     {own("GET", "/things/1", "--jwks", "empty.json"), "--jwks is for a token that you bring"},
		"no key file":              {own("GET", "/things/1", "--token", "eyJzZWNyZXQi", "--jwks", "none.json"), "--jwks: open none.json"},
		"no JSON":                  {own("GET", "/things/1", "--token", "eyJzZWNyZXQi", "--jwks", "text.json"), "--jwks: text.json is not a key set"},
		"no keys":                  {own("GET", "/things/1", "--token", "eyJzZWNyZXQi", "--jwks", "empty.json"), `it has no "keys"`},
		"undeclared role":          {own("GET", "/things/1", "--role", "Reeder"), "known: Reader, Boss"},
		"minted for prod":          {own("GET", "/things/1", "--role", "Reader", "--environment", "prod"), "tokens of the environment prod come from its own issuer"},
		"no such environment":      {own("GET", "/things/1", "--anonymous", "--environment", "prd"), `did you mean "prod"?`},
		"no folder":                {[]string{"explain", "GET", "/things/1", "--contracts", "nowhere"}, "there is no folder of contracts at nowhere"},
		"no folder for a token":    {[]string{"explain", "GET", "/things/1", "--contracts", "nowhere", "--token", "eyJzZWNyZXQi"}, "there is no folder of contracts at nowhere"},
		"which environment":        {[]string{"explain", "GET", "/things/1", "--contracts", "two", "--token", "eyJzZWNyZXQi"}, "two has 2 environments; name one with --environment: dev, prod"},
		"broken contracts":         {[]string{"explain", "GET", "/things/1", "--contracts", "broken"}, "broken/gateway.yaml:8:1: error: unknown field \"pathh\""},
		"named run":                {own("GET", "/things/1", "--run", "none.json"), "no local run found (none.json doesn't exist)"},
		"matrix of nothing":        {[]string{"matrix", "nowhere"}, "there is no folder of contracts at nowhere"},
		"matrix of broken":         {[]string{"matrix", "broken"}, "the contracts in broken can't be enforced; mend the errors above"},
		"matrix of two folders":    {[]string{"matrix", "own", "two"}, "accepts at most 1 arg(s)"},
		"matrix without its file":  {[]string{"matrix", "own", "--check", "none.golden"}, "make it with `tollgate matrix own > none.golden`"},
		"matrix of no environment": {[]string{"matrix", "own", "--environment", "prd"}, `did you mean "prod"?`},
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := d.Run(c.args...)
			if code != 2 || out != "" || !strings.Contains(errs, c.want) || strings.Contains(errs, "eyJzZWNyZXQi") {
				t.Errorf("got exit %d, %s%s, want 2 and %s", code, out, errs, c.want)
			}
		})
	}
}
