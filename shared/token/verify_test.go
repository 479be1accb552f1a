package token

import (
	"fmt"
	"testing"

	entra "tollgate/localrun/issuer"
	"tollgate/shared/contract"
)

// edit is one change of an otherwise good token, and the verdict on it.
type edit struct {
	claims map[string]any
	want   string
}

// holdFor presents each edit of a user's and an application's token, v1 and v2.
func holdFor(t *testing.T, s *stand, edits map[string]edit) {
	t.Helper()
	for name, e := range edits {
		t.Run(name+": "+e.want, func(t *testing.T) {
			for _, version := range []string{"v1", "v2"} {
				for _, tok := range []entra.Token{usersToken(version), appsToken(version)} {
					if got := presentToken(t, s.stage, s.mint(t, with(tok, e.claims))); got != e.want {
						t.Errorf("%s, scopes %v, roles %v: got %s, want %s", version, tok.Scopes, tok.Roles, got, e.want)
					}
				}
			}
		})
	}
}

func one(name string, value any) map[string]any { return map[string]any{name: value} }

func TestEntrasOwnTokensAreAccepted(t *testing.T) {
	s := start(t)
	for name, tok := range map[string]entra.Token{
		"a user's v2 token for the client id":                             usersToken("v2"),
		"an application's v2 token for the client id":                     appsToken("v2"),
		"a user's v1 token for the Application ID URI":                    usersToken("v1"),
		"an application's v1 token for the Application ID URI":            appsToken("v1"),
		"a v1 token for the client id, as Entra's use_guid pins it":       with(usersToken("v1"), one("aud", ordersID)),
		"trap (k) an aud list of this API alone (RFC 7519 §4.1.3)":        with(usersToken("v2"), one("aud", []string{ordersID})),
		"trap (k) an aud list that holds this API (RFC 7519 §4.1.3)":      with(usersToken("v2"), one("aud", []string{stockID, ordersID})),
		"a tid in upper case, for a GUID has no case":                     with(usersToken("v2"), one("tid", "11111111-1111-1111-1111-11111111AAAA")),
		"a guest's token with groups over Entra's limit (B50)":            with(usersToken("v2"), map[string]any{"_claim_names": raw(`{"groups":"src1"}`), "_claim_sources": raw(`{"src1":{"endpoint":"https://graph.windows.net/x"}}`)}),
		"a token with hasgroups, as the implicit flow has it (B50)":       with(usersToken("v2"), one("hasgroups", true)),
		"a token without nbf and iat, which RFC 7519 §4.1 doesn't demand": with(usersToken("v2"), map[string]any{"nbf": nil, "iat": nil}),
	} {
		t.Run(name+": granted", func(t *testing.T) { assertVerdict(t, presentToken(t, s.stage, s.mint(t, tok)), "granted") })
	}
}

