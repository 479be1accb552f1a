package refusal_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/shared/refusal"
)

var (
	validateJWT   = refusal.Style{APIM: true, Address: "https://api.example/orders"}
	validateEntra = refusal.Style{APIM: true, Address: "https://api.example/orders", EntraOnly: true}
)

func no(kind refusal.Kind, code string) *refusal.Refusal { return refusal.New(kind, code, "Our text.") }

func unauthenticated(code string) *refusal.Refusal { return no(refusal.Unauthenticated, code) }

func tooMany(code string, after time.Duration) *refusal.Refusal {
	return no(refusal.TooMany, code).Retry(after)
}

func atAddress(a string, blocked bool) *refusal.Refusal {
	r := no(refusal.Forbidden, "address_not_allowed")
	r.Challenge, r.Facts.Blocked = nil, blocked
	r.Facts.Address, _ = netip.ParseAddr(a) // "" is unknown
	return r
}

const (
	askKey      = `AzureApiManagementKey realm="https://api.example/orders",name="Ocp-Apim-Subscription-Key",type="header"`
	askToken    = `Bearer realm="contoso"`
	badToken    = `Bearer realm="contoso", error="invalid_token", error_description="Our text."`
	smallToken  = `Bearer realm="contoso", error="insufficient_scope", error_description="Our text."`
	missingKey  = `{ "statusCode": 401, "message": "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API." }`
	invalidKey  = `{ "statusCode": 401, "message": "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription." }`
	serverError = `{ "statusCode": 500, "message": "Internal server error", "activityId": "0badc0de-0000-4000-8000-00000000cafe" }`
)

