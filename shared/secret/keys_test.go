package secret_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/faults"
	"tollgate/shared/assertion"
	"tollgate/shared/secret"
)

var _ assertion.Root = (*secret.Key)(nil)

// key is one of the lab's vault, as the gateway uses it.
func (l lab) key(name string) *secret.Key {
	return secret.NewKey(secret.Vaults{Tokens: l.tokens, Transport: http.DefaultTransport}, l.ref.Vault, name, "id", l.tokens.now)
}

func (l lab) make(t *testing.T, name string) string {
	t.Helper()
	version, err := l.MakeKey(name)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// keysOf asks, and tells each apart by what it is in place of.
func keysOf(t *testing.T, k *secret.Key, want int) []*ecdsa.PublicKey {
	t.Helper()
	keys, err := k.Keys(t.Context())
	if err != nil || len(keys) != want {
		t.Fatalf("got %d keys, %v, want %d", len(keys), err, want)
	}
	return keys
}

func TestTheVaultSignsAndTheKeyStaysThere(t *testing.T) {
	l := begin(t)
	l.make(t, "root")
	k := l.key("root")
	public := keysOf(t, k, 1)[0]
	digest := sha256.Sum256([]byte("text"))
	signature, err := k.Sign(t.Context(), public, digest)
	if err != nil || len(signature) != 64 {
		t.Fatalf("got %d bytes, %v, want r and s", len(signature), err)
	}
	if !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) || l.Signatures("root") != 1 {
		t.Error("the signature isn't the key's")
	}
	if len(l.tokens.asked) == 0 || !strings.HasPrefix(l.tokens.asked[0], "id https://vault.azure.net") {
		t.Errorf("got tokens asked for %q, want the identity's for the vault", l.tokens.asked)
	}
}

// A new version is published before it signs, and an old one after it did.
func TestARotationOverlaps(t *testing.T) {
	l := begin(t)
	l.make(t, "root")
	k := l.key("root")
	first := keysOf(t, k, 1)[0] // the first of all signs at once
	l.pass(time.Hour)
	l.make(t, "root")
	keys := keysOf(t, k, 2)
	if !keys[0].Equal(first) {
		t.Error("a version signs that nobody can have met yet")
	}
	l.pass(secret.Settle + time.Second)
	after := keysOf(t, k, 2)
	if !after[0].Equal(keys[1]) || !after[1].Equal(first) {
		t.Error("got the old version first, want the settled one, and the old one still published")
	}
	if _, err := k.Sign(t.Context(), first, sha256.Sum256(nil)); err != nil {
		t.Errorf("got %v, want the old version to sign for who read the list before", err)
	}
}

func TestADisabledVersionIsNotPublished(t *testing.T) {
	l := begin(t)
	stolen := l.make(t, "root")
	l.pass(time.Hour)
	l.make(t, "root")
	l.pass(time.Hour)
	k := l.key("root")
	keysOf(t, k, 2)
	l.DisableKey("root", stolen)
	keysOf(t, k, 1)
}

func TestOnlyTheNewestVersionsArePublished(t *testing.T) {
	l := begin(t)
	for range 6 {
		l.make(t, "root")
		l.pass(time.Hour)
	}
	keysOf(t, l.key("root"), 4)
}

func TestAKeyThatCanNotBeHadIsAFailureWithoutTheVaultsWords(t *testing.T) {
	for name, c := range map[string]struct {
		with func(*testing.T, lab)
		want string
	}{
		"no such key":          {func(*testing.T, lab) {}, "the vault answered 404 KeyNotFound"},
		"every one disabled":   {func(t *testing.T, l lab) { l.DisableKey("root", l.make(t, "root")) }, "no version of it is enabled"},
		"a vault that is down": {func(t *testing.T, l lab) { l.make(t, "root"); l.Fail(faults.Fault{Kind: faults.Status, Status: 503}) }, "the vault answered 503"},
		"no token":             {func(t *testing.T, l lab) { l.make(t, "root"); l.tokens.fault = errors.New("no identity") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := begin(t)
			c.with(t, l)
			keys, err := l.key("root").Keys(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "was not found in") {
				t.Errorf("got %d keys, %v, want %q", len(keys), err, c.want)
			}
		})
	}
}

func TestAnotherKeyThanTheVaultsIsNotSignedWith(t *testing.T) {
	l := begin(t)
	l.make(t, "root")
	l.make(t, "other")
	other := keysOf(t, l.key("other"), 1)[0]
	k := l.key("root")
	keysOf(t, k, 1)
	if _, err := k.Sign(t.Context(), other, sha256.Sum256(nil)); err == nil {
		t.Error("got a signature, want none")
	}
}

// The list's next page is asked for with a token.
func TestAListThatGoesOnElsewhereIsRefused(t *testing.T) {
	asked := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(other.Close)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Bearer authorization="https://login.example/t", resource="https://vault.azure.net"`)
			w.WriteHeader(401)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"value":[],"nextLink":"%s/keys"}`, other.URL)
	}))
	t.Cleanup(s.Close)
	l := begin(t)
	k := secret.NewKey(secret.Vaults{Tokens: l.tokens, Transport: http.DefaultTransport}, s.URL, "root", "", l.tokens.now)
	if _, err := k.Keys(t.Context()); err == nil || asked > 0 {
		t.Errorf("got %v and %d requests elsewhere, want none", err, asked)
	}
}
