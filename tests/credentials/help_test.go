package credentials

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/localrun/backend"
	"tollgate/localrun/estate"
	"tollgate/localrun/faults"
	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/shared/boot"
	"tollgate/tests/lab"
)

// kind is one API of the example estate, and what its backend must see.
type kind struct {
	api, path string
	token     issuer.Token
	sources   func(*lab.Lab) []*faults.Set // on which it depends
	proof     func(*lab.Lab, backend.Seen) string
}

const alice = "a11ce000-0000-4000-8000-000000000001"

func kinds() []kind {
	app := func(api, role string) issuer.Token { return issuer.Token{API: api, Roles: []string{role}} }
	identity := func(l *lab.Lab) []*faults.Set { return []*faults.Set{&l.Identity.Set} }
	vault := func(l *lab.Lab) []*faults.Set { return []*faults.Set{&l.Vault.Set, &l.Identity.Set} }
	entra := func(l *lab.Lab) []*faults.Set { return []*faults.Set{&l.Issuer.Tokens, &l.Identity.Set} }
	return []kind{
		{"customers", "/customers/1", app("customers", "Customers.Read"), identity, bearer(estate.GUID("identity", "gateway"), "", "api://"+estate.Tenant()+"/customers-backend")},
		{"shipments", "/shipments/1", app("shipments", "Shipments.Read"), entra, bearer(estate.GUID("identity", "shipments"), "", "api://shipments.partner.example")},
		{"ledger", "/ledger/1", app("ledger", "Ledger.Read"), vault, func(_ *lab.Lab, s backend.Seen) string {
			if s.Certificate == nil || s.Certificate.Subject.CommonName != "gateway to ledger" || s.Header.Get("Authorization") != "" {
				return ""
			}
			return s.Certificate.SerialNumber.String()
		}},
		{"stock", "/stock/1", app("stock", "Stock.Read"), vault, func(_ *lab.Lab, s backend.Seen) string {
			if v := s.Header.Values("X-Api-Key"); len(v) != 1 || !strings.HasPrefix(v[0], "secret-") || s.Header.Get("Authorization") != "" {
				return ""
			}
			return s.Header.Get("X-Api-Key")
		}},
		{"archive", "/archive/1", app("archive", "Archive.Read"), vault, func(_ *lab.Lab, s backend.Seen) string {
			name, password, ok := (&http.Request{Header: s.Header}).BasicAuth()
			if !ok || name != "svc-gateway" || !strings.HasPrefix(password, "secret-") {
				return ""
			}
			return password
		}},
		{"profile", "/profile/me", issuer.Token{API: "profile", Scopes: []string{"Profile.Read"}, User: alice}, entra, bearer(estate.GUID("api", "profile"), alice, "api://"+estate.Tenant()+"/directory")},
	}
}

// bearer tells a token for the audience, of the client, and for the user.
func bearer(client, user, audience string) func(*lab.Lab, backend.Seen) string {
	return func(_ *lab.Lab, s backend.Seen) string {
		raw, ok := strings.CutPrefix(s.Header.Get("Authorization"), "Bearer ")
		claims := claimsOf(raw)
		if !ok || claims["aud"] != audience || claims["azp"] != client || user != "" && claims["oid"] != user || len(s.Header.Values("Authorization")) != 1 {
			return ""
		}
		return raw
	}
}

func claimsOf(raw string) (claims map[string]any) {
	if parts := strings.Split(raw, "."); len(parts) == 3 {
		text, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(text, &claims) // nil is told apart by whoever looks
	}
	return claims
}

// answer is what the caller got, and what the backend saw.
type answer struct {
	*http.Response
	body  string
	event audit.Event
	seen  []backend.Seen
}

func call(t testing.TB, l *lab.Lab, k kind) answer {
	t.Helper()
	l.Backend.Reset()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL+k.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+l.Token(t, k.token))
	r.Header.Set("X-Api-Key", "the-callers-own")
	r.Header.Set("X_Api_Key", "the-callers-own")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return answer{resp, string(body), l.Event(t, resp.Header.Get("X-Correlation-Id")), l.Backend.Requests()}
}

// granted is the proof that the backend saw.
func granted(t testing.TB, l *lab.Lab, k kind) string {
	t.Helper()
	a := call(t, l, k)
	if a.StatusCode != http.StatusOK || len(a.seen) != 1 {
		t.Fatalf("%s: got %s and %d calls of the backend, want 200 and one; %s %s", k.api, a.Status, len(a.seen), a.event.Code, a.event.Cause)
	}
	if strings.Contains(strings.Join(append(a.seen[0].Header.Values("X-Api-Key"), a.seen[0].Header.Values("X_Api_Key")...), ""), "callers") && k.api == "stock" {
		t.Errorf("the caller's own X-Api-Key reached the backend: %v", a.seen[0].Header)
	}
	proof := k.proof(l, a.seen[0])
	if proof == "" {
		t.Fatalf("%s: the backend saw %v, want the gateway's credential", k.api, a.seen[0].Header)
	}
	return proof
}

// refused wants 503 and no call of the backend.
func refused(t testing.TB, l *lab.Lab, k kind) {
	t.Helper()
	a := call(t, l, k)
	if strings.Contains(a.event.Cause+a.body, "secret-") {
		t.Errorf("%s: a secret is told: %s %s", k.api, a.event.Cause, a.body)
	}
	if a.StatusCode != http.StatusServiceUnavailable || a.event.Code != "credential_unavailable" || a.Header.Get("Retry-After") == "" || len(a.seen) != 0 {
		t.Errorf("%s: got %s %s (Retry-After %q) and %d calls of the backend, want 503 credential_unavailable and none; %s",
			k.api, a.Status, a.event.Code, a.Header.Get("Retry-After"), len(a.seen), a.event.Cause)
	}
}

// example reaches its store by the account's key: an outage of the identity
// endpoint is then one of the backends' credentials alone.
func example(t testing.TB) *lab.Lab {
	t.Helper()
	return lab.InProcess(t, filepath.Join(lab.Root(t), "contracts"), func(l *lab.Lab, s map[string]string) { s[boot.Tables] = l.Tables })
}
