package token

import (
	"strings"
	"testing"

	"tollgate/shared/contract"
)

// The letters are those of entra-oauth.md §6: what go-oidc alone lets through.

func TestTrapAOnlyTheCompactFormIsATokenOnItsOwn(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	parts := strings.Split(rsaK1().valid(t), ".")
	flat := `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","header":{"kid":"k1"},"signature":"` + parts[2] + `"}`
	general := `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`
	for name, text := range map[string]string{
		"flattened":                     flat,
		"general":                       general,
		"flattened, dots in a member":   swap(t, flat, `{`, `{"x":"..",`),
		"flattened, alg unprotected":    `{"payload":"` + parts[1] + `","header":{"alg":"RS256","kid":"k1","x":".."},"signature":"` + parts[2] + `"}`,
		"flattened, white space before": " " + flat,
	} {
		t.Run("trap (a) JSON serialisation, "+name+", is refused: 401 malformed", func(t *testing.T) {
			assertVerdict(t, presentToken(t, stage, text), "401 malformed")
		})
	}
	t.Run("trap (a) a detached payload is refused: 401 malformed", func(t *testing.T) {
		assertVerdict(t, presentToken(t, stage, parts[0]+".."+parts[2]), "401 malformed")
	})
}

func TestTrapBWhiteSpaceAnywhereIsRefused(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	valid := rsaK1().valid(t)
	for name, space := range map[string]string{"space": " ", "tab": "\t", "LF": "\n", "CR": "\r", "VT": "\v", "FF": "\f", "NEL": "\u0085", "NBSP": "\u00a0", "line separator": "\u2028", "a zero-width space": "\u200b", "a byte order mark": "\ufeff"} {
		t.Run("trap (b) "+name+" in or around a token is refused: 401 malformed", func(t *testing.T) {
			dot := strings.IndexByte(valid, '.')
			for _, text := range []string{space + valid, valid + space, valid[:dot] + space + valid[dot:], valid[:dot+1] + space + valid[dot+1:], valid[:dot+9] + space + valid[dot+9:]} {
				assertVerdict(t, presentToken(t, stage, text), "401 malformed")
			}
		})
	}
}

// Trap (c), for every part and every value of the unused bits.
func TestTrapCUnusedBitsAreZero(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, uti := range []string{"u", "uu", "uuu"} { // one of each remainder by three
		valid := rsaK1().token(t, swap(t, rsaK1().header(), "{", `{"x":"`+uti+`",`), swap(t, claimsText(), "u-1", uti))
		for at, part := range strings.Split(valid, ".") {
			granted := 0
			for _, c := range alphabet {
				text := altered(valid, at, part[:len(part)-1]+string(c))
				if presentToken(t, stage, text) == "granted" {
					granted++
				}
			}
			if granted != 1 {
				t.Errorf("uti %q, part %d: got %d last characters that are accepted, want 1", uti, at, granted)
			}
		}
	}
}

func TestTrapDTwoEqualNamesAreRefusedEvenIfTheyAgree(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	for _, name := range []string{"aud", "iss", "exp", "tid", "scp", "oid", "ver", "idtyp"} {
		first := claimsText()[strings.Index(claimsText(), `"`+name+`"`):]
		first = first[:strings.IndexAny(first, ",}")]
		t.Run("trap (d) "+name+" twice is refused: 401 malformed", func(t *testing.T) {
			assertVerdict(t, presentToken(t, stage, rsaK1().token(t, rsaK1().header(), swap(t, claimsText(), "{", "{"+first+","))), "401 malformed")
		})
	}
}

