package explain

import (
	"strings"
	"testing"
)

func TestAccountsTellTheAnswerAsTheContractWritesIt(t *testing.T) {
	d := ownDesk(t)
	d.Write(t, "own/gateway.yaml", strings.Replace(ownGateway, "claimsContract: 1\n", "claimsContract: 1\nerrors: apim\n", 1))
	for name, c := range map[string]struct {
		args         []string
		status       int
		code, detail string
	}{
		"a method":  {[]string{"PUT", "/things/1"}, 404, "method_not_allowed", "Resource not found"},
		"a role":    {[]string{"GET", "/things/1", "--role", "Boss", asBatch()}, 401, "insufficient_role", "Invalid Azure AD JWT"},
		"a reading": {[]string{"GET", "/things/%2e%2e"}, 400, "path_not_canonical", "The path can be read in more than one way."},
		"no token":  {[]string{"GET", "/things/1", "--anonymous"}, 401, "token_missing", "Azure AD JWT not present"},
	} {
		out, errs, code := d.Run(append([]string{"explain", "--contracts", "own", "--json"}, c.args...)...)
		if code != 1 || errs != "" {
			t.Fatalf("%s: got exit %d, %s, want 1", name, code, errs)
		}
		a := read[account](t, out)
		if last := a.Stages[len(a.Stages)-1]; a.Status != c.status || a.Code != c.code || last.Status != c.status || last.Detail != c.detail {
			t.Errorf("%s: got %s, want %d %s: %s", name, out, c.status, c.code, c.detail)
		}
	}
}
