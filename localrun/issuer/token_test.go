package issuer_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"

	"tollgate/localrun/issuer"
)

// verifier reads discovery and keys from the stand-in, as any client would.
func (s stand) verifier(t *testing.T, iss, audience string) *oidc.IDTokenVerifier {
	t.Helper()
	provider, err := oidc.NewProvider(oidc.ClientContext(t.Context(), s.client), iss)
	if err != nil {
		t.Fatal(err)
	}
	return provider.Verifier(&oidc.Config{ClientID: audience, Now: noon})
}

func TestTokensVerifyThroughTheServedDiscovery(t *testing.T) {
	s := start(t)
	for name, test := range map[string]struct {
		token         issuer.Token
		iss, audience string
	}{
		"v2":                         {issuer.Token{API: "orders"}, "/" + home + "/v2.0", ordersID},
		"v1":                         {issuer.Token{API: "orders", Version: "v1"}, "/" + home + "/", ordersURI},
		"v1 of an API without a URI": {issuer.Token{API: "stock", Version: "v1"}, "/" + home + "/", stockID},
		"v2 of the second tenant":    {issuer.Token{API: "orders", Tenant: other}, "/" + other + "/v2.0", ordersID},
		"a user's": {
			issuer.Token{API: "orders", Scopes: []string{"Orders.Read"}}, "/" + home + "/v2.0", ordersID,
		},
	} {
		t.Run(name, func(t *testing.T) {
			verifier := s.verifier(t, s.url+test.iss, test.audience)
			token, err := verifier.Verify(t.Context(), s.mint(t, test.token))
			if err != nil {
				t.Fatal(err)
			}
			if want := noon().Add(75 * time.Minute); !token.Expiry.Equal(want) {
				t.Errorf("exp: got %s, want %s", token.Expiry, want)
			}
		})
	}
}

func TestTokensThatMustNotVerifyDoNot(t *testing.T) {
	s := start(t)
	current, err := s.Rotate(home, true)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]issuer.Token{
		"expired one second ago":        {Lifetime: -time.Second},
		"unsigned":                      {Header: map[string]any{"alg": "none"}},
		"signed by a stranger":          {Key: "stranger"},
		"a stranger under a known kid":  {Key: "stranger", Header: map[string]any{"kid": current}},
		"HMAC with the public key":      {Header: map[string]any{"alg": "HS256"}},
		"PS256":                         {Header: map[string]any{"alg": "PS256"}},
		"another tenant's":              {Tenant: other},
		"v1":                            {Version: "v1"},
		"for another API":               {API: "stock"},
		"without exp":                   {Claims: map[string]any{"exp": nil}},
		"for an audience of my choice":  {Claims: map[string]any{"aud": "somebody"}},
		"without alg":                   {Header: map[string]any{"alg": nil}},
		"with a critical header member": {Header: map[string]any{"crit": []string{"new"}, "new": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if token.API == "" {
				token.API = "orders"
			}
			if _, err := s.verifier(t, s.url+"/"+home+"/v2.0", ordersID).Verify(t.Context(), s.mint(t, token)); err == nil {
				t.Error("got a verified token, want an error")
			}
		})
	}
}

