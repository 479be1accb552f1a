package gateway

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/shared/contract"
)

// roundTrip is a backend as it fails.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func failing(api contract.PlannedAPI) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		switch api.Name {
		case "slow":
			<-r.Context().Done()
			return nil, r.Context().Err()
		case "fault":
			panic("mark3d")
		default:
			return nil, errors.New("no connection to 10.1.2.3")
		}
	})
}

// apimStand speaks as API Management does, but for the API public. The API
// manage takes tokens of another issuer too.
func apimStand(t *testing.T) *stand {
	another := `identity: { tokenVersions: [v2], issuers: [ { name: partner, issuer: "https://idp.example" } ] }`
	s := newStand(t, echo(),
		"gateway.yaml", strings.Replace(gatewayFile("errors: apim", "clientAddress: { source: host }"), "identity: { tokenVersions: [v2] }", another, 1),
		"public.yaml", strings.Replace(contracts["public.yaml"], "owner: o", "owner: o\nerrors: problem", 1),
		"manage.yaml", apiText("manage", `  - { id: show, match: "GET /{x}", allow: { roles: [Admin] } }
  - { id: read, match: "GET /as/{x}", allow: { scopes: [read] } }`, "roles: [ { name: Admin } ]", "scopes: [ { name: read, consent: user } ]",
			"issuers: [entra, partner]", "require: [ { claim: dept, match: any, values: [sales] }, { claim: site, match: any, values: [north] } ]"),
		"fenced.yaml", apiText("fenced", `  - { id: get, match: "GET /{id}", public: true }`, `addresses: { allow: ["203.0.113.0/24"], deny: ["203.0.113.66/32"] }`),
		"slow.yaml", strings.Replace(apiText("slow", `  - { id: get, match: "GET /{id}", public: true }`), "\" }", "\", timeout: 10ms }", 1),
		"fault.yaml", apiText("fault", `  - { id: get, match: "GET /{id}", public: true }`),
		"environments/test.yaml", contracts["environments/test.yaml"]+"publicURL: https://api.example\n")
	s.parts.Backends, s.parts.NewID = failing, func() string { return "0badc0de00004000800000000000cafe" }
	s.parts.Report = nil
	s.Gateway = Compile(s.Gateway.plan, s.parts)
	return s
}

const (
	orderToken  = `Bearer realm="contoso", error="invalid_token", error_description="`
	ofOrders    = `resource_metadata="https://api.example/.well-known/oauth-protected-resource/orders"`
	ofManage    = `resource_metadata="https://api.example/.well-known/oauth-protected-resource/manage"`
	noSuch      = `{ "statusCode": 404, "message": "Resource not found" }`
	invalidAD   = `{ "statusCode": 401, "message": "Invalid Azure AD JWT" }`
	serverError = `{ "statusCode": 500, "message": "Internal server error", "activityId": "0badc0de-0000-4000-8000-00000000cafe" }`
)

