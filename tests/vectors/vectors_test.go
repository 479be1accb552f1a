package vectors_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	_ "crypto/sha256" // for crypto.Hash
	_ "crypto/sha512"

	jose "github.com/go-jose/go-jose/v4"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/token"
	"tollgate/tests/vectors"
)

const (
	issuer   = "https://vectors.example"
	audience = "api://vectors"
)

// publisher is an issuer that publishes a vector's keys, without a network.
type publisher []json.RawMessage

func (p publisher) RoundTrip(r *http.Request) (*http.Response, error) {
	document := any(map[string]any{"keys": p})
	if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		document = map[string]any{"issuer": issuer, "jwks_uri": issuer + "/keys"}
	}
	text, err := json.Marshal(document)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(text)), Request: r}, err
}

func now() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// verify sends a token to a gateway's trust in the vector's keys, which allows
// every algorithm that a contract can allow.
func verify(t *testing.T, v vectors.Vector, raw string) *refusal.Refusal {
	t.Helper()
	is := contract.TrustedIssuer{Name: "vectors", Issuer: issuer, Discovery: issuer, Profile: contract.ProfileOAuth}
	plan := &contract.Plan{
		Algorithms: []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"},
		Issuers:    []contract.TrustedIssuer{is},
		Keys:       contract.KeyTimes{Refresh: contract.DefaultRefresh, Refetch: contract.DefaultRefetch, MaxStale: contract.DefaultMaxStale},
	}
	stage := token.NewTrust(plan, publisher(v.Keys), now, token.Options{}).Verify([]contract.Accepted{{Issuer: is, Audiences: []string{audience}}}, contract.Proof{})
	call := &pipeline.Call{Request: &http.Request{Method: http.MethodGet, Header: http.Header{"Authorization": {"Bearer " + raw}}}}
	refused := stage(t.Context(), call)
	if (refused == nil) != (call.Identity != nil) {
		t.Errorf("refused %v with the identity %v, want exactly one", refused, call.Identity)
	}
	return refused
}

// None of the vectors says who calls, so none may pass, whatever its signature is
// worth. What it is worth is judged in shared/token, where a signature can be
// looked at without its claims.
func TestNoVectorIsAnAccessToken(t *testing.T) {
	for _, file := range append(vectors.Files(), vectors.Encrypted()) {
		codes := map[string]int{}
		for _, v := range vectors.Read(t, file) {
			refused := verify(t, v, v.Token)
			if refused == nil || refused.Kind != refusal.Unauthenticated {
				t.Errorf("%s %s %s: got %+v, want 401", v.Name(), v.Group, v.Comment, refused)
				continue
			}
			codes[refused.Code]++
		}
		t.Logf("%s: %v", file, codes)
	}
}

// Each valid vector's header and key, over claims that say who calls.
func TestClaimsUnderAValidVectorsHeaderAndKeyAreGranted(t *testing.T) {
	granted := 0
	for _, file := range vectors.Files() {
		for _, v := range vectors.Read(t, file) {
			if !v.Valid || strings.Contains(vectors.Difference(v), "HMAC") || strings.Contains(vectors.Difference(v), "JWE") {
				continue
			}
			t.Run(v.Name()+" "+v.Group+" "+v.Comment, func(t *testing.T) {
				refused := verify(t, v, signedAnew(t, v))
				switch {
				case strings.Contains(vectors.Difference(v), "own alg"):
					if refused == nil || refused.Code != "bad_signature" {
						t.Errorf("got %+v, want bad_signature: %s", refused, vectors.Difference(v))
					}
				case refused != nil:
					t.Errorf("got %s, want it granted", refused.Code)
				default:
					granted++
				}
			})
		}
	}
	t.Logf("%d granted", granted)
}

// A key that must not be used isn't, even for a token that nothing else is wrong with.
func TestClaimsUnderAnInvalidVectorsKeyAreRefused(t *testing.T) {
	tried := 0
	for _, v := range vectors.Read(t, "json_web_key_test") {
		if v.Valid || strings.HasPrefix(v.Token, "{") {
			continue
		}
		raw, err := resign(v)
		if err != nil { // a key that can't even sign; shared/token judges the vector itself
			continue
		}
		tried++
		t.Run(v.Name()+" "+v.Group, func(t *testing.T) {
			if refused := verify(t, v, raw); refused == nil {
				t.Error("is granted, want it refused")
			}
		})
	}
	t.Logf("%d keys of invalid vectors can sign", tried)
}

func signedAnew(t *testing.T, v vectors.Vector) string {
	t.Helper()
	raw, err := resign(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// resign keeps the vector's header as it is written, and signs claims under it.
func resign(v vectors.Vector) (string, error) {
	head, _, _ := strings.Cut(v.Token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return "", err
	}
	var header struct{ Alg, Kid string }
	if err := json.Unmarshal(text, &header); err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": issuer, "aud": audience, "exp": now().Add(time.Hour).Unix(), "iat": now().Unix(), "sub": "someone", "client_id": "client",
	})
	if err != nil {
		return "", err
	}
	signed := head + "." + base64.RawURLEncoding.EncodeToString(claims)
	for _, raw := range v.Private {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) != nil || key.KeyID != header.Kid {
			continue
		}
		signature, err := sign(key.Key, header.Alg, []byte(signed))
		return signed + "." + base64.RawURLEncoding.EncodeToString(signature), err
	}
	return "", errors.New("no private key has the token's kid")
}

func sign(key any, alg string, text []byte) ([]byte, error) {
	hash, known := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	if !known {
		return nil, errors.New("no such algorithm")
	}
	h := hash.New()
	h.Write(text)
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if alg[0] == 'P' { // RFC 7518 §3.5: the salt is as long as the hash
			return rsa.SignPSS(rand.Reader, key, hash, h.Sum(nil), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(rand.Reader, key, hash, h.Sum(nil))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, h.Sum(nil))
		if err != nil {
			return nil, err
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
	}
	return nil, errors.New("no key to sign with")
}
