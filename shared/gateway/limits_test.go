package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/shared/contract"
	"tollgate/shared/limit"
	"tollgate/shared/limit/memory"
	"tollgate/shared/subscription"
)

// atTen is when the limits' clock stands in these tests: ten seconds behind the hour.
func atTen() time.Time { return time.Date(2026, 11, 26, 12, 0, 10, 0, time.UTC) }

// newLimited is keyed with limits of an API, of its operations and of a product.
func newLimited(t testing.TB, more ...string) *keyed {
	t.Helper()
	k := newKeyed(t)
	files := []string{
		"gateway.yaml", gatewayFile("clientAddress: { source: host }", `products:
  partner: { apis: [alone], limits: [ { name: product, quota: 10/day, by: [subscription] } ] }
subscriptionKeys: { header: X-Api-Key, query: api-key }`),
		"orders.yaml", apiText("orders", `  - { id: get, match: "GET /{id}", allow: { scopes: [orders.read] }, limits: [ { name: own, rate: 3/minute, by: ["claim:oid"] } ] }
  - { id: other, match: "GET /{id}/other", allow: { scopes: [orders.read] } }
  - { id: shadow, match: "GET /{id}/shadow", allow: { scopes: [orders.read] }, limits: [ { name: quiet, rate: 1/minute, by: ["claim:oid"], shadow: true } ] }
  - { id: fixed, match: "GET /{id}/fixed", allow: { scopes: [orders.read] }, answer: { status: 200, contentType: text/plain, body: "x" } }`,
			"scopes: [ { name: orders.read, consent: user } ]", `cors: { origins: ["https://app.example"], headers: [Authorization], expose: [RateLimit] }`,
			`limits: [ { name: all-of-it, quota: 6/day, by: ["claim:oid"] } ]`),
		"alone.yaml", apiText("alone", `  - { id: get, match: "GET /{id}", allow: { key: alone }, limits: [ { name: own, rate: 2/minute, by: [subscription] } ] }
  - { id: other, match: "GET /{id}/other", allow: { key: alone } }`, `limits: [ { name: every, quota: 4/day, by: [subscription] } ]`),
		"environments/test.yaml", contracts["environments/test.yaml"] + "vaults: { main: \"https://v.vault.azure.net\" }\n" +
			"store: { tables: \"https://s.table.core.windows.net\", keyDigest: { vault: main, current: digest } }\n",
	}
	k.parts.Limits = func(contract.PlannedStore) limit.Store { return memory.New(atTen) }
	k.Gateway = Compile(plan(t, "http://"+k.address, append(files, more...)...), k.parts)
	return k
}

// policies are the items of a header of limits.
func policies(h http.Header, name string) []string { return strings.Split(h.Get(name), ", ") }

// ask sends one call and gives its answer and its event's code.
func (k *keyed) ask(t *testing.T, path string, header ...string) (*httptest.ResponseRecorder, string) {
	t.Helper()
	w, _ := k.answer(request(t, "GET", path, header...))
	event, _ := k.events.next(t)
	return w, event.Code
}

func (k *keyed) count(t *testing.T, n int, path string, header ...string) (passed int) {
	t.Helper()
	for range n {
		if w, _ := k.ask(t, path, header...); w.Code == 200 {
			passed++
		}
	}
	return passed
}

func userToken(t *testing.T, user int) string {
	return bearer(mint(t, issuer.Token{API: "orders", Scopes: []string{"orders.read"}, User: fmt.Sprintf("0badf00d-0000-4000-8000-%012d", user)}))
}

