package issuer_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"tollgate/localrun/issuer"
)

// kids reads a tenant's published kids, in order.
func (s stand) kids(t *testing.T, tenant string) []string {
	t.Helper()
	_, set := s.call(t, "GET", "/"+tenant+"/discovery/v2.0/keys", "", nil)
	var all []string
	for _, key := range set["keys"].([]any) {
		all = append(all, key.(map[string]any)["kid"].(string))
	}
	return all
}

func TestOnlyV2KeysNameTheirIssuer(t *testing.T) {
	s := start(t)
	for path, want := range map[string]any{"/discovery/keys": nil, "/discovery/v2.0/keys": s.url + "/" + home + "/v2.0"} {
		_, set := s.call(t, "GET", "/"+home+path, "", nil)
		key := set["keys"].([]any)[0].(map[string]any)
		if key["issuer"] != want {
			t.Errorf("%s: issuer: got %v, want %v", path, key["issuer"], want)
		}
		if key["kid"] != key["x5t"] || key["use"] != "sig" || key["kty"] != "RSA" || key["alg"] != nil {
			t.Errorf("%s: got %v", path, key)
		}
		text, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		// go-jose compares the certificate with the key and with its thumbprint.
		var parsed jose.JSONWebKey
		if err := parsed.UnmarshalJSON(text); err != nil || !parsed.Valid() || len(parsed.Certificates) != 1 {
			t.Errorf("%s: got %v, want a valid key with its certificate", path, err)
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi"} {
			if key[private] != nil {
				t.Errorf("%s: the private member %s is published", path, private)
			}
		}
	}
}

func TestATenantHasOneKeyHoweverManyAskFirst(t *testing.T) {
	s := start(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := s.Mint(issuer.Token{API: "orders"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := s.kids(t, home); len(got) != 1 {
		t.Errorf("got %d keys, want 1", len(got))
	}
	if s.kids(t, home)[0] == s.kids(t, other)[0] {
		t.Error("two tenants share a key")
	}
}

func TestRotationKeepsOldKeysOrWithdrawsThem(t *testing.T) {
	s := start(t)
	rotate := func(keepOld bool) string {
		t.Helper()
		kid, err := s.Rotate("", keepOld)
		if err != nil {
			t.Fatal(err)
		}
		return kid
	}
	first := s.kids(t, home)[0]
	second := rotate(true)
	if diff := cmp.Diff([]string{first, second}, s.kids(t, home)); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	header, _, _ := parts(t, s.mint(t, issuer.Token{API: "orders"}))
	if header["kid"] != second {
		t.Errorf("kid: got %v, want the new key %s", header["kid"], second)
	}
	third := rotate(false)
	if diff := cmp.Diff([]string{third}, s.kids(t, home)); diff != "" {
		t.Errorf("withdrawn (-want +got):\n%s", diff)
	}
	header, _, _ = parts(t, s.mint(t, issuer.Token{API: "orders", Key: first}))
	if header["kid"] != first {
		t.Errorf("kid: got %v, want the withdrawn key %s", header["kid"], first)
	}
	if _, err := s.Rotate("nobody", true); err == nil {
		t.Error("got no error for an unknown tenant")
	}
}

func TestAStrangersKeyIsNeverPublished(t *testing.T) {
	s := start(t)
	header, _, _ := parts(t, s.mint(t, issuer.Token{API: "orders", Key: "stranger"}))
	if got := s.kids(t, home); len(got) != 1 || got[0] == header["kid"] {
		t.Errorf("got %v published, want one that is not %v", got, header["kid"])
	}
}
