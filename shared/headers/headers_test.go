package headers_test

import (
	"net/http"
	"testing"

	"tollgate/shared/contract"
	"tollgate/shared/headers"
	"tollgate/shared/pipeline"
)

func TestWhatIsNotDemandedIsNotLookedAt(t *testing.T) {
	stage := headers.Require(nil)
	if got := stage(t.Context(), &pipeline.Call{Request: &http.Request{Header: http.Header{"X-A": {"1", "2"}}}}); got != nil {
		t.Errorf("got %+v, want no refusal", got)
	}
}

// A server may keep names as they were sent.
func TestANameCountsInAnyCase(t *testing.T) {
	stage := headers.Require([]contract.RequiredHeader{{Name: "X-Api-Version", Values: []string{"1"}, Rule: "headers.X-Api-Version"}})
	for want, h := range map[string]http.Header{
		"":                    {"x-api-version": {"1"}},
		"header_required":     {"X-Api-Versions": {"1"}, "X-Api": {"1"}},
		"header_not_accepted": {"x-api-version": {"1"}, "X-Api-Version": {"1"}},
	} {
		got := ""
		if r := stage(t.Context(), &pipeline.Call{Request: &http.Request{Header: h}}); r != nil {
			got = r.Code
		}
		if got != want {
			t.Errorf("%v: got %q, want %q", h, got, want)
		}
	}
}

func TestOnlySomeHeadersMustStandAlone(t *testing.T) {
	for name, refused := range map[string]bool{"Content-Type": true, "X-Functions-Key": true, "Accept": false, "Cookie": false, "Origin": false} {
		if got := headers.Single(http.Header{name: {"a", "b"}}); (got != nil) != refused {
			t.Errorf("%s twice: got %+v, want refused %t", name, got, refused)
		}
	}
}
