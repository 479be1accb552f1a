package token

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	entra "tollgate/localrun/issuer"
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// who is the principal's kind, or the refusal.
func who(t *testing.T, stage pipeline.Stage, token string) string {
	t.Helper()
	call, refused := send(t.Context(), stage, "Bearer "+token)
	if refused != nil {
		return verdictOf(refused)
	}
	return call.Identity.Principal.String()
}

// B47: which rule a token may satisfy depends on whom it is about.
func TestB47UsersAndApplicationsAreToldApart(t *testing.T) {
	s := start(t)
	user := func(claims map[string]any) entra.Token { return with(usersToken("v2"), claims) }
	app := func(claims map[string]any) entra.Token { return with(appsToken("v2"), claims) }
	for name, c := range map[string]struct {
		tok  entra.Token
		want string
	}{
		"a user's token with scp":                                {user(nil), "user"},
		"a user's v1 token with scp":                             {usersToken("v1"), "user"},
		"a user's token with roles too":                          {user(one("roles", []string{"DataReader"})), "user"},
		"a user's token that says idtyp user":                    {user(one("idtyp", "user")), "user"},
		"idtyp user without scp":                                 {user(map[string]any{"idtyp": "user", "scp": nil}), "user"},
		"idtyp user, oid equal to sub":                           {user(map[string]any{"idtyp": "user", "scp": nil, "oid": "x", "sub": "x"}), "user"},
		"an empty scp":                                           {user(one("scp", "")), "user"},
		"scp and oid equal to sub":                               {user(map[string]any{"oid": "x", "sub": "x"}), "user"},
		"an application's token with idtyp app":                  {app(nil), "application"},
		"an application's v1 token":                              {appsToken("v1"), "application"},
		"an application's token without idtyp, oid equal to sub": {app(one("idtyp", nil)), "application"},
		"no scp, no idtyp, oid unlike sub: an ID token's shape":  {app(map[string]any{"idtyp": nil, "sub": "pairwise"}), "unknown"},
		"no scp, no idtyp, no oid":                               {app(map[string]any{"idtyp": nil, "oid": nil}), "unknown"},
		"no scp, no idtyp, no oid and no sub":                    {app(map[string]any{"idtyp": nil, "oid": nil, "sub": nil}), "unknown"},
		"no scp, no idtyp, oid and sub empty":                    {app(map[string]any{"idtyp": nil, "oid": "", "sub": ""}), "unknown"},
		"no scp, no idtyp, oid a number":                         {app(map[string]any{"idtyp": nil, "oid": 1, "sub": "1"}), "401 malformed"},
		"idtyp app and scp together":                             {app(one("scp", "Orders.Read")), "401 malformed"},
		"idtyp app and an empty scp":                             {app(one("scp", "")), "401 malformed"},
		"idtyp of a kind that nobody knows, oid equal to sub":    {app(one("idtyp", "device")), "unknown"},
		"idtyp App in another case, oid equal to sub":            {app(one("idtyp", "App")), "unknown"},
		"idtyp as a list, oid equal to sub":                      {app(one("idtyp", []string{"user"})), "unknown"},
	} {
		t.Run("B47 "+name+": "+c.want, func(t *testing.T) { assertVerdict(t, who(t, s.stage, s.mint(t, c.tok)), c.want) })
	}
}

// A22: an API whose registration also signs its users in shares its client id
// with them: the ID token then names the right audience. Only what an access
// token alone carries (azp, appid) and what an ID token alone carries (nonce)
// tells them apart.
func TestA22AnIDTokenPresentedAsAnAccessTokenIsRefused(t *testing.T) {
	s := start(t)
	for name, claims := range map[string]map[string]any{
		"of a user":                      {"scp": nil, "azp": nil, "azpacr": nil, "nonce": "n-0S6_WzA2Mj"},
		"of a user with roles":           {"scp": nil, "azp": nil, "azpacr": nil, "nonce": "n-0S6_WzA2Mj", "roles": []string{"DataReader"}},
		"with a code's hash (OIDC §3.3)": {"scp": nil, "azp": nil, "azpacr": nil, "c_hash": "LDktKdoQak3Pk0cnXxCltA"},
		"that has no nonce":              {"scp": nil, "azp": nil, "azpacr": nil},
	} {
		t.Run("A22 an ID token "+name+": 401 wrong_token_type", func(t *testing.T) {
			assertVerdict(t, presentToken(t, s.stage, s.mint(t, with(usersToken("v2"), claims))), "401 wrong_token_type")
		})
	}
}