// Trap (e), A19: a variant never stands for the claim itself, on either side of it.
func TestTrapEAnotherSpellingOfAClaimIsNeverThatClaim(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	past, future := "1795400000", "1795499999"
	edited := func(old, new, extra string) string {
		text := claimsText()
		if old != "" {
			text = swap(t, text, old, new)
		}
		before := presentToken(t, stage, rsaK1().token(t, rsaK1().header(), swap(t, text, "{", "{"+extra+",")))
		after := presentToken(t, stage, rsaK1().token(t, rsaK1().header(), text[:len(text)-1]+","+extra+"}"))
		if before != after {
			t.Errorf("%s: got %s in front and %s behind, want the same", extra, before, after)
		}
		return before
	}
	aud, exp, tid := `"aud":"`+ordersID+`"`, `"exp":1795439700`, `"tid":"`+home+`"`
	for name, c := range map[string][2]string{
		"AUD of ours beside another aud":          {edited(aud, `"aud":"`+stockID+`"`, `"AUD":"`+ordersID+`"`), "401 wrong_audience"},
		"AUD of ours, no aud":                     {edited(aud+",", "", `"AUD":"`+ordersID+`"`), "401 wrong_audience"},
		"AUD of another beside our aud":           {edited("", "", `"AUD":"`+stockID+`"`), "granted"},
		"Exp in the future beside an old exp":     {edited(exp, `"exp":`+past, `"Exp":`+future), "401 token_expired"},
		"EXP in the future, no exp":               {edited(exp+",", "", `"EXP":`+future), "401 exp_missing"},
		"EXP in the past beside a good exp":       {edited("", "", `"EXP":`+past), "granted"},
		"TID of ours beside another tid":          {edited(tid, `"tid":"`+foreign+`"`, `"TID":"`+home+`"`), "401 tenant_mismatch"},
		"TID of another beside our tid":           {edited("", "", `"TID":"`+foreign+`"`), "granted"},
		"Ver of ours, no ver":                     {edited(`,"ver":"2.0"`, "", `"Ver":"2.0"`), "401 tenant_mismatch"},
		"iſs (U+017F) of ours beside another iss": {edited(`"iss":"`+idpIssuer, `"iss":"https://evil.example`, `"iſs":"`+idpIssuer+`"`), "401 issuer_not_trusted"},
		"iſs (U+017F) of ours, no iss":            {edited(`"iss":"`+idpIssuer+`",`, "", `"iſs":"`+idpIssuer+`"`), "401 issuer_not_trusted"},
		"a CNF in another case":                   {edited("", "", `"CNF":{"jkt":"x"}`), "granted"},
		"aud with a zero-width space":             {edited(aud, `"aud":"`+stockID+`"`, `"aud\u200b":"`+ordersID+`"`), "401 wrong_audience"},
	} {
		t.Run("trap (e) "+name+": "+c[1], func(t *testing.T) { assertVerdict(t, c[0], c[1]) })
	}
	for _, extra := range []string{`"iſs":"https://evil.example"`, `"ISS":"https://evil.example"`, `"AUD":5`, `"Exp":"soon"`, `"NBF":{}`, `"SUB":{}`, `"Nonce":"n"`, `"_Claim_Names":{"groups":"nowhere"}`} {
		t.Run("trap (e), A19 "+extra+" beside a good claim is ignored, in any order: granted", func(t *testing.T) {
			assertVerdict(t, edited("", "", extra), "granted")
		})
	}
}

func TestTrapEAnotherSpellingGivesNoPower(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	text := swap(t, claimsText(), `"scp":"Orders.Read"`, `"SCP":"Orders.Read","Roles":["Admin"],"ROLES":["Admin"],"Idtyp":"app"`)
	call, refused := send(t.Context(), stage, "Bearer "+rsaK1().token(t, rsaK1().header(), text))
	if refused != nil {
		t.Fatalf("got %s, want granted", verdictOf(refused))
	}
	if id := call.Identity; len(id.Scopes)+len(id.Roles) != 0 || id.Principal.String() != "user" {
		t.Errorf("got scopes %v, roles %v, %s; want none, none, user", id.Scopes, id.Roles, id.Principal)
	}
}

