package issuer_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"tollgate/localrun/issuer"
)

// A gateway that pins RS256 must refuse these for their alg alone, so their signatures have to be right.
func TestOtherRSAAlgorithmsAreSignedAsTheHeaderPromises(t *testing.T) {
	s := start(t)
	provider, err := oidc.NewProvider(oidc.ClientContext(t.Context(), s.client), s.url+"/"+home+"/v2.0")
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{"RS384", "RS512", "PS256", "PS384", "PS512"} {
		verifier := provider.Verifier(&oidc.Config{ClientID: ordersID, Now: noon, SupportedSigningAlgs: []string{alg}})
		text := s.mint(t, issuer.Token{API: "orders", Header: map[string]any{"alg": alg}})
		if _, err := verifier.Verify(t.Context(), text); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// A verifier that takes the public key's PEM for a shared secret would accept this.
func TestTheConfusionAttackUsesThePublishedKeyAsItsSecret(t *testing.T) {
	s := start(t)
	text := s.mint(t, issuer.Token{API: "orders", Header: map[string]any{"alg": "HS256"}})
	_, body := s.status(t, keysPath)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(body), &set); err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(set.Keys[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(text[:strings.LastIndexByte(text, '.')]))
	if _, _, signature := parts(t, text); !hmac.Equal(mac.Sum(nil), signature) {
		t.Errorf("signature: got %x, want %x", signature, mac.Sum(nil))
	}
}
