package token

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// E106: what a contract asks of tokens that are bound to a key, and of those that aren't.
func TestE106ABoundTokenIsWorthNothingWithoutItsProof(t *testing.T) {
	var none, accepted, required = contract.Proof{}, contract.Proof{DPoP: "accepted"}, contract.Proof{DPoP: "required"}
	certificate := contract.Proof{CertificateHeader: "X-ARR-ClientCert"}
	plain := claimsText()
	bound := func(cnf string) string { return strings.Replace(plain, "{", `{"cnf":`+cnf+`,`, 1) }
	for name, c := range map[string]struct {
		proof           contract.Proof
		payload, scheme string
		want            string
	}{
		"a plain token": {none, plain, "Bearer", "granted"},
		"a plain token where proofs are accepted":     {accepted, plain, "Bearer", "granted"},
		"a plain token where proofs are required":     {required, plain, "Bearer", "401 binding_required"},
		"a plain token under DPoP":                    {accepted, plain, "DPoP", "401 binding_required"},
		"DPoP where it isn't taken":                   {none, plain, "DPoP", "401 token_missing"},
		"a bound token as a bearer token":             {none, bound(`{"jkt":"x"}`), "Bearer", "401 binding_required"},
		"a bound token as one where proofs are taken": {accepted, bound(`{"jkt":"x"}`), "Bearer", "401 binding_required"},
		"a bound token without a proof":               {accepted, bound(`{"jkt":"x"}`), "DPoP", "401 invalid_dpop_proof"},
		"bound by a certificate that nobody asks for": {accepted, bound(`{"x5t#S256":"x"}`), "Bearer", "401 binding_required"},
		"bound by a certificate that isn't there":     {certificate, bound(`{"x5t#S256":"x"}`), "Bearer", "401 certificate_mismatch"},
		"bound in both ways, one can't be proved":     {certificate, bound(`{"x5t#S256":"x","jkt":"y"}`), "Bearer", "401 binding_required"},
		"bound in a way that nobody knows":            {accepted, bound(`{"kid":"x"}`), "DPoP", "401 binding_required"},
		"bound in a known and an unknown way":         {accepted, bound(`{"jkt":"x","kid":"y"}`), "DPoP", "401 binding_required"},
		"bound to nothing":                            {accepted, bound(`{}`), "Bearer", "401 binding_required"},
		"bound to null":                               {none, bound(`null`), "Bearer", "401 binding_required"},
		"bound to a text":                             {none, bound(`"x"`), "Bearer", "401 binding_required"},
		"jkt that isn't text":                         {accepted, bound(`{"jkt":1}`), "DPoP", "401 binding_required"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newIDP(rsaK1().jwk())
			plan := planOf([]string{"RS256"}, p.trusted())
			plan.PublicURL = "https://api.example"
			stage := NewTrust(plan, p, p.clock.Now, Options{}).Verify([]contract.Accepted{{Issuer: p.trusted(), Audiences: []string{ordersID}}}, c.proof)
			r := &http.Request{Method: "GET", Header: http.Header{"Authorization": {c.scheme + " " + rsaK1().token(t, rsaK1().header(), c.payload)}}}
			for range 2 { // the second time from the cache, if it came to that
				refused := stage(t.Context(), &pipeline.Call{Request: r, Path: "/orders/1"})
				assertVerdict(t, verdictOf(refused), c.want)
				if refused != nil && c.proof.DPoP == "required" && refused.Challenge.Scheme != "DPoP" {
					t.Errorf("got the challenge %+v, want DPoP", refused.Challenge)
				}
			}
		})
	}
}
