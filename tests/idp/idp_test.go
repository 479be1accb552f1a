// Package idp holds the gateway against an identity provider that isn't ours:
// oidc-provider, certified, in another language, with another JOSE library.
package idp

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"tollgate/localrun/backend"
	"tollgate/shared/boot"
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/tests/need"
)

const contracts = `kind: Gateway
name: independent
claimsContract: 1
identity: { issuers: [ { name: independent, issuer: "${issuer.independent}" } ] }
forward: { X-Roles: { claim: roles }, X-Client-Id: { claim: client_id }, X-Scopes: { claim: scope } }
`

const api = `kind: API
name: things
owner: tests
path: /things
backend: { url: "${backend.things}" }
audience: api://independent
issuers: [independent]
roles: [ { name: DataReader }, { name: DataWriter } ]
operations:
  - { id: get, match: "GET /{id}", allow: { roles: [DataReader] } }
  - { id: put, match: "PUT /{id}", allow: { roles: [DataWriter] } }
`

// provider is a running oidc-provider.
type provider struct{ issuer string }

func start(t *testing.T) provider {
	t.Helper()
	_, out := need.Node(t, "oidc-provider")
	var said struct{ Issuer string }
	for said.Issuer == "" && out.Scan() {
		_ = json.Unmarshal(out.Bytes(), &said) // other lines are not for us
	}
	if said.Issuer == "" {
		t.Fatal("the provider didn't start")
	}
	return provider{said.Issuer}
}

// token asks for one as any client would.
func (p provider) token(t *testing.T) string {
	t.Helper()
	resp, err := http.PostForm(p.issuer+"/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"caller"}, "client_secret": {"secret"}, "scope": {"things.read"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		t.Fatalf("got %s, %v, want a token", resp.Status, err)
	}
	return answer.AccessToken
}

func (p provider) rotate(t *testing.T) {
	t.Helper()
	resp, err := http.Post(p.issuer+"/_rotate", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// bench is a gateway that trusts the provider, with a clock of its own.
type bench struct {
	*httptest.Server
	backend *backend.Recorder
	ahead   atomic.Int64 // how far its clock is ahead of ours
}

func newBench(t *testing.T, p provider) *bench {
	t.Helper()
	b := &bench{backend: backend.Record(backend.New())}
	back := httptest.NewServer(b.backend)
	t.Cleanup(back.Close)
	environment := fmt.Sprintf("kind: Environment\ntenant: 11111111-1111-1111-1111-111111111111\nbackend: { things: %q }\nissuer: { independent: %q }\n", back.URL, p.issuer)
	estate, faults := contract.Load(fstest.MapFS{
		"gateway.yaml": {Data: []byte(contracts)}, "things.yaml": {Data: []byte(api)}, "environments/test.yaml": {Data: []byte(environment)},
	})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	plan, faults := estate.Plan("test")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	parts := boot.Parts(io.Discard, io.Discard)
	parts.Now = func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }
	b.Server = httptest.NewServer(gateway.Compile(plan, parts))
	t.Cleanup(b.Close)
	return b
}

func (b *bench) call(t *testing.T, method, raw string) (status int, code string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.URL+"/things/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var problem struct{ Code string }
	if resp.StatusCode >= 400 {
		if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode, problem.Code
}

func (b *bench) want(t *testing.T, method, raw string, status int, code string) {
	t.Helper()
	if gotStatus, gotCode := b.call(t, method, raw); gotStatus != status || gotCode != code {
		t.Errorf("got %d %s, want %d %s", gotStatus, gotCode, status, code)
	}
}

func TestTokensOfAnIndependentProvider(t *testing.T) {
	p := start(t)
	b := newBench(t, p)
	raw := p.token(t)

	t.Run("pass", func(t *testing.T) {
		b.want(t, http.MethodGet, raw, 200, "")
		seen := b.backend.Requests()
		if len(seen) != 1 || seen[0].Header.Get("X-Roles") != "DataReader" || seen[0].Header.Get("X-Client-Id") != "caller" {
			t.Errorf("the backend saw %+v", seen)
		}
	})
	t.Run("open only what their roles open", func(t *testing.T) {
		b.want(t, http.MethodPut, raw, 403, "insufficient_role")
	})
	t.Run("don't pass when altered", func(t *testing.T) {
		parts := strings.Split(raw, ".")
		other := strings.Split(p.token(t), ".")
		b.want(t, http.MethodGet, parts[0]+"."+other[1]+"."+parts[2], 401, "bad_signature")
		flipped := "A"
		if strings.HasPrefix(parts[2], "A") {
			flipped = "B"
		}
		b.want(t, http.MethodGet, parts[0]+"."+parts[1]+"."+flipped+parts[2][1:], 401, "bad_signature")
	})
	t.Run("are followed through a rotation on the first request", func(t *testing.T) {
		b.ahead.Add(int64(2 * time.Minute)) // the altered token spent the refetch of its window
		p.rotate(t)
		b.want(t, http.MethodGet, p.token(t), 200, "")
		b.want(t, http.MethodGet, raw, 401, "unknown_key") // the old key is gone
	})
	t.Run("expire", func(t *testing.T) {
		fresh := p.token(t)
		b.want(t, http.MethodGet, fresh, 200, "")
		b.ahead.Add(int64(15 * time.Minute))
		b.want(t, http.MethodGet, fresh, 401, "token_expired")
	})
}
