// Package explain holds what `tollgate explain` and `tollgate matrix` promise.
package explain

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
	"tollgate/tests/desk"
)

// A small estate that uses every word that can refuse.
const (
	ownGateway = `kind: Gateway
name: own
claimsContract: 1
forward:
  X-User-Id: { claim: oid }
  X-Roles: { claim: roles }
  X-Dept: { claim: dept }
`
	ownThings = `kind: API
name: things
owner: things@contoso.example
path: /things
backend: { url: "${backend.things}" }
audience: "api://${tenant}/things"
guests: false
clients: [batch]
scopes: [ { name: Things.Read, consent: user } ]
roles: [ { name: Reader }, { name: Boss } ]
require:
  - { claim: groups, match: any, values: [staff] }
operations:
  - { id: get, match: "GET /{id}", allow: { scopes: [Things.Read], roles: [Reader] } }
  - { id: open, match: "GET /open", public: true }
  - { id: approve, match: "POST /{id}", allow: { scopes: [Things.Read], userRoles: [Boss] }, stepUp: c1 }
`
	ownBatch = `kind: Client
name: batch
owner: things@contoso.example
uses: [ { api: things, roles: [Reader] } ]
credential: { kind: none }
`
	ownProd = `kind: Environment
tenant: 11111111-1111-1111-1111-111111111111
backend: { things: https://things.internal.contoso.example }
clientId: { things: 22222222-2222-2222-2222-222222222222 }
client: { batch: 33333333-3333-3333-3333-333333333333 }
`
	prodTenant = "11111111-1111-1111-1111-111111111111"
	prodClient = "33333333-3333-3333-3333-333333333333"
)

// ownDesk is a desk with that estate as its contracts.
func ownDesk(t *testing.T) desk.Desk {
	t.Helper()
	d := desk.Bare(t)
	for file, text := range map[string]string{"gateway.yaml": ownGateway, "things.yaml": ownThings, "batch.yaml": ownBatch, "environments/prod.yaml": ownProd} {
		d.Write(t, "own/"+file, text)
	}
	return d
}

// asBatch is the client that the estate lists, as the made-up environment binds it.
func asBatch() string { return "--client=" + estate.GUID("client", "batch") }

// account is the whole of what --json prints.
type account struct {
	Method, Path, At, Contracts, Version, Environment string
	API, Operation, Verdict, Code                     string
	Status                                            int
	Stages                                            []struct {
		Stage, Verdict, Code, Detail, Cause, Rule, File string
		Status, Line                                    int
	}
	Forward        map[string]string
	Claims         map[string]any
	ClaimsVerified *bool
}

// read is strict: a member that isn't promised is a change of the promise.
func read[T any](t *testing.T, text string) (v T) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

// entra is the prod tenant's real issuer, as far as tokens and keys show it.
func entra(t *testing.T, now time.Time) *issuer.Issuer {
	t.Helper()
	i, err := issuer.New(issuer.Options{
		Tenants: []string{prodTenant}, BaseURL: "https://login.microsoftonline.com", Now: func() time.Time { return now },
		APIs: []issuer.API{{Name: "things", ClientID: "22222222-2222-2222-2222-222222222222", Roles: []string{"Reader"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// reader is a token that prod's things accept.
func reader(t *testing.T, i *issuer.Issuer) string {
	t.Helper()
	raw, err := i.Mint(issuer.Token{API: "things", Roles: []string{"Reader"}, Client: prodClient, Claims: map[string]any{"groups": "staff"}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// published is the tenant's key set.
func published(t *testing.T, i *issuer.Issuer) string {
	t.Helper()
	w := httptest.NewRecorder()
	i.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+prodTenant+"/discovery/v2.0/keys", nil))
	if w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	return w.Body.String()
}