func TestAPIManagementsEnvelopeByContract(t *testing.T) {
	s := apimStand(t)
	order := func(t2 issuer.Token) string { t2.API = "orders"; return bearer(mint(t, t2)) }
	manage := func(t2 issuer.Token) string { t2.API = "manage"; return bearer(mint(t, t2)) }
	with := func(claims map[string]any) issuer.Token {
		return issuer.Token{Roles: []string{"Admin"}, Claims: claims}
	}
	for name, c := range map[string]struct {
		r         *http.Request
		body      string
		challenge string
		code      string
	}{
		"no API":                 {r: request(t, "GET", "/nowhere"), body: noSuch, code: "no_route"},
		"no operation":           {r: request(t, "GET", "/orders/1/2/3"), body: noSuch, code: "no_route"},
		"no such method":         {r: request(t, "DELETE", "/orders/1"), body: noSuch, code: "method_not_allowed"},
		"a path of two readings": {r: request(t, "GET", "/public/../orders"), body: `{ "statusCode": 400, "message": "The path can be read in more than one way." }`, code: "path_not_canonical"},
		"no connection":          {r: request(t, "GET", "/open/x"), body: serverError, code: "backend_unreachable"},
		"timeout":                {r: request(t, "GET", "/slow/x"), body: serverError, code: "backend_timeout"},
		"fault":                  {r: request(t, "GET", "/fault/x"), body: serverError, code: "gateway_failed"},

		"AD: absent":         {r: request(t, "GET", "/orders/1"), body: `{ "statusCode": 401, "message": "Azure AD JWT not present" }`, challenge: `Bearer realm="contoso", ` + ofOrders, code: "token_missing"},
		"AD: another scheme": {r: request(t, "GET", "/orders/1", "Authorization: Basic eA=="), body: `{ "statusCode": 401, "message": "Azure AD JWT not present" }`, challenge: `Bearer realm="contoso", ` + ofOrders, code: "token_missing"},
		"AD: signature":      {r: request(t, "GET", "/orders/1", order(issuer.Token{Scopes: reader.Scopes, Key: "stranger"})), body: invalidAD, challenge: orderToken + `The token is signed with a key that its issuer doesn't publish.", ` + ofOrders, code: "unknown_key"},
		"AD: expired":        {r: request(t, "GET", "/orders/1", order(issuer.Token{Scopes: reader.Scopes, Lifetime: -time.Hour})), body: invalidAD, challenge: orderToken + `The token has expired.", ` + ofOrders, code: "token_expired"},
		"AD: scope":          {r: request(t, "GET", "/orders/1", order(issuer.Token{Scopes: []string{"orders.write"}})), body: invalidAD, challenge: `Bearer realm="contoso", error="insufficient_scope", error_description="The token holds none of the scopes that this operation asks for.", scope="api://` + tenant + `/orders/orders.read", ` + ofOrders, code: "insufficient_scope"},

		"JWT: absent":          {r: request(t, "GET", "/manage/1"), body: `{ "statusCode": 401, "message": "JWT not present." }`, challenge: `Bearer realm="contoso", ` + ofManage, code: "token_missing"},
		"JWT: signature":       {r: request(t, "GET", "/manage/1", manage(admin)+"AAAA"), body: `{ "statusCode": 401, "message": "The token's signature doesn't match. Access denied." }`, code: "bad_signature"},
		"JWT: audience":        {r: request(t, "GET", "/manage/1", order(issuer.Token{})), body: `{ "statusCode": 401, "message": "The token was issued for another API. Access denied." }`, code: "wrong_audience"},
		"JWT: issuer":          {r: request(t, "GET", "/manage/1", manage(with(map[string]any{"iss": "https://evil.example"}))), body: `{ "statusCode": 401, "message": "The token's issuer is not accepted here. Access denied." }`, code: "issuer_not_trusted"},
		"JWT: expired":         {r: request(t, "GET", "/manage/1", manage(issuer.Token{Roles: admin.Roles, Lifetime: -time.Hour})), body: `{ "statusCode": 401, "message": "The token has expired. Access denied." }`, code: "token_expired"},
		"JWT: kid unresolved":  {r: request(t, "GET", "/manage/1", manage(issuer.Token{Roles: admin.Roles, Key: "stranger"})), body: `{ "statusCode": 401, "message": "The token is signed with a key that its issuer doesn't publish. Access denied." }`, code: "unknown_key"},
		"JWT: other":           {r: request(t, "GET", "/manage/1", "Authorization: Bearer x"), body: `{ "statusCode": 401, "message": "The token doesn't have three parts." }`, code: "malformed"},
		"JWT: claims absent":   {r: request(t, "GET", "/manage/1", manage(with(nil))), body: `{ "statusCode": 401, "message": "JWT token is missing the following claims: dept, site Access denied." }`, code: "claim_required"},
		"JWT: a claim absent":  {r: request(t, "GET", "/manage/1", manage(with(map[string]any{"dept": "sales", "site": []string{}}))), body: `{ "statusCode": 401, "message": "JWT token is missing the following claims: site Access denied." }`, code: "claim_required"},
		"JWT: claim value":     {r: request(t, "GET", "/manage/1", manage(with(map[string]any{"dept": "R&D \"<é>\"\n"}))), body: `{ "statusCode": 401, "message": "Claim dept value of R&D \"<é>\"\n is not allowed. Access denied." }`, code: "claim_required"},
		"JWT: claim values":    {r: request(t, "GET", "/manage/1", manage(with(map[string]any{"dept": []any{"it", "hr"}}))), body: `{ "statusCode": 401, "message": "Claim dept value of it, hr is not allowed. Access denied." }`, code: "claim_required"},
		"JWT: no roles":        {r: request(t, "GET", "/manage/1", manage(issuer.Token{Claims: map[string]any{"roles": nil}})), body: `{ "statusCode": 401, "message": "JWT token is missing the following claims: roles Access denied." }`, code: "insufficient_role"},
		"JWT: other roles":     {r: request(t, "GET", "/manage/1", manage(issuer.Token{Claims: map[string]any{"roles": []string{"Reader"}}})), body: `{ "statusCode": 401, "message": "Claim roles value of Reader is not allowed. Access denied." }`, code: "insufficient_role"},
		"JWT: other scopes":    {r: request(t, "GET", "/manage/as/1", manage(issuer.Token{Scopes: []string{"write", "list"}, Undeclared: true})), body: `{ "statusCode": 401, "message": "Claim scp value of write list is not allowed. Access denied." }`, code: "insufficient_scope"},
		"JWT: whose, no claim": {r: request(t, "GET", "/manage/as/1", manage(admin)), body: `{ "statusCode": 401, "message": "This operation is for users, not for applications." }`, code: "wrong_principal_type"},

		"address: not allowed": {r: request(t, "GET", "/fenced/1", from("198.51.100.7")), body: `{ "statusCode": 403, "message": "Caller IP address 198.51.100.7 is not allowed. Access denied." }`, code: "address_not_allowed"},
		"address: blocked":     {r: request(t, "GET", "/fenced/1", from("203.0.113.66")), body: `{ "statusCode": 403, "message": "Caller IP address is blocked. Access denied." }`, code: "address_not_allowed"},
		"address: unknown":     {r: request(t, "GET", "/fenced/1"), body: `{ "statusCode": 403, "message": "Failed to establish IP address for the caller. Access denied." }`, code: "address_not_allowed"},
		"address: private":     {r: request(t, "GET", "/fenced/1", from("10.0.0.1")), body: `{ "statusCode": 403, "message": "Failed to establish IP address for the caller. Access denied." }`, code: "address_not_allowed"},
	} {
		t.Run(name, func(t *testing.T) { s.enveloped(t, c.r, c.body, c.challenge, c.code) })
	}
}