func TestScopesAndRolesAreReadStrictly(t *testing.T) {
	s := start(t)
	for name, c := range map[string]struct {
		claims        map[string]any
		scopes, roles []string
	}{
		"scp is split at spaces":                      {one("scp", "A.Read B.Write"), []string{"A.Read", "B.Write"}, nil},
		"scp is not split at commas or tabs":          {one("scp", "A.Read,B.Write\tC"), []string{"A.Read,B.Write\tC"}, nil},
		"scp as a list holds nothing":                 {one("scp", []string{"A.Read"}), nil, nil},
		"scp as a number holds nothing":               {one("scp", 1), nil, nil},
		"scp as an object holds nothing":              {one("scp", map[string]int{"A.Read": 1}), nil, nil},
		"scope, as others call it, holds nothing":     {map[string]any{"scp": "X", "scope": "A.Read"}, []string{"X"}, nil},
		"roles are a list":                            {map[string]any{"scp": "X", "roles": []string{"Admin", "Reader"}}, []string{"X"}, []string{"Admin", "Reader"}},
		"B46 roles as one text with a space":          {map[string]any{"scp": "X", "roles": "Admin User"}, []string{"X"}, nil},
		"B46 roles as one text":                       {map[string]any{"scp": "X", "roles": "Admin"}, []string{"X"}, nil},
		"B46 roles with a number, null and an object": {map[string]any{"scp": "X", "roles": raw(`[1,null,{"a":1}]`)}, []string{"X"}, nil},
		"B46 one odd element spoils the roles":        {map[string]any{"scp": "X", "roles": []any{"Admin", 1}}, []string{"X"}, nil},
		"B46 roles in a list in the list":             {map[string]any{"scp": "X", "roles": raw(`[["Admin"]]`)}, []string{"X"}, nil},
		"B46 an element with a space stays whole":     {map[string]any{"scp": "X", "roles": []string{"Admin User"}}, []string{"X"}, []string{"Admin User"}},
		"B46 an object of roles":                      {map[string]any{"scp": "X", "roles": map[string]bool{"Admin": true}}, []string{"X"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			call, refused := send(t.Context(), s.stage, "Bearer "+s.mint(t, with(usersToken("v2"), c.claims)))
			if refused != nil {
				t.Fatal(verdictOf(refused))
			}
			if diff := cmp.Diff(c.scopes, call.Identity.Scopes); diff != "" {
				t.Errorf("scopes (-want +got):\n%s", diff)
			}
			if len(c.roles)+len(call.Identity.Roles) > 0 {
				if diff := cmp.Diff(c.roles, call.Identity.Roles); diff != "" {
					t.Errorf("roles (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestTokensOfOtherIssuersAreToldApartBySubAndClient(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	plain := p.trusted()
	plain.Tenant, plain.TokenVersion, plain.Profile = "", "", contract.ProfileOAuth
	stage := p.stageFor(plain, "RS256")
	base := `{"aud":"` + ordersID + `","iss":"` + idpIssuer + `","exp":1795439700`
	for name, c := range map[string][2]string{
		"sub unlike client_id":              {`,"sub":"alice","client_id":"app"}`, "user"},
		"sub equal to client_id (RFC 9068)": {`,"sub":"app","client_id":"app"}`, "application"},
		"sub equal to azp":                  {`,"sub":"app","azp":"app"}`, "application"},
		"client_id before azp":              {`,"sub":"app","azp":"app","client_id":"other"}`, "user"},
		"no client":                         {`,"sub":"alice"}`, "unknown"},
		"no sub":                            {`,"client_id":"app"}`, "unknown"},
		"neither":                           {`}`, "unknown"},
		"an empty sub and an empty client":  {`,"sub":"","client_id":""}`, "unknown"},
		"idtyp is Entra's word":             {`,"sub":"alice","client_id":"app","idtyp":"app"}`, "user"},
	} {
		t.Run(name+": "+c[1], func(t *testing.T) {
			assertVerdict(t, who(t, stage, rsaK1().token(t, `{"typ":"at+jwt","alg":"RS256","kid":"k1"}`, base+c[0])), c[1])
		})
	}
}