func TestTokensHaveTheShapeOfEntras(t *testing.T) {
	s := start(t)
	at := float64(noon().Unix())
	times := map[string]any{"iat": at, "nbf": at, "exp": at + 4500, "tid": home}
	v2 := map[string]any{"iss": s.url + "/" + home + "/v2.0", "ver": "2.0", "aud": ordersID}
	v1 := map[string]any{"iss": s.url + "/" + home + "/", "ver": "1.0", "aud": ordersURI}

	for name, test := range map[string]struct {
		token issuer.Token
		want  []map[string]any
	}{
		"an application's v2 token": {
			issuer.Token{Roles: []string{"DataReader"}},
			[]map[string]any{times, v2, {"azp": partner, "azpacr": "1", "idtyp": "app", "roles": []any{"DataReader"}}},
		},
		"an application's v1 token": {
			issuer.Token{Version: "v1", Client: daemon},
			[]map[string]any{times, v1, {"appid": daemon, "appidacr": "2", "idtyp": "app"}},
		},
		"a user's v2 token": {
			issuer.Token{User: alice, Client: daemon, Scopes: []string{"Orders.Read", "Orders.Write"}, Roles: []string{"DataWriter"}},
			[]map[string]any{times, v2, {
				"azp": daemon, "azpacr": "0", "oid": alice, "scp": "Orders.Read Orders.Write", "roles": []any{"DataWriter"},
				"name": "User " + alice, "preferred_username": alice + "@contoso.example",
			}},
		},
		"a user's v1 token": {
			issuer.Token{Version: "v1", User: alice, Scopes: []string{"Orders.Read"}},
			[]map[string]any{times, v1, {
				"appid": partner, "appidacr": "1", "oid": alice, "scp": "Orders.Read",
				"name": "User " + alice, "unique_name": alice + "@contoso.example", "upn": alice + "@contoso.example",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.token.API = "orders"
			header, got, _ := parts(t, s.mint(t, test.token))
			app := got["idtyp"] == "app"
			if same := got["oid"] == got["sub"]; same != app {
				t.Errorf("oid %v, sub %v: got same %t, want %t", got["oid"], got["sub"], same, app)
			}
			forgetOpaque(t, got, app)
			want := map[string]any{}
			for _, some := range test.want {
				for name, value := range some {
					want[name] = value
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
			checkHeader(t, header, test.token.Version == "v1")
		})
	}
}

// forgetOpaque checks that the members which no test can predict are there, and removes them.
func forgetOpaque(t *testing.T, claims map[string]any, app bool) {
	t.Helper()
	names := []string{"uti", "rh", "aio", "sub"}
	if app {
		names = append(names, "oid")
	}
	for _, name := range names {
		if text, _ := claims[name].(string); text == "" {
			t.Errorf("%s: got %v, want text", name, claims[name])
		}
		delete(claims, name)
	}
}

func checkHeader(t *testing.T, header map[string]any, v1 bool) {
	t.Helper()
	want := map[string]any{"typ": "JWT", "alg": "RS256", "kid": header["kid"]}
	if v1 {
		want["x5t"] = header["kid"]
	}
	if diff := cmp.Diff(want, header); diff != "" || header["kid"] == nil {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

func TestAPrincipalKeepsItsIdsAndATokenHasItsOwn(t *testing.T) {
	s := start(t)
	claims := func(ask issuer.Token) map[string]any {
		ask.API = "orders"
		_, got, _ := parts(t, s.mint(t, ask))
		return got
	}
	app, again := claims(issuer.Token{}), claims(issuer.Token{})
	if app["oid"] != again["oid"] || app["uti"] == again["uti"] {
		t.Errorf("got oid %v and %v, uti %v and %v", app["oid"], again["oid"], app["uti"], again["uti"])
	}
	if elsewhere := claims(issuer.Token{Tenant: other}); elsewhere["oid"] == app["oid"] {
		t.Error("a client has the same oid in two tenants")
	}
	one, two := claims(issuer.Token{User: alice}), claims(issuer.Token{User: alice, Client: daemon})
	if one["sub"] == two["sub"] || one["oid"] != two["oid"] {
		t.Errorf("got sub %v and %v, want a pairwise one", one["sub"], two["sub"])
	}
}

func TestAnExpiredTokenIsWrongOnlyInItsExpiry(t *testing.T) {
	s := start(t)
	_, got, _ := parts(t, s.mint(t, issuer.Token{API: "orders", Lifetime: -time.Minute}))
	exp := float64(noon().Add(-time.Minute).Unix())
	if got["exp"] != exp || got["nbf"] != exp-4500 || got["iat"] != exp-4500 {
		t.Errorf("got iat %v, nbf %v, exp %v; want exp %v and 75 minutes before it", got["iat"], got["nbf"], got["exp"], exp)
	}
}

func TestClaimsAndHeaderCanBeReplacedAddedAndRemoved(t *testing.T) {
	s := start(t)
	header, claims, signature := parts(t, s.mint(t, issuer.Token{
		API:    "orders",
		Claims: map[string]any{"TID": "evil", "tid": nil, "ver": 2},
		Header: map[string]any{"alg": "none", "kid": nil, "typ": "at+jwt", "jku": "https://evil.example"},
	}))
	if _, there := claims["tid"]; there || claims["TID"] != "evil" || claims["ver"] != 2.0 {
		t.Errorf("claims: got %v", claims)
	}
	if diff := cmp.Diff(map[string]any{"alg": "none", "typ": "at+jwt", "jku": "https://evil.example"}, header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if len(signature) != 0 {
		t.Errorf("signature: got %d bytes, want none", len(signature))
	}
}

func TestMintRefusesWhatIsUnknownAndListsWhatIsKnown(t *testing.T) {
	s := start(t)
	for name, test := range map[string]struct {
		token issuer.Token
		want  string
	}{
		"a tenant":  {issuer.Token{API: "orders", Tenant: "x"}, "known: " + home + ", " + other},
		"an API":    {issuer.Token{API: "ordres"}, `api "ordres" is unknown; known: orders, stock`},
		"no API":    {issuer.Token{}, "known: orders, stock"},
		"a version": {issuer.Token{API: "orders", Version: "v3"}, "known: v1, v2"},
		"a role":    {issuer.Token{API: "orders", Roles: []string{"Admin"}}, `role "Admin" is not declared by api "orders"; known: DataReader, DataWriter`},
		"a scope":   {issuer.Token{API: "stock", Scopes: []string{"Stock.Read"}}, `scope "Stock.Read" is not declared by api "stock"; known: none`},
		"a key":     {issuer.Token{API: "orders", Key: "k"}, `key "k" is unknown; known: stranger`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Mint(test.token); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to contain %q", err, test.want)
			}
		})
	}
	_, got, _ := parts(t, s.mint(t, issuer.Token{API: "orders", Roles: []string{"Admin"}, Undeclared: true}))
	if diff := cmp.Diff([]any{"Admin"}, got["roles"]); diff != "" {
		t.Errorf("undeclared roles (-want +got):\n%s", diff)
	}
}

func TestATokenRequestSurvivesJSON(t *testing.T) {
	want := issuer.Token{
		Tenant: other, API: "orders", Version: "v1", Client: partner, User: alice, Roles: []string{"R"}, Scopes: []string{"S"},
		Lifetime: 90 * time.Second, Claims: map[string]any{"x": nil, "n": json.Number("1e18")}, Header: map[string]any{"alg": "none"},
		Key: "stranger", Undeclared: true,
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"lifetime":"1m30s"`) {
		t.Errorf("got %s, want the lifetime as text", text)
	}
	var got issuer.Token
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
}
