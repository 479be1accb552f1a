package token

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"tollgate/shared/refusal"
	"tollgate/tests/vectors"
)

// allAlgorithms are those that a contract can allow: the widest setting there is.
func allAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// TestPublicVectors judges each vector by its text, header, key and signature,
// which is all of read and verify but for the payload: theirs are not claims.
// tests/vectors sends the same through Verify.
func TestPublicVectors(t *testing.T) {
	valid, invalid, differing := 0, 0, map[string]int{}
	for _, file := range vectors.Files() {
		for _, v := range vectors.Read(t, file) {
			t.Run(fmt.Sprintf("%s %d %s %s", v.File, v.ID, v.Group, v.Comment), func(t *testing.T) {
				got, reason := judged(t, v), differences[v.Name()]
				switch {
				case !v.Valid && got == "":
					t.Error("an invalid token's signature is accepted, want it refused")
				case !v.Valid:
					invalid++
				case reason == "" && got != "":
					t.Errorf("got %s for a valid token, want its signature accepted", got)
				case reason != "" && got == "":
					t.Errorf("is accepted, but listed as refused for this reason: %s", reason)
				case reason != "":
					differing[reason]++
				default:
					valid++
				}
			})
		}
	}
	for reason, n := range differing {
		t.Logf("refused on purpose: %d: %s", n, reason)
	}
	t.Logf("%d valid vectors accepted, %d invalid ones refused", valid, invalid)
}

// judged is the code by which a vector is refused, "" if its signature is good.
func judged(t *testing.T, v vectors.Vector) string {
	t.Helper()
	allowed := map[string]bool{}
	for _, a := range allAlgorithms() {
		allowed[a] = true
	}
	if refused := strictText(v.Token, allowed); refused != nil {
		return refused.Code
	}
	var keys []any
	for _, k := range v.Keys {
		keys = append(keys, json.RawMessage(k))
	}
	p := newIDP(keys...)
	is := p.trusted()
	_, refused := (&issuer{is, newKeySet(is, planOf(allAlgorithms(), is), p, p.clock.Now, Options{})}).checkSignature(t.Context(), v.Token)
	if refused != nil {
		return refused.Code
	}
	return ""
}

// strictText is read without parsing the payload.
func strictText(raw string, allowed map[string]bool) *refusal.Refusal {
	parts, refused := split(raw)
	if refused != nil {
		return refused
	}
	header, err := segment(parts[0])
	if err != nil {
		return malformed("header").Because(err)
	}
	if refused := (&text{}).readHeader(header, allowed); refused != nil {
		return refused
	}
	for _, part := range parts[1:] {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return malformed("base64url").Because(err)
		}
	}
	return nil
}

// differences are the valid vectors that are refused on purpose, each with its reason.
var differences = map[string]string{}