// G134: what a grant and a refusal say, and that it is the same.
func TestG134AnswersTellWhatLimitsLeave(t *testing.T) {
	k := newLimited(t)
	w, code := k.ask(t, "/orders/1", userToken(t, 1))
	if got := policies(w.Header(), "RateLimit-Policy"); code != "granted" || !slices.Equal(got, []string{`"all-of-it";q=6;w=86400`, `"own";q=3;w=60`}) {
		t.Errorf("got %s and %q", code, got)
	}
	if got := policies(w.Header(), "RateLimit"); !slices.Equal(got, []string{`"all-of-it";r=5;t=43190`, `"own";r=2;t=50`}) || w.Header().Get("Retry-After") != "" {
		t.Errorf("got %q and %v", got, w.Header())
	}
	k.count(t, 2, "/orders/1", userToken(t, 1))
	w, code = k.ask(t, "/orders/1", userToken(t, 1), "Origin: https://app.example")
	if code != "rate_exceeded" || w.Code != 429 || w.Header().Get("Retry-After") != "50" || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("got %s, %d and %v", code, w.Code, w.Header())
	}
	if got := policies(w.Header(), "RateLimit"); got[len(got)-1] != `"own";r=0;t=50` {
		t.Errorf("got %q, want nothing left for as long as Retry-After says", got)
	}
	if body := w.Body.String(); !strings.Contains(body, `"type":"https://iana.org/assignments/http-problem-types#quota-exceeded"`) || !strings.Contains(body, `"violated-policies":["own"]`) || w.Body.Len() > 1<<10 {
		t.Errorf("got %s", body)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Access-Control-Expose-Headers") != "RateLimit" {
		t.Errorf("got %v, want a refusal that nobody keeps and that a script can read", w.Header())
	}
	if n := k.backend.Count(); n != 3 {
		t.Errorf("the backend heard %d calls, want 3", n)
	}
	h, _ := k.answer(request(t, "HEAD", "/orders/1", userToken(t, 1)))
	if h.Code != 429 || h.Body.Len() != 0 || h.Header().Get("Retry-After") != "50" {
		t.Errorf("got %d with %d bytes for HEAD, want the same and no body", h.Code, h.Body.Len())
	}
}

// One API's limit is one for all its operations; what one limit refuses costs the others nothing.
func TestAnAPIsLimitIsOneForItsOperations(t *testing.T) {
	k := newLimited(t)
	if n := k.count(t, 10, "/orders/1", userToken(t, 1)); n != 3 {
		t.Errorf("got %d granted, want the operation's 3", n)
	}
	if n := k.count(t, 1, "/orders/1/fixed", userToken(t, 1)); n != 1 {
		t.Error("got an answer of the contract's own refused, want it counted and given")
	}
	if n := k.count(t, 10, "/orders/1/other", userToken(t, 1)); n != 2 { // of 6, less 3, less 1: the 7 that were refused cost none
		t.Errorf("got %d granted of what the API has left, want 2", n)
	}
	if n := k.count(t, 10, "/orders/1/other", userToken(t, 2)); n != 6 {
		t.Errorf("got %d granted to another user, want 6", n)
	}
}

// The operation's, the API's and the product's limit hold together.
func TestThreeLimitsOfOneCall(t *testing.T) {
	k := newLimited(t)
	_, key := k.open(t, subscription.Wish{Product: "partner"})
	w, _ := k.ask(t, "/alone/1", key)
	if got := policies(w.Header(), "RateLimit-Policy"); !slices.Equal(got, []string{`"every";q=4;w=86400`, `"own";q=2;w=60`, `"product";q=10;w=86400`}) {
		t.Errorf("got %q, want all three", got)
	}
	if n := k.count(t, 5, "/alone/1", key); n != 1 {
		t.Errorf("got %d more, want the operation's second", n)
	}
	if n := k.count(t, 5, "/alone/1/other", key); n != 2 {
		t.Errorf("got %d of the other operation, want what the API has left", n)
	}
	w, code := k.ask(t, "/alone/1/other", key)
	if code != "quota_exceeded" || !strings.Contains(w.Body.String(), `"violated-policies":["every"]`) || w.Header().Get("Retry-After") != "43190" {
		t.Errorf("got %s %s %v", code, w.Body, w.Header())
	}
	_, own := k.open(t, subscription.Wish{API: "alone"})
	if w, _ := k.ask(t, "/alone/1/other", own); strings.Contains(w.Header().Get("RateLimit"), "product") {
		t.Errorf("got %v for a key of the API alone, want no product's limit", w.Header())
	}
}

