package audit

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/tests/lab"
)

// The secret comes from the vault, as in a deployment; without it nothing stands in clear.
func TestPseudonymsAreMadeWithTheVaultsSecret(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(lab.Root(t), "contracts"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "gateway.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cloaked := strings.Replace(string(text), "audit: { unavailable: refuse }", "audit: { pseudonymise: [user, client, address], omit: [tenant] }", 1)
	if err := os.WriteFile(file, []byte(cloaked), 0o644); err != nil || cloaked == string(text) {
		t.Fatal("the contract wasn't changed", err)
	}
	l := lab.InProcess(t, dir)
	token := l.Token(t, issuer.Token{API: "orders", Roles: []string{"DataReader"}})
	call := func() audit.Event {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL+"/orders/1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return l.Event(t, resp.Header.Get("X-Correlation-Id"))
	}
	first, second := call(), call()
	for _, text := range []string{first.User, first.App, first.Client} {
		if !strings.HasPrefix(text, "p-") || len(text) != 24 {
			t.Errorf("got %q, want a pseudonym", text)
		}
	}
	if first.User != second.User || first.User == first.App || first.Tenant != "" || first.Issuer != "" || !slices.Contains(first.Omitted, "tenant") {
		t.Errorf("got %+v", first)
	}
	if !strings.HasPrefix(first.PseudonymKey, "audit-pseudonyms/") || first.PseudonymKey != second.PseudonymKey {
		t.Errorf("got the key %q, want its name and version", first.PseudonymKey)
	}
	for _, c := range first.Claims {
		if slices.Contains([]string{"tid", "iss"}, c.Name) || slices.Contains([]string{"oid", "sub"}, c.Name) && c.Values[0] != first.User {
			t.Errorf("got the claim %+v", c)
		}
	}
}