func TestATokenForAnotherAudienceIsRefused(t *testing.T) {
	s := start(t)
	holdFor(t, s, map[string]edit{
		"B32 aud missing":               {one("aud", nil), "401 wrong_audience"},
		"B32 aud null":                  {one("aud", raw(`null`)), "401 wrong_audience"},
		"B32 aud empty":                 {one("aud", ""), "401 wrong_audience"},
		"B32 aud an empty list":         {one("aud", []string{}), "401 wrong_audience"},
		"B32 aud a list of nothing":     {one("aud", []string{""}), "401 wrong_audience"},
		"B32 aud a number":              {one("aud", 1), "401 wrong_audience"},
		"B32 aud true":                  {one("aud", true), "401 wrong_audience"},
		"B32 aud an object":             {one("aud", map[string]string{ordersID: ordersID}), "401 wrong_audience"},
		"B32 aud a list with a number":  {one("aud", []any{ordersID, 1}), "401 wrong_audience"},
		"B32 aud a list with null":      {one("aud", []any{nil, ordersID}), "401 wrong_audience"},
		"B32 aud a list in a list":      {one("aud", []any{[]any{ordersID}}), "401 wrong_audience"},
		"B34 a slash behind":            {one("aud", ordersURI+"/"), "401 wrong_audience"},
		"B34 upper case":                {one("aud", "API://11111111-1111-1111-1111-11111111AAAA/ORDERS"), "401 wrong_audience"},
		"B34 the client id, upper case": {one("aud", "0F9C1C2E-0000-4000-8000-0000000000AA"), "401 wrong_audience"},
		"B34 .evil behind":              {one("aud", ordersURI+".evil"), "401 wrong_audience"},
		"B34 a prefix":                  {one("aud", "api://"+home), "401 wrong_audience"},
		"B34 a space behind":            {one("aud", ordersID+" "), "401 wrong_audience"},
		"B34 several in one text":       {one("aud", stockID+" "+ordersID), "401 wrong_audience"},
		"B34 several with a comma":      {one("aud", stockID+","+ordersID), "401 wrong_audience"},
		"B34 a NUL behind":              {one("aud", ordersID+"\x00"), "401 wrong_audience"},
	})
	for _, version := range []string{"v1", "v2"} {
		t.Run("B31 "+version+" for another API of the tenant: 401 wrong_audience", func(t *testing.T) {
			assertVerdict(t, presentToken(t, s.stage, s.mint(t, entra.Token{API: "stock", Version: version, User: alice})), "401 wrong_audience")
		})
	}
	// RFC 7519 §4.1.2: sub is a text. As a number or a list it would name another caller to every reader.
	holdFor(t, s, map[string]edit{
		"sub a number":  {one("sub", raw("5")), "401 malformed"},
		"sub a list":    {one("sub", []string{alice}), "401 malformed"},
		"sub an object": {one("sub", map[string]string{"id": alice}), "401 malformed"},
		"sub true":      {one("sub", true), "401 malformed"},
	})
	t.Run("B35 a v2 token that names the Application ID URI, as Entra never does: 401 wrong_audience", func(t *testing.T) {
		assertVerdict(t, presentToken(t, s.stage, s.mint(t, with(usersToken("v2"), one("aud", ordersURI)))), "401 wrong_audience")
	})
}

func TestAnIssuerCountsOnlyWhereItIsListed(t *testing.T) {
	s := start(t)
	only := func(a contract.Accepted) func(entra.Token) string {
		stage := s.trust.Verify([]contract.Accepted{a}, contract.Proof{})
		return func(tok entra.Token) string { return presentToken(t, stage, s.mint(t, tok)) }
	}
	v1, v2 := only(s.acceptedV1()), only(s.acceptedV2())
	theirs := usersToken("v2")
	theirs.Tenant = foreign
	for name, c := range map[string][2]string{
		"B35 v1 where only v2 is listed":          {v2(usersToken("v1")), "401 issuer_not_trusted"},
		"B35 v2 where only v1 is listed":          {v1(usersToken("v2")), "401 issuer_not_trusted"},
		"B35 v1 where v1 is listed":               {v1(usersToken("v1")), "granted"},
		"B35 v2 where v2 is listed":               {v2(usersToken("v2")), "granted"},
		"B35 v1 contents under the v2 issuer":     {v2(with(usersToken("v2"), one("ver", "1.0"))), "401 tenant_mismatch"},
		"B35 v2 contents under the v1 issuer":     {v1(with(usersToken("v1"), one("ver", "2.0"))), "401 tenant_mismatch"},
		"B35 no ver":                              {v2(with(usersToken("v2"), one("ver", nil))), "401 tenant_mismatch"},
		"B35 ver as a number":                     {v2(with(usersToken("v2"), one("ver", raw("2.0")))), "401 tenant_mismatch"},
		"B37 another tenant, not in the contract": {v2(theirs), "401 issuer_not_trusted"},
		"B37 our issuer, another tenant's tid":    {v2(with(usersToken("v2"), one("tid", foreign))), "401 tenant_mismatch"},
		"B37 our issuer, no tid":                  {v2(with(usersToken("v2"), one("tid", nil))), "401 tenant_mismatch"},
		"B37 our issuer, a list of tids":          {v2(with(usersToken("v2"), one("tid", []string{home}))), "401 tenant_mismatch"},
		"B37 the template itself as issuer":       {v2(with(usersToken("v2"), one("iss", s.base+"/{tenantid}/v2.0"))), "401 issuer_not_trusted"},
		"B37 the issuer in upper case":            {v2(with(usersToken("v2"), one("iss", s.base+"/11111111-1111-1111-1111-11111111AAAA/v2.0"))), "401 issuer_not_trusted"},
		"B37 the issuer with a slash":             {v2(with(usersToken("v2"), one("iss", s.v2(home).Issuer+"/"))), "401 issuer_not_trusted"},
		"B37 no issuer":                           {v2(with(usersToken("v2"), one("iss", nil))), "401 issuer_not_trusted"},
		"B37 a list of issuers":                   {v2(with(usersToken("v2"), one("iss", []string{s.v2(home).Issuer}))), "401 issuer_not_trusted"},
		"B37 an empty issuer":                     {v2(with(usersToken("v2"), one("iss", ""))), "401 issuer_not_trusted"},
	} {
		t.Run(name+": "+c[1], func(t *testing.T) { assertVerdict(t, c[0], c[1]) })
	}
	t.Run("B37 no issuer at all is accepted: 401 issuer_not_trusted", func(t *testing.T) {
		assertVerdict(t, presentToken(t, s.trust.Verify(nil, contract.Proof{}), s.mint(t, usersToken("v2"))), "401 issuer_not_trusted")
	})
}