func TestTrapFTheTypeOfATokenIsChecked(t *testing.T) {
	k := rsaK1()
	p := newIDP(k.jwk())
	plain := p.trusted()
	plain.Tenant, plain.TokenVersion, plain.Profile = "", "", contract.ProfileOAuth // an issuer that isn't Entra
	entras, others := p.stage(), p.stageFor(plain, "RS256")
	for typ, want := range map[string][2]string{ // at Entra, elsewhere
		`"JWT"`:                         {"granted", "granted"},
		`"jwt"`:                         {"401 wrong_token_type", "granted"},
		`"at+jwt"`:                      {"401 wrong_token_type", "granted"},
		`"AT+JWT"`:                      {"401 wrong_token_type", "granted"},
		`"application/at+jwt"`:          {"401 wrong_token_type", "granted"},
		`"application/jwt"`:             {"401 wrong_token_type", "granted"},
		`""`:                            {"401 wrong_token_type", "granted"},
		`"dpop+jwt"`:                    {"401 wrong_token_type", "401 wrong_token_type"},
		`"logout+jwt"`:                  {"401 wrong_token_type", "401 wrong_token_type"},
		`"secevent+jwt"`:                {"401 wrong_token_type", "401 wrong_token_type"},
		`"JWT "`:                        {"401 wrong_token_type", "401 wrong_token_type"},
		`"x/at+jwt"`:                    {"401 wrong_token_type", "401 wrong_token_type"},
		`"application/application/jwt"`: {"401 wrong_token_type", "401 wrong_token_type"},
		`null`:                          {"401 malformed", "401 malformed"},
		`["JWT"]`:                       {"401 malformed", "401 malformed"},
	} {
		header := `{"typ":` + typ + `,"alg":"RS256","kid":"k1"}`
		t.Run("trap (f) typ "+typ+" of Entra: "+want[0], func(t *testing.T) {
			assertVerdict(t, presentToken(t, entras, k.token(t, header, claimsText())), want[0])
		})
		t.Run("trap (f) typ "+typ+" of another issuer: "+want[1], func(t *testing.T) {
			assertVerdict(t, presentToken(t, others, k.token(t, header, claimsText())), want[1])
		})
	}
}

func TestTrapGAnyCritIsRefused(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	for _, members := range []string{`"crit":[]`, `"crit":["exp"],"exp":1`, `"crit":["b64"],"b64":true`, `"crit":["b64"],"b64":false`, `"b64":true`, `"b64":false`, `"crit":null`, `"crit":"b64"`, `"crit":["x"]`, `"crit":{}`} {
		t.Run("trap (g) "+members+" is refused: 401 malformed", func(t *testing.T) {
			assertVerdict(t, presentToken(t, stage, rsaK1().token(t, `{"typ":"JWT","alg":"RS256","kid":"k1",`+members+`}`, claimsText())), "401 malformed")
		})
	}
}

func TestTrapJATextThatIsNotUTF8IsRefused(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	for name, bytes := range map[string]string{"a lone continuation": "\x80", "an overlong slash": "\xc0\xaf", "an overlong NUL": "\xc0\x80", "a surrogate": "\xed\xa0\x80", "beyond Unicode": "\xf4\x90\x80\x80", "cut off": "\xe2\x82", "an unpaired escape": `\ud800`, "a reversed pair": `\udc00\ud800`, "half a pair": `\ud83d\u0041`} {
		for where, token := range map[string]string{
			"a value":    rsaK1().token(t, rsaK1().header(), swap(t, claimsText(), "u-1", bytes)),
			"a name":     rsaK1().token(t, rsaK1().header(), swap(t, claimsText(), "{", `{"`+bytes+`":1,`)),
			"the header": rsaK1().token(t, swap(t, rsaK1().header(), "{", `{"x":"`+bytes+`",`), claimsText()),
		} {
			t.Run("trap (j) "+name+" in "+where+" is refused: 401 malformed", func(t *testing.T) {
				assertVerdict(t, presentToken(t, stage, token), "401 malformed")
			})
		}
	}
}

func TestClaimsReachTheIdentityAsTheyWereWritten(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage := p.trusted()
	trust := NewTrust(planOf([]string{"RS256"}, stage), p, p.clock.Now, Options{})
	verify := trust.Verify([]contract.Accepted{{Issuer: stage, Audiences: []string{ordersID}}}, contract.Proof{})
	text := swap(t, claimsText(), "{", `{"big":12345678901234567890,"small":1.50,"esc":"a\u0000\n\ud83d\ude00é","on":true,"none":null,"https://x.example/a.b":"dotted",`)
	call, refused := send(t.Context(), verify, "Bearer "+rsaK1().token(t, rsaK1().header(), text))
	if refused != nil {
		t.Fatal(verdictOf(refused))
	}
	for name, want := range map[string]string{"big": "12345678901234567890", "small": "1.50", "esc": "a\x00\n😀é", "on": "true", "https://x.example/a.b": "dotted"} {
		if got, _ := call.Identity.Claims.Texts(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, ok := call.Identity.Claims.Texts("none"); ok {
		t.Error("none: got a text, want none")
	}
}
