package credentials

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/faults"
	"tollgate/localrun/issuer"
	"tollgate/tests/lab"
)

func profile() kind { return kinds()[5] }

// with is one call with this token.
func with(t testing.TB, l *lab.Lab, raw string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL+"/profile/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+raw)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestAUsersTokenIsExchangedOnce(t *testing.T) {
	l := example(t)
	raw := l.Token(t, profile().token)
	for range 5 {
		if resp := with(t, l, raw); resp.StatusCode != 200 {
			t.Fatalf("got %s, want 200", resp.Status)
		}
	}
	if n := l.Issuer.Fetches()["token"]; n != 1 {
		t.Errorf("got %d requests for tokens, want one", n)
	}
	seen := l.Backend.Requests()
	for _, s := range seen {
		if strings.Contains(s.Header.Get("Authorization"), raw) {
			t.Error("the caller's own token reached the backend")
		}
	}
	other := profile().token
	other.User = "b0b00000-0000-4000-8000-000000000001"
	if resp := with(t, l, l.Token(t, other)); resp.StatusCode != 200 {
		t.Fatalf("got %s, want 200", resp.Status)
	}
	seen = l.Backend.Requests()
	if first, last := claimsOf(seen[0].Header.Get("Authorization")), claimsOf(seen[5].Header.Get("Authorization")); first["oid"] == last["oid"] {
		t.Errorf("got one user's token for another: %v", last["oid"])
	}
}

func TestWhatEntraSaysOfAnExchangeIsToldToTheRightOne(t *testing.T) {
	const claims = `{"access_token":{"polids":{"essential":true,"values":["9ab03e19-ed42-4168-b6b7-7001fb3e933a"]}}}`
	capable := profile().token
	capable.Claims = map[string]any{"xms_cc": []string{"cp1"}}
	for name, c := range map[string]struct {
		says   issuer.Complaint
		token  issuer.Token
		status int
		code   string
	}{
		"the user must do more, and the client can ask": {issuer.Complaint{Word: "interaction_required", Number: 50076, Claims: claims}, capable, 401, "insufficient_claims"},
		"the user must do more, and the client can't":   {issuer.Complaint{Word: "interaction_required", Number: 50076, Claims: claims}, profile().token, 403, "interaction_required"},
		"the user must do more, but it isn't said what": {issuer.Complaint{Word: "interaction_required", Number: 50079}, capable, 403, "interaction_required"},
		"nobody consented":                        {issuer.Complaint{Word: "invalid_grant", Suberror: "consent_required", Number: 65001}, capable, 403, "consent_required"},
		"the token was revoked":                   {issuer.Complaint{Word: "invalid_grant", Number: 50173}, capable, 401, "token_not_exchangeable"},
		"the registration's proof is wrong":       {issuer.Complaint{Status: 401, Word: "invalid_client", Number: 7000215}, capable, 503, "credential_unavailable"},
		"the contract asks for what there is not": {issuer.Complaint{Word: "invalid_scope", Number: 70011}, capable, 503, "credential_unavailable"},
		"Entra is busy":                           {issuer.Complaint{Status: 429, Word: "temporarily_unavailable"}, capable, 503, "credential_unavailable"},
		"a word that is none":                     {issuer.Complaint{Word: "hunter2 HUNTER2"}, capable, 503, "credential_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			l := example(t)
			l.Issuer.Complain(&c.says)
			resp := with(t, l, l.Token(t, c.token))
			event := l.Event(t, resp.Header.Get("X-Correlation-Id"))
			if resp.StatusCode != c.status || event.Code != c.code || l.Backend.Count() != 0 || strings.Contains(event.Cause, "hunter2") {
				t.Errorf("got %s %s (%s) and %d calls of the backend, want %d %s and none", resp.Status, event.Code, event.Cause, l.Backend.Count(), c.status, c.code)
			}
			challenge := resp.Header.Get("WWW-Authenticate")
			if told := strings.Contains(challenge, base64.StdEncoding.EncodeToString([]byte(claims))); told != (c.code == "insufficient_claims") {
				t.Errorf("got the challenge %q, want Entra's claims where the client can use them only", challenge)
			}
		})
	}
}

// proved is the example estate in which the profile's registration proves itself otherwise.
func proved(t *testing.T, by string) *lab.Lab {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(lab.Root(t), "contracts"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "profile.yaml")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.Replace(string(text), "federated: true", by, 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return lab.InProcess(t, dir)
}

func TestTheRegistrationProvesItselfByASecretOrACertificateThatRotates(t *testing.T) {
	for name, by := range map[string]string{"secret": `clientSecret: "${secret:main/profile-app}"`, "certificate": `certificate: "${secret:main/profile-app}"`} {
		t.Run(name, func(t *testing.T) {
			l := proved(t, by)
			granted(t, l, profile())
			if err := l.Rotate(l.API(t, "profile")); err != nil { // Entra takes the new one only
				t.Fatal(err)
			}
			refused(t, l, profile())
			l.Pass(5 * time.Minute)
			granted(t, l, profile())
			l.Pass(2 * time.Hour)
			l.Vault.Fail(faults.Fault{Kind: faults.Status})
			refused(t, l, profile())
		})
	}
}