// enveloped asserts the whole answer, to HEAD too, and that the event tells the status that was sent.
func (s *stand) enveloped(t *testing.T, r *http.Request, body, challenge, code string) {
	t.Helper()
	for _, method := range []string{r.Method, "HEAD"} {
		if method == "HEAD" && r.Method != "GET" {
			continue
		}
		r, want := r.Clone(t.Context()), body
		if r.Method = method; method == "HEAD" {
			want = ""
		}
		w, _ := s.answer(r)
		if h := w.Header(); w.Body.String() != want || h.Get("Content-Type") != "application/json" || h.Get("Content-Length") != strconv.Itoa(len(body)) {
			t.Errorf("%s: got %v\n%s\nwant %s", method, h, w.Body, want)
		}
		if got := w.Header().Get("WWW-Authenticate"); challenge != "" && got != challenge || w.Code == 401 && !strings.HasPrefix(got, "Bearer ") {
			t.Errorf("got the challenge %s\nwant %s", got, challenge)
		}
		event, line := s.events.next(t)
		if !strings.Contains(body, `"statusCode": `+strconv.Itoa(w.Code)+",") || event.Status != w.Code || event.Code != code {
			t.Errorf("got status %d and the event %s, want %s in each", w.Code, line, code)
		}
		if word, found := holds(line, "R&D", "Access denied"); found {
			t.Errorf("got %s in the event, want nothing of the message", word)
		}
	}
}

func TestTheStyleFollowsTheContractThatAnswers(t *testing.T) {
	s := apimStand(t)
	for target, kind := range map[string]string{
		"/nowhere": "application/json", "/public/../x": "application/json", // no API's
		"/orders/none/at/all": "application/json", "/public/none/at/all": "application/problem+json",
		"/.well-known/oauth-protected-resource/public/x": "application/problem+json",
	} {
		w, _ := s.answer(request(t, "GET", target))
		if got := w.Header().Get("Content-Type"); got != kind || w.Code < 400 {
			t.Errorf("%s: got %d as %s, want a refusal as %s", target, w.Code, got, kind)
		}
	}
	// An API by itself.
	s = newStand(t, echo(), "orders.yaml", strings.Replace(contracts["orders.yaml"], "owner: o", "owner: o\nerrors: apim", 1))
	for target, kind := range map[string]string{"/nowhere": "application/problem+json", "/manage/1": "application/problem+json", "/orders/1": "application/json"} {
		w, _ := s.answer(request(t, "GET", target))
		if got := w.Header().Get("Content-Type"); got != kind {
			t.Errorf("%s: got %s, want %s", target, got, kind)
		}
	}
}

func TestWhatCantBeReadIsToldInTheGatewaysStyle(t *testing.T) {
	s := apimStand(t)
	c := dial(t, s.serve(t), "GET /public/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n")
	resp := c.response(t, "GET")
	event, _ := s.events.next(t)
	if resp.StatusCode != 400 || resp.Header.Get("Content-Type") != "application/json" || event.Status != 400 || event.Code != "malformed_request" {
		t.Errorf("got %s as %s and %+v, want 400 in the envelope, and its event", resp.Status, resp.Header.Get("Content-Type"), event)
	}
}
