package cors_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
	"tollgate/shared/cors"
	"tollgate/shared/refusal"
)

const page = "https://app.example"

func asking(origin, method string, headers ...string) http.Header {
	return http.Header{"Origin": {origin}, "Access-Control-Request-Method": {method}, "Access-Control-Request-Headers": headers}
}

func anything(string) *refusal.Refusal { return nil }

func TestAPolicySaysNoMoreThanItsContract(t *testing.T) {
	answer := http.Header{}
	cors.New(contract.PlannedCORS{Origins: []string{page}}).Preflight(answer, asking(page, "GET"), []string{"GET"})
	want := http.Header{"Access-Control-Allow-Origin": {page}, "Access-Control-Allow-Methods": {"GET"}, "Vary": {"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPolicySaysAllThatItsContractSays(t *testing.T) {
	p := cors.New(contract.PlannedCORS{Origins: []string{page}, Headers: []string{"Authorization", "X-A"}, Expose: []string{"X-B", "X-C"}, Credentials: true, MaxAge: 90 * time.Second})
	preflight, actual := http.Header{}, http.Header{}
	p.Preflight(preflight, asking(page, "GET"), []string{"GET", "HEAD"})
	p.Decorate(actual, http.Header{"Origin": {page}})
	for _, c := range []struct{ got, want http.Header }{
		{preflight, http.Header{"Access-Control-Allow-Origin": {page}, "Access-Control-Allow-Credentials": {"true"}, "Access-Control-Allow-Methods": {"GET, HEAD"}, "Access-Control-Allow-Headers": {"Authorization, X-A"},
			"Access-Control-Max-Age": {"90"}, "Vary": {"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}}},
		{actual, http.Header{"Access-Control-Allow-Origin": {page}, "Access-Control-Allow-Credentials": {"true"}, "Access-Control-Expose-Headers": {"X-B, X-C"}}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestTheOriginIsAskedBeforeThePath(t *testing.T) {
	p := cors.New(contract.PlannedCORS{Origins: []string{page}})
	for origin, want := range map[string]string{page: "no_route", "https://evil.example": "origin_not_allowed", page + ".": "origin_not_allowed"} {
		got := p.Check(asking(origin, "GET"), func(string) *refusal.Refusal { return refusal.New(refusal.NotFound, "no_route", "") })
		if got == nil || got.Code != want || got.Challenge != nil {
			t.Errorf("%s: got %+v, want %s without a challenge", origin, got, want)
		}
	}
}

// FuzzAPolicy: nothing but a listed origin, byte for byte, is ever echoed, and a
// preflight passes only with listed headers.
func FuzzAPolicy(f *testing.F) {
	f.Add(page, "authorization, x-a")
	f.Add(page+"/", "X-A")
	f.Add("null", "*")
	f.Add("https://APP.example", "x-a\x00")
	p := cors.New(contract.PlannedCORS{Origins: []string{page, "http://localhost:3000"}, Headers: []string{"Authorization", "X-A"}})
	f.Fuzz(func(t *testing.T, origin, headers string) {
		answer, request := http.Header{}, asking(origin, "GET", headers)
		p.Decorate(answer, request)
		listed := origin == page || origin == "http://localhost:3000"
		if got := answer["Access-Control-Allow-Origin"]; listed != (len(got) == 1) || len(got) == 1 && got[0] != origin || !listed && len(answer) > 0 {
			t.Errorf("%q: got %v", origin, answer)
		}
		refused := p.Check(request, anything)
		if !listed && refused == nil {
			t.Errorf("%q passed", origin)
		}
		rest := strings.NewReplacer("authorization", "", "x-a", "", ",", "", " ", "", "\t", "").Replace(strings.ToLower(headers))
		if rest != "" && refused == nil {
			t.Errorf("the headers %q passed", headers)
		}
	})
}