func TestATokenIsGoodOnlyInItsTime(t *testing.T) {
	s := start(t)
	now, leeway := noon().Unix(), int64(skew.Seconds())
	edits := map[string]edit{
		"B40 exp absent":                             {one("exp", nil), "401 exp_missing"},
		"B41 exp a second ago":                       {one("exp", now-1), "granted"},
		"B41 exp now":                                {one("exp", now), "granted"},
		"B41 exp now - skew + 1":                     {one("exp", now-leeway+1), "granted"},
		"B41 exp now - skew":                         {one("exp", now-leeway), "401 token_expired"},
		"B41 exp now - skew - 1":                     {one("exp", now-leeway-1), "401 token_expired"},
		"B41 exp 0":                                  {one("exp", 0), "401 token_expired"},
		"B41 exp in the last second of 9999":         {one("exp", int64(253402300799)), "granted"},
		"nbf within the skew":                        {one("nbf", now+leeway), "granted"},
		"nbf a second beyond the skew":               {one("nbf", now+leeway+1), "401 token_not_yet_valid"},
		"trap (h) nbf five minutes ahead":            {one("nbf", now+300), "401 token_not_yet_valid"},
		"trap (h) nbf in the year 9999":              {one("nbf", int64(253402300799)), "401 token_not_yet_valid"},
		"trap (h) iat within the skew":               {one("iat", now+leeway), "granted"},
		"trap (h) iat a day ahead, exp beyond it":    {map[string]any{"iat": now + 86400, "exp": now + 2*86400}, "401 token_not_yet_valid"},
		"trap (h) expired, and issued in the future": {map[string]any{"iat": now + 86400, "exp": now - 3600}, "401 token_expired"},
	}
	odd := []string{"1e400", "-1", "-0.0", `"9999999999"`, "1.5", "9999999999.0", "1e10", "1E10", "9223372036854775808", "9223372036854775807",
		"253402300800", "18446744073709551617", `"NaN"`, "true", "[]", "[9999999999]", "{}", `""`, "1e18", `"9999999999 "`}
	for _, v := range odd {
		for _, name := range []string{"exp", "nbf", "iat"} {
			edits[fmt.Sprintf("B41 %s %s", name, v)] = edit{one(name, raw(v)), "401 malformed"}
		}
	}
	edits["B41 exp null"] = edit{one("exp", raw("null")), "401 malformed"}
	edits["B41 nbf null"] = edit{one("nbf", raw("null")), "401 malformed"}
	holdFor(t, s, edits)
}

func TestB41TimeIsReadWhenTheTokenComes(t *testing.T) {
	s := start(t)
	tok := s.mint(t, usersToken("v2")) // 75 minutes
	assertVerdict(t, presentToken(t, s.stage, tok), "granted")
	s.clock.pass(76*60*1e9 - 1e9)
	assertVerdict(t, presentToken(t, s.stage, tok), "granted")
	s.clock.pass(1e9)
	assertVerdict(t, presentToken(t, s.stage, tok), "401 token_expired")
}

func TestE106ABoundTokenIsWorthNothingAsABearerToken(t *testing.T) {
	s := start(t)
	holdFor(t, s, map[string]edit{
		"E106 bound to a certificate":   {one("cnf", raw(`{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}`)), "401 binding_required"},
		"E106 bound to a DPoP key":      {one("cnf", raw(`{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`)), "401 binding_required"},
		"E106 bound to a kid (SHR PoP)": {one("cnf", raw(`{"kid":"x"}`)), "401 binding_required"},
		"E106 bound to nothing":         {one("cnf", raw(`null`)), "401 binding_required"},
		"E106 bound to a text":          {one("cnf", "x"), "401 binding_required"},
	})
}
