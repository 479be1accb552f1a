package token

import (
	"net/http"
	"testing"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

func TestKnownIsWhatCostsNoSignatureCheck(t *testing.T) {
	s := start(t)
	accepts := []contract.Accepted{s.acceptedV1(), s.acceptedV2()}
	ask := func(known []contract.Accepted, values ...string) bool {
		r := &http.Request{Header: http.Header{"Authorization": values}}
		return s.trust.Known(known, contract.Proof{})(t.Context(), &pipeline.Call{Request: r})
	}
	tok := "Bearer " + s.mint(t, appsToken("v2"))
	if ask(accepts, tok) {
		t.Error("a token never seen is known")
	}
	assertVerdict(t, present(t, s.stage, tok), "granted")
	if !ask(accepts, tok) {
		t.Error("a token just verified isn't known")
	}
	if ask([]contract.Accepted{s.acceptedV1()}, tok) {
		t.Error("a token of an issuer that this API doesn't accept is known")
	}
	if ask(accepts, tok+"x") || ask(accepts, "Bearer "+s.mint(t, appsToken("v1"))) {
		t.Error("another text is known")
	}
	if !ask(accepts) || !ask(accepts, "Basic dTpw") || !ask(accepts, tok, tok) {
		t.Error("a call without one token to verify would cost a signature check")
	}
	s.clock.pass(2 * freshFor) // expired: refused without a signature check
	assertVerdict(t, present(t, s.stage, tok), "401 token_expired")
	if !ask(accepts, tok) {
		t.Error("an expired token isn't known any more")
	}
}
