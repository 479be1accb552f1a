package token

import (
	"net/http"
	"testing"
	"time"

	"tollgate/shared/contract"
)

func TestB37OneOfSeveralTenants(t *testing.T) {
	s := start(t)
	both := []contract.Accepted{{Issuer: s.v2(home), Audiences: []string{ordersID}}, {Issuer: s.v2(foreign), Audiences: []string{ordersID}}}
	trust := NewTrust(planOf([]string{"RS256"}, s.v2(home), s.v2(foreign)), s.http, s.clock.Now, Options{})
	stage := trust.Verify(both, contract.Proof{})

	guest := appsToken("v2")
	guest.Tenant = foreign
	assertVerdict(t, presentToken(t, stage, s.mint(t, guest)), "granted")
	assertVerdict(t, presentToken(t, s.stage, s.mint(t, guest)), "401 issuer_not_trusted")
	for name, c := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"tid of the one, iss of the other":  {one("tid", foreign), "401 tenant_mismatch"},
		"an iss that isn't listed":          {one("iss", s.base+"/33333333-3333-3333-3333-333333333333/v2.0"), "403 tenant_not_allowed"},
		"the template itself":               {one("iss", s.base+"/{tenantid}/v2.0"), "401 issuer_not_trusted"},
		"an iss with more behind it":        {one("iss", s.base+"/33333333-3333-3333-3333-333333333333/v2.0/"), "401 issuer_not_trusted"},
		"no tid":                            {one("tid", nil), "401 tenant_mismatch"},
		"B38 signed by the other's own key": {one("iss", s.base+"/"+foreign+"/v2.0"), "401 unknown_key"},
	} {
		t.Run(name, func(t *testing.T) {
			assertVerdict(t, presentToken(t, stage, s.mint(t, with(appsToken("v2"), c.claims))), c.want)
		})
	}
}

func TestB43ATokenThatLivesTooLong(t *testing.T) {
	s := start(t)
	plan := planOf([]string{"RS256"}, s.v2(home))
	plan.MaxLifetime = 2 * time.Hour
	stage := NewTrust(plan, s.http, s.clock.Now, Options{}).Verify([]contract.Accepted{{Issuer: s.v2(home), Audiences: []string{ordersID}}}, contract.Proof{})
	lived := func(d time.Duration) string {
		tok := appsToken("v2")
		tok.Lifetime = d
		return s.mint(t, tok)
	}
	assertVerdict(t, presentToken(t, stage, lived(2*time.Hour)), "granted")
	assertVerdict(t, presentToken(t, stage, lived(2*time.Hour+time.Second)), "401 lifetime_exceeded")
	assertVerdict(t, presentToken(t, stage, lived(10*365*24*time.Hour)), "401 lifetime_exceeded")
	assertVerdict(t, presentToken(t, stage, s.mint(t, with(appsToken("v2"), one("iat", nil)))), "401 lifetime_exceeded")
}

func TestAnIssuerIsReadByItsProfile(t *testing.T) {
	strict := `{"iss":"` + idpIssuer + `","aud":"` + ordersID + `","exp":1795439700,"iat":1795434000,"sub":"app","client_id":"app","jti":"1"}`
	for name, c := range map[string]struct{ profile, typ, payload, want string }{
		"rfc9068 takes at+jwt":                {contract.ProfileRFC9068, "at+jwt", strict, "granted"},
		"rfc9068 takes the full media type":   {contract.ProfileRFC9068, "application/at+jwt", strict, "granted"},
		"rfc9068 refuses JWT":                 {contract.ProfileRFC9068, "JWT", strict, "401 wrong_token_type"},
		"rfc9068 refuses a token without jti": {contract.ProfileRFC9068, "at+jwt", swap(t, strict, `,"jti":"1"`, ``), "401 malformed"},
		"rfc9068 refuses one without iat":     {contract.ProfileRFC9068, "at+jwt", swap(t, strict, `,"iat":1795434000`, ``), "401 malformed"},
		"oauth takes JWT":                     {contract.ProfileOAuth, "JWT", strict, "granted"},
		"oauth takes at+jwt":                  {contract.ProfileOAuth, "at+jwt", strict, "granted"},
		"oauth refuses dpop+jwt":              {contract.ProfileOAuth, "dpop+jwt", strict, "401 wrong_token_type"},
		"entra refuses at+jwt":                {contract.ProfileEntra, "at+jwt", strict, "401 wrong_token_type"},
		"entra asks for azp":                  {contract.ProfileEntra, "JWT", strict, "401 wrong_token_type"},
		"entra without a tenant takes azp":    {contract.ProfileEntra, "JWT", swap(t, strict, `"jti"`, `"azp":"x","jti"`), "granted"},
	} {
		t.Run(name, func(t *testing.T) {
			is := contract.TrustedIssuer{Name: "x", Issuer: idpIssuer, Discovery: idpIssuer, Profile: c.profile}
			stage := newIDP(rsaK1().jwk()).stageFor(is, "RS256")
			tok := rsaK1().token(t, `{"typ":"`+c.typ+`","alg":"RS256","kid":"k1"}`, c.payload)
			assertVerdict(t, presentToken(t, stage, tok), c.want)
		})
	}
}

// entra-oauth.md §1: keys of one application come only from metadata asked for with ?appid=.
func TestKeysOfOneApplicationAreAskedForByItsID(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	var asked []string
	p.onRequest = func(what string, r *http.Request) { asked = append(asked, what+"?"+r.URL.RawQuery) }
	is := p.trusted()
	is.AppID = ordersID
	assertVerdict(t, presentToken(t, p.stageFor(is, "RS256"), rsaK1().valid(t)), "granted")
	if len(asked) != 2 || asked[0] != "discovery?appid="+ordersID {
		t.Errorf("got %q, want discovery asked with the application's id", asked)
	}
}
