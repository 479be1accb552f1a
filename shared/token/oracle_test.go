package token

import (
	"crypto"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"tollgate/shared/pipeline"
)

// folded: does go-oidc, which folds case, take some name for another?
func folded(claims pipeline.Claims) bool {
	for _, known := range []string{"iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "at_hash", "_claim_names", "_claim_sources"} {
		for name := range claims {
			if name != known && strings.EqualFold(name, known) {
				return true
			}
		}
	}
	return false
}

// FuzzVerify has go-oidc's own Verify as the oracle: whatever a stage grants,
// go-oidc accepts too and reads as the same caller, except where it is known to
// misread: it folds case, and refuses some shapes of distributed claims.
func FuzzVerify(f *testing.F) {
	k := edK()
	f.Add(k.header(), claimsText())
	f.Add(`{"alg":"EdDSA","kid":"ed","typ":"JWT","x":[1,{}]}`, swap(f, claimsText(), `"aud":"`+ordersID+`"`, `"aud":["x","`+ordersID+`"]`))
	for _, extra := range []string{`"iat":1795435260`, `"nbf":null`, `"exp":1e10`, `"sub":5`, `"AUD":5`, `"nonce":1`, `"cnf":{}`, `"_claim_names":{}`, `"auth_time":"x"`} {
		f.Add(k.header(), swap(f, claimsText(), "{", "{"+extra+","))
		name, _, _ := strings.Cut(extra[1:], `"`)
		if at := strings.Index(claimsText(), `"`+name+`":`); at > 0 {
			rest := claimsText()[at:]
			f.Add(k.header(), swap(f, claimsText(), rest[:strings.IndexAny(rest, ",}")], extra))
		}
	}
	p := newIDP(k.jwk())
	stage := p.stage("EdDSA")
	oracle := oidc.NewVerifier(idpIssuer, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{k.key.Public()}}, &oidc.Config{
		ClientID: ordersID, SupportedSigningAlgs: []string{"EdDSA"}, SkipExpiryCheck: true, // our skew is another
	})
	f.Fuzz(func(t *testing.T, header, payload string) {
		token := k.token(t, header, payload)
		call, refused := send(t.Context(), stage, "Bearer "+token)
		if refused != nil {
			if refused.Kind.Status() != 401 {
				t.Fatalf("got %s, want a 401", verdictOf(refused))
			}
			return
		}
		claims := call.Identity.Claims
		if _, distributed := claims["_claim_names"]; distributed || claims["_claim_sources"] != nil || folded(claims) {
			return
		}
		theirs, err := oracle.Verify(t.Context(), token)
		if err != nil {
			t.Fatalf("granted, but go-oidc says: %v", err)
		}
		sub, _ := claims["sub"].(string)
		if theirs.Issuer != claims["iss"] || theirs.Subject != sub || !slices.Contains(theirs.Audience, ordersID) || fmt.Sprint(theirs.Expiry.Unix()) != fmt.Sprint(claims["exp"]) {
			t.Fatalf("go-oidc reads %+v, we read %v", theirs, claims)
		}
	})
}