func TestALimitInShadowOnlyNotes(t *testing.T) {
	k := newLimited(t)
	for i := range 3 {
		w, _ := k.answer(request(t, "GET", "/orders/1/shadow", userToken(t, 1)))
		event, _ := k.events.next(t)
		if w.Code != 200 || strings.Contains(w.Header().Get("RateLimit"), "quiet") || slices.Contains(event.Marks, "limit_shadow:quiet") != (i > 0) {
			t.Errorf("%d: got %d, %v and the marks %v", i, w.Code, w.Header(), event.Marks)
		}
	}
}

// apim.md §2, the rows of rate-limit and quota, to the byte.
func TestLimitsInAPIManagementsStyle(t *testing.T) {
	k := newLimited(t, "customers.yaml", apiText("customers", `  - { id: rate, match: "GET /rate", public: true, limits: [ { name: a, rate: 1/minute, by: [all] } ] }
  - { id: quota, match: "GET /quota", public: true, limits: [ { name: b, quota: 1/day, by: [all] } ] }
  - { id: week, match: "GET /week", public: true, limits: [ { name: c, quota: 1/week, by: [all] } ] }
  - { id: bytes, match: "GET /bytes", public: true, limits: [ { name: d, quota: 1KiB/day, by: [all] } ] }`, "errors: apim"))
	for path, want := range map[string]struct {
		status      int
		text, retry string
	}{
		"/customers/rate":  {429, `{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 50 seconds." }`, "50"},
		"/customers/quota": {403, `{ "statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 11:59:50." }`, "43190"},
		"/customers/week":  {403, `{ "statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 3.11:59:50." }`, "302390"},
		"/customers/bytes": {403, `{ "statusCode": 403, "message": "Out of bandwidth quota. Quota will be replenished in 11:59:50." }`, "43190"},
	} {
		k.count(t, 4, path+"?bytes=2000")
		w, _ := k.ask(t, path)
		if w.Code != want.status || w.Body.String() != want.text || w.Header().Get("Retry-After") != want.retry || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%s: got %d %s %v", path, w.Code, w.Body, w.Header())
		}
	}
}

// A limit's name is the contract's, of letters, digits and hyphens; a caller's
// values stand in neither header.
func TestNobodyWritesIntoTheHeadersOfLimits(t *testing.T) {
	k := newLimited(t)
	item := regexp.MustCompile(`^"[a-z][a-z0-9-]*";[qr]=\d+(;[wt]=\d+)?$`)
	w, _ := k.ask(t, "/orders/1?header=RateLimit:evil&header=RateLimit-Policy:evil", userToken(t, 3), `RateLimit: "own";r=999`, `X-Evil: ", "own";r=1`)
	for _, name := range []string{"RateLimit", "RateLimit-Policy"} {
		if len(w.Header().Values(name)) != 1 {
			t.Errorf("got %s %q, want one line", name, w.Header().Values(name))
		}
		for _, p := range policies(w.Header(), name) {
			if !item.MatchString(p) {
				t.Errorf("got the item %q in %s", p, name)
			}
		}
	}
	if seen := k.backend.Requests()[0]; seen.Header.Get("RateLimit-Policy") != "" {
		t.Errorf("the backend heard %v", seen.Header)
	}
}

// Retry-After is never sooner than the limit's own reset, whatever part of a second is left.
func TestTheWaitIsRoundedUp(t *testing.T) {
	k := newLimited(t)
	k.parts.Limits = func(contract.PlannedStore) limit.Store {
		return memory.New(func() time.Time { return atTen().Add(1 * time.Nanosecond) })
	}
	k.Gateway = Compile(k.Gateway.plan, k.parts)
	k.count(t, 3, "/orders/1", userToken(t, 1))
	w, _ := k.ask(t, "/orders/1", userToken(t, 1))
	retry, err := strconv.Atoi(w.Header().Get("Retry-After"))
	if err != nil || retry != 50 || !strings.HasSuffix(w.Header().Get("RateLimit"), ";t=50") {
		t.Errorf("got %v, want 49.999999999 s rounded up", w.Header())
	}
}