// envelopes are the rows of apim.md §2 whose text is given there, each byte for byte.
var envelopes = map[string]struct {
	style     refusal.Style
	r         *refusal.Refusal
	status    int
	body      string
	challenge string
	retry     string
}{
	"no operation":                       {style: validateJWT, r: no(refusal.NotFound, "no_route"), status: 404, body: `{ "statusCode": 404, "message": "Resource not found" }`},
	"no operation: the method":           {style: validateJWT, r: no(refusal.MethodNotAllowed, "method_not_allowed"), status: 404, body: `{ "statusCode": 404, "message": "Resource not found" }`},
	"unhandled fault":                    {style: validateJWT, r: no(refusal.Internal, "gateway_failed"), status: 500, body: serverError},
	"forward-request, no connection":     {style: validateJWT, r: no(refusal.BadGateway, "backend_unreachable"), status: 500, body: serverError},
	"forward-request, timeout":           {style: validateJWT, r: no(refusal.GatewayTimeout, "backend_timeout"), status: 500, body: serverError},
	"authorization, no key":              {style: validateJWT, r: unauthenticated("key_missing"), status: 401, body: missingKey, challenge: askKey},
	"authorization, no key, renamed":     {style: refusal.Style{APIM: true, KeyHeader: "X-Key"}, r: unauthenticated("key_missing"), status: 401, body: missingKey, challenge: `AzureApiManagementKey realm="contoso",name="X-Key",type="header"`},
	"authorization, a bad key":           {style: validateEntra, r: unauthenticated("key_invalid"), status: 401, body: invalidKey, challenge: askKey},
	"authorization, an expired key":      {style: validateEntra, r: unauthenticated("key_expired"), status: 401, body: invalidKey, challenge: askKey},
	"validate-jwt, absent":               {style: validateJWT, r: unauthenticated("token_missing").Challenging(refusal.Challenge{}), status: 401, body: `{ "statusCode": 401, "message": "JWT not present." }`, challenge: askToken},
	"validate-jwt, signature":            {style: validateJWT, r: unauthenticated("bad_signature"), status: 401, body: `{ "statusCode": 401, "message": "Our text. Access denied." }`, challenge: badToken},
	"validate-jwt, audience":             {style: validateJWT, r: unauthenticated("wrong_audience"), status: 401, body: `{ "statusCode": 401, "message": "Our text. Access denied." }`, challenge: badToken},
	"validate-jwt, issuer":               {style: validateJWT, r: unauthenticated("issuer_not_trusted"), status: 401, body: `{ "statusCode": 401, "message": "Our text. Access denied." }`, challenge: badToken},
	"validate-jwt, issuer of a tenant":   {style: validateJWT, r: no(refusal.Forbidden, "tenant_not_allowed"), status: 401, body: `{ "statusCode": 401, "message": "Our text. Access denied." }`, challenge: smallToken},
	"validate-jwt, expired":              {style: validateJWT, r: unauthenticated("token_expired"), status: 401, body: `{ "statusCode": 401, "message": "Our text. Access denied." }`, challenge: badToken},
	"validate-jwt, kid unresolved":       {style: validateJWT, r: unauthenticated("unknown_key"), status: 401, body: `{ "statusCode": 401, "message": "Our text. Access denied." }`, challenge: badToken},
	"validate-jwt, other":                {style: validateJWT, r: unauthenticated("malformed"), status: 401, body: `{ "statusCode": 401, "message": "Our text." }`, challenge: badToken},
	"validate-jwt, claims absent":        {style: validateJWT, r: no(refusal.Forbidden, "claim_required").Knowing(refusal.Facts{Missing: []string{"dept", "site"}}), status: 401, body: `{ "statusCode": 401, "message": "JWT token is missing the following claims: dept, site Access denied." }`, challenge: smallToken},
	"validate-jwt, claim value":          {style: validateJWT, r: no(refusal.Forbidden, "insufficient_role").Knowing(refusal.Facts{Claim: "roles", Value: "Reader"}), status: 401, body: `{ "statusCode": 401, "message": "Claim roles value of Reader is not allowed. Access denied." }`, challenge: smallToken},
	"validate-jwt, whose":                {style: validateJWT, r: no(refusal.Forbidden, "wrong_principal_type"), status: 401, body: `{ "statusCode": 401, "message": "Our text." }`, challenge: smallToken},
	"validate-azure-ad-token, absent":    {style: validateEntra, r: unauthenticated("token_missing").Challenging(refusal.Challenge{}), status: 401, body: `{ "statusCode": 401, "message": "Azure AD JWT not present" }`, challenge: askToken},
	"validate-azure-ad-token, signature": {style: validateEntra, r: unauthenticated("bad_signature"), status: 401, body: `{ "statusCode": 401, "message": "Invalid Azure AD JWT" }`, challenge: badToken},
	"validate-azure-ad-token, claim":     {style: validateEntra, r: no(refusal.Forbidden, "claim_required").Knowing(refusal.Facts{Missing: []string{"dept"}}), status: 401, body: `{ "statusCode": 401, "message": "Invalid Azure AD JWT" }`, challenge: smallToken},
	"validate-azure-ad-token, client":    {style: validateEntra, r: no(refusal.Forbidden, "client_not_allowed"), status: 401, body: `{ "statusCode": 401, "message": "Invalid Azure AD JWT" }`, challenge: smallToken},
	"rate-limit":                         {style: validateJWT, r: tooMany("rate_exceeded", 25100*time.Millisecond), status: 429, body: `{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 26 seconds." }`, retry: "26"},
	"rate-limit, one second":             {style: validateJWT, r: tooMany("rate_exceeded", time.Second), status: 429, body: `{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 1 seconds." }`, retry: "1"},
	"quota, calls":                       {style: validateJWT, r: tooMany("quota_exceeded", 7*time.Hour+time.Minute+20*time.Second), status: 403, body: `{ "statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 07:01:20." }`, retry: "25280"},
	"quota, calls, below a day":          {style: validateJWT, r: tooMany("quota_exceeded", 24*time.Hour-time.Second), status: 403, body: `{ "statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 23:59:59." }`, retry: "86399"},
	"quota, calls, a day":                {style: validateJWT, r: tooMany("quota_exceeded", 24*time.Hour-time.Millisecond), status: 403, body: `{ "statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 1.00:00:00." }`, retry: "86400"},
	"quota, calls, for weeks":            {style: validateJWT, r: tooMany("quota_exceeded", 20*24*time.Hour+9*time.Hour+58*time.Minute+55*time.Second), status: 403, body: `{ "statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 20.09:58:55." }`, retry: "1763935"},
	"quota, calls, never":                {style: validateJWT, r: no(refusal.TooMany, "quota_exceeded"), status: 403, body: `{ "statusCode": 403, "message": "Out of call volume quota. Quota will be replenished in 00:00:00." }`},
	"quota, bandwidth":                   {style: validateJWT, r: tooMany("bandwidth_exceeded", 90*time.Second), status: 403, body: `{ "statusCode": 403, "message": "Out of bandwidth quota. Quota will be replenished in 00:01:30." }`, retry: "90"},
	"ip-filter, not in the allow list":   {style: validateJWT, r: atAddress("203.0.113.7", false), status: 403, body: `{ "statusCode": 403, "message": "Caller IP address 203.0.113.7 is not allowed. Access denied." }`},
	"ip-filter, in the forbid list":      {style: validateJWT, r: atAddress("203.0.113.7", true), status: 403, body: `{ "statusCode": 403, "message": "Caller IP address is blocked. Access denied." }`},
	"ip-filter, unknown":                 {style: validateJWT, r: atAddress("", false), status: 403, body: `{ "statusCode": 403, "message": "Failed to establish IP address for the caller. Access denied." }`},

	// What the table has no text for.
	"check-header":               {style: validateJWT, r: no(refusal.Malformed, "header_required"), status: 400, body: `{ "statusCode": 400, "message": "Our text." }`},
	"two credentials":            {style: validateEntra, r: no(refusal.Malformed, "multiple_credentials"), status: 400, body: `{ "statusCode": 400, "message": "Our text." }`},
	"keys that can't be had":     {style: validateEntra, r: no(refusal.Unavailable, "keys_unavailable").Retry(time.Second), status: 503, body: `{ "statusCode": 503, "message": "Our text." }`, retry: "1"},
	"a stronger sign-in":         {style: validateEntra, r: unauthenticated("insufficient_claims"), status: 401, body: `{ "statusCode": 401, "message": "Our text." }`, challenge: badToken},
	"no stronger sign-in":        {style: validateEntra, r: no(refusal.Forbidden, "step_up_required"), status: 403, body: `{ "statusCode": 403, "message": "Our text." }`, challenge: smallToken},
	"a flood":                    {style: validateEntra, r: tooMany("too_many_refused", time.Second), status: 429, body: `{ "statusCode": 429, "message": "Our text." }`, retry: "1"},
	"a key that nothing asks of": {style: validateEntra, r: no(refusal.Unavailable, "key_store_down"), status: 503, body: `{ "statusCode": 503, "message": "Our text." }`},
}

