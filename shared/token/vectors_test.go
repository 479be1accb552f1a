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
			t.Run(fmt.Sprintf("%s %s %s", v.Name(), v.Group, v.Comment), func(t *testing.T) {
				code := judged(t, v)
				agree, reason := v.Valid == (code == ""), vectors.Difference(v)
				switch {
				case !agree && reason == "":
					t.Errorf("got %q (empty: accepted) for a token whose validity is %t", code, v.Valid)
				case !agree:
					differing[reason]++
				case reason != "":
					t.Errorf("agrees with the vector, but is listed as a difference: %s", reason)
				case v.Valid:
					valid++
				default:
					invalid++
				}
			})
		}
	}
	for reason, n := range differing {
		t.Logf("%d differ on purpose: %s", n, reason)
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
