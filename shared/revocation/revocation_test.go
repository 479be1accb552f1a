package revocation_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
	"tollgate/shared/revocation"
)

const other = "99999999-9999-9999-9999-999999999999"

// entry is one of that subject, up to the second 1000.
func entry(t testing.TB, kind revocation.Kind, issuer, tenant, id string) revocation.Entry {
	t.Helper()
	s, err := revocation.Of(kind, issuer, tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return revocation.Entry{Subject: s, NotBefore: time.Unix(1000, 0)}
}

func judged(c *pipeline.Call, entries ...revocation.Entry) *refusal.Refusal {
	return revocation.Refuse(revocation.Fixed(revocation.NewList(entries)), "https://login.microsoftonline.com")(context.Background(), c)
}

// caller is a token of Entra.
func caller(claims pipeline.Claims) *pipeline.Call {
	c := pipeline.Claims{"tid": tid, "oid": oid, "uti": "Ab-1", "iat": pipeline.Number("1000")}
	for name, v := range claims {
		if c[name] = v; v == nil {
			delete(c, name)
		}
	}
	return &pipeline.Call{Identity: &pipeline.Identity{Authority: "entra/" + tid, Principal: pipeline.User, Claims: c}}
}

func foreign(claims pipeline.Claims) *pipeline.Call {
	return &pipeline.Call{Identity: &pipeline.Identity{Authority: "okta/", Claims: claims}}
}

func withKey(created int64) *pipeline.Call {
	return &pipeline.Call{Subscription: &pipeline.Subscription{ID: "sub-1", Created: time.Unix(created, 0)}}
}

func TestWhoIsCutOff(t *testing.T) {
	v1, v2 := pipeline.Claims{"appid": appID, "ver": "1.0"}, pipeline.Claims{"azp": appID, "ver": "2.0"}
	user, app := entry(t, revocation.User, "", strings.ToUpper(tid), strings.ToUpper(oid)), entry(t, revocation.Client, "", "", appID)
	one, tenant, all := entry(t, revocation.Token, "", tid, "Ab-1"), entry(t, revocation.Tenant, "", tid, ""), entry(t, revocation.All, "", "", "")
	sub := entry(t, revocation.Subscription, "", "", "sub-1")
	for _, tc := range []struct {
		promise string
		call    *pipeline.Call
		entry   revocation.Entry
		code    string
	}{
		{"a user's v1 token is refused", caller(v1), user, "token_revoked"},
		{"a user's v2 token is refused", caller(v2), user, "token_revoked"},
		{"another user's isn't", caller(pipeline.Claims{"oid": other}), user, ""},
		{"the same oid of another tenant is another user", caller(nil), entry(t, revocation.User, "", other, oid), ""},
		{"a client's v1 token is refused", caller(v1), app, "token_revoked"},
		{"a client's v2 token is refused", caller(v2), app, "token_revoked"},
		{"a client is told in any case of its letters", caller(pipeline.Claims{"azp": strings.ToUpper(appID)}), app, "token_revoked"},
		{"a token that names two clients is the worse one's", caller(pipeline.Claims{"azp": other, "appid": appID}), app, "token_revoked"},
		{"another client's isn't", caller(pipeline.Claims{"azp": other}), app, ""},
		{"a token is refused by its uti", caller(nil), one, "token_revoked"},
		{"a uti in other letters is another token's", caller(pipeline.Claims{"uti": "aB-1"}), one, ""},
		{"a token without uti isn't that one", caller(pipeline.Claims{"uti": nil}), one, ""},
		{"a tenant's token is refused", caller(nil), tenant, "token_revoked"},
		{"another tenant's isn't", caller(nil), entry(t, revocation.Tenant, "", other, ""), ""},
		{"another issuer's token is of no tenant, whatever it says", foreign(pipeline.Claims{"tid": tid}), tenant, ""},
		{"everything is refused", caller(nil), all, "token_revoked"},
		{"everything is refused, another issuer's too", foreign(nil), all, "token_revoked"},
		{"everything is refused, keys too", withKey(1000), all, "key_revoked"},
		{"a token issued a second later isn't", caller(pipeline.Claims{"iat": pipeline.Number("1001")}), all, ""},
		{"a token issued a second before is", caller(pipeline.Claims{"iat": pipeline.Number("999")}), all, "token_revoked"},
		{"a token that doesn't say when is", caller(pipeline.Claims{"iat": nil}), user, "token_revoked"},
		{"unless nothing is about it", caller(pipeline.Claims{"iat": nil, "oid": other}), user, ""},
		{"a key made that second is refused", withKey(1000), sub, "key_revoked"},
		{"a key made a second later isn't", withKey(1001), sub, ""},
		{"another subscription's isn't", withKey(1), entry(t, revocation.Subscription, "", "", "sub-2"), ""},
		{"a key is not a user's", withKey(1), user, ""},
		{"another issuer's user is told by sub", foreign(pipeline.Claims{"sub": "Jo"}), entry(t, revocation.User, "okta", "", "Jo"), "token_revoked"},
		{"its sub is exact", foreign(pipeline.Claims{"sub": "jo"}), entry(t, revocation.User, "okta", "", "Jo"), ""},
		{"a sub of one issuer is nobody at another", foreign(pipeline.Claims{"sub": "Jo"}), entry(t, revocation.User, "auth0", "", "Jo"), ""},
		{"so is External ID's, by oid too", foreign(pipeline.Claims{"sub": "x", "oid": "Jo"}), entry(t, revocation.User, "okta", "", "Jo"), "token_revoked"},
		{"Entra's sub is nobody's name", caller(pipeline.Claims{"oid": other, "sub": oid}), user, ""},
		{"its client is told by client_id", foreign(pipeline.Claims{"client_id": "web"}), entry(t, revocation.Client, "okta", "", "web"), "token_revoked"},
		{"its token is told by jti", foreign(pipeline.Claims{"jti": "7"}), entry(t, revocation.Token, "okta", "", "7"), "token_revoked"},
		{"Entra's client of that id is another one", foreign(pipeline.Claims{"azp": appID}), app, ""},
		{"a call with neither goes on", &pipeline.Call{}, all, ""},
	} {
		code := ""
		if r := judged(tc.call, tc.entry); r != nil {
			code = r.Code
			if r.Kind != refusal.Unauthenticated || !strings.Contains(r.Cause(), tc.entry.Name()) {
				t.Errorf("%s: got kind %v, cause %q; want 401 and the entry's name", tc.promise, r.Kind, r.Cause())
			}
		}
		if code != tc.code {
			t.Errorf("%s: got %q, want %q", tc.promise, code, tc.code)
		}
	}
}

func TestOnlyAClientThatUnderstandsIsChallenged(t *testing.T) {
	all, user := entry(t, revocation.All, "", "", ""), entry(t, revocation.User, "", tid, oid)
	user.NotBefore = time.Unix(2000, 0)
	for _, tc := range []struct {
		promise string
		call    *pipeline.Call
		want    string
	}{
		{"cp1, in any case: a token from after the latest entry", caller(pipeline.Claims{"xms_cc": []any{"CP1"}}), `{"access_token":{"nbf":{"essential":true,"value":"2000"}}}`},
		{"no cp1: an invalid token", caller(nil), ""},
		{"another issuer: an invalid token", foreign(pipeline.Claims{"xms_cc": []any{"cp1"}}), ""},
	} {
		r := judged(tc.call, all, user)
		if r == nil {
			t.Fatalf("%s: got no refusal", tc.promise)
		}
		claims, err := base64.StdEncoding.DecodeString(r.Challenge.Claims)
		wantError := "invalid_token"
		if tc.want != "" {
			wantError = "insufficient_claims"
		}
		if err != nil || string(claims) != tc.want || r.Challenge.Error != wantError || r.Code != "token_revoked" {
			t.Errorf("%s: got %q (%v), error %s, code %s; want %q, %s", tc.promise, claims, err, r.Challenge.Error, r.Code, tc.want, wantError)
		}
		if uri := r.Challenge.AuthorizationURI; tc.want != "" && uri != "https://login.microsoftonline.com/common/oauth2/authorize" {
			t.Errorf("got authorization_uri %s", uri)
		}
	}
}

func TestSlipsMakeNoSubject(t *testing.T) {
	for _, s := range [][4]string{
		{"user", "", "", oid}, {"user", "", tid, "jo@contoso.example"}, {"user", "", "contoso", oid}, {"client", "", "", "web"},
		{"token", "", "", "u"}, {"token", "", tid, ""}, {"token", "", tid, "a\nb"}, {"tenant", "", "", ""}, {"tenant", "okta", tid, ""},
		{"tenant", "", tid, "x"}, {"all", "", "", "x"}, {"subscription", "", "", ""}, {"user", "okta", tid, "jo"}, {"user", "Okta!", "", "jo"},
		{"planet", "", "", "x"}, {"token", "", tid, strings.Repeat("x", 257)},
	} {
		if got, err := revocation.Of(revocation.Kind(s[0]), s[1], s[2], s[3]); err == nil {
			t.Errorf("%q: got %v, want an error", s, got)
		}
	}
}

func TestNoTwoSubjectsHaveOneName(t *testing.T) {
	seen := map[string]revocation.Subject{}
	for _, parts := range [][3]string{{"okta", "", "ab"}, {"okta", "", "a"}, {"okt", "", "aab"}, {"okta", "", "3:a"}, {"okta", "", "a:3"}} {
		for _, kind := range []revocation.Kind{revocation.User, revocation.Client, revocation.Token, revocation.Subscription} {
			s, err := revocation.Of(kind, parts[0], parts[1], parts[2])
			if err != nil {
				t.Fatal(err)
			}
			if before, there := seen[s.Name()]; there && before != s {
				t.Errorf("%v and %v are both %s", before, s, s.Name())
			}
			seen[s.Name()] = s
		}
	}
}

func BenchmarkNothingMatches(b *testing.B) {
	for _, many := range []int{0, 3, 10_000} {
		b.Run(fmt.Sprint(many), func(b *testing.B) {
			r := newRows()
			for i := range many {
				kind, id := revocation.User, fmt.Sprintf("%08d-0000-0000-0000-000000000000", i)
				switch i % 3 {
				case 1:
					kind = revocation.Client
				case 2:
					kind = revocation.Token
				}
				s, err := revocation.Of(kind, "", map[bool]string{true: tid}[kind != revocation.Client], id)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := r.book().Revoke(b.Context(), revocation.Order{Subject: s}); err != nil {
					b.Fatal(err)
				}
			}
			stage := revocation.Refuse(revocation.NewWatch(r, revocation.Options{Now: time.Now, Clock: r, MaxStale: time.Hour}), "")
			c := caller(pipeline.Claims{"azp": other, "uti": "another"})
			b.ReportAllocs()
			for b.Loop() {
				if refused := stage(b.Context(), c); refused != nil {
					b.Fatal(refused.Code)
				}
			}
		})
	}
}

func TestNothingIsAllocatedWhereNothingMatches(t *testing.T) {
	stage := revocation.Refuse(revocation.Fixed(revocation.NewList([]revocation.Entry{
		entry(t, revocation.User, "", tid, other), entry(t, revocation.Client, "", "", other), entry(t, revocation.Token, "", tid, "x"),
	})), "")
	c := caller(pipeline.Claims{"azp": appID})
	if n := testing.AllocsPerRun(100, func() { stage(context.Background(), c) }); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}