func TestEveryRowOfAPIManagementsTable(t *testing.T) {
	for name, c := range envelopes {
		t.Run(name, func(t *testing.T) {
			for _, head := range []bool{false, true} {
				w, body := httptest.NewRecorder(), c.body
				about := refusal.About{Realm: "contoso", Correlation: "0badc0de00004000800000000000cafe", Head: head, Style: c.style}
				status := refusal.Write(w, about, c.r.Because(errors.New("oid 4711 at backend.internal")))
				if head {
					body = ""
				}
				if w.Code != c.status || status != c.status || w.Body.String() != body {
					t.Errorf("got %d (told %d) %s\nwant %d %s", w.Code, status, w.Body, c.status, body)
				}
				for header, want := range map[string]string{
					"Content-Type": "application/json", "Content-Length": strconv.Itoa(len(c.body)), "WWW-Authenticate": c.challenge, "Retry-After": c.retry,
					"Cache-Control": "no-store", "X-Correlation-Id": about.Correlation,
				} {
					if got := strings.Join(w.Header().Values(header), "; "); got != want {
						t.Errorf("got %s %s, want %s", header, got, want)
					}
				}
			}
		})
	}
}

func TestAMessageStaysWithinItsText(t *testing.T) {
	for value, want := range map[string]string{
		`a"b\c`:                       `a\"b\\c`,
		"a\r\nb\x00\x1f\t":            `a\r\nb\u0000\u001f\t`,
		"<script>&'/é漢":               "<script>&'/é漢",
		`", "statusCode": 200, "x":"`: `\", \"statusCode\": 200, \"x\":\"`,
		"\xff":                        `\ufffd`,
	} {
		w := httptest.NewRecorder()
		r := no(refusal.Forbidden, "claim_required").Knowing(refusal.Facts{Claim: value, Value: value})
		refusal.Write(w, refusal.About{Correlation: "c-1", Style: validateJWT}, r)
		if got, want := w.Body.String(), `{ "statusCode": 401, "message": "Claim `+want+` value of `+want+` is not allowed. Access denied." }`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		var body struct{ Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Message != "Claim "+strings.ToValidUTF8(value, "�")+" value of "+strings.ToValidUTF8(value, "�")+" is not allowed. Access denied." {
			t.Errorf("got %q, %v, want the value back", body.Message, err)
		}
	}
}

func TestFactsStayOutOfAProblemDocument(t *testing.T) {
	w := httptest.NewRecorder()
	status := refusal.Write(w, about, no(refusal.Forbidden, "claim_required").
		Knowing(refusal.Facts{Missing: []string{"fact-1"}, Claim: "fact-2", Value: "fact-3", Address: netip.MustParseAddr("203.0.113.7"), Blocked: true}))
	var all strings.Builder
	_ = w.Header().Write(&all)
	all.Write(w.Body.Bytes())
	if status != http.StatusForbidden || strings.Contains(all.String(), "fact-") || strings.Contains(all.String(), "203.0.113.7") {
		t.Errorf("got %d %s, want 403 and no facts", status, all.String())
	}
}

func TestAnIDThatIsNoGUIDStaysAsItIs(t *testing.T) {
	w := httptest.NewRecorder()
	refusal.Write(w, refusal.About{Correlation: `c-"1`, Style: validateJWT}, no(refusal.Internal, "gateway_failed"))
	if got, want := w.Body.String(), `{ "statusCode": 500, "message": "Internal server error", "activityId": "c-\"1" }`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
