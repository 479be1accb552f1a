package refusal_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate/shared/refusal"
)

var about = refusal.About{Realm: "contoso", Correlation: "c-1"}

func TestARefusalIsAProblemDocument(t *testing.T) {
	w := httptest.NewRecorder()
	refusal.Write(w, about, refusal.New(refusal.Unauthenticated, "token_expired", "The token has expired.").
		Because(errors.New("exp of oid 4711 at backend.internal")))

	if w.Code != 401 {
		t.Errorf("got status %d, want 401", w.Code)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("got content type %q, want application/problem+json", got)
	}
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("decode body: %v", err)
	}
	want := map[string]any{"title": "Unauthorized", "status": 401.0, "detail": "The token has expired.",
		"code": "token_expired", "correlationId": "c-1"}
	for k, v := range want {
		if body[k] != v {
			t.Errorf("got %s = %v, want %v", k, body[k], v)
		}
	}
	if strings.Contains(w.Body.String(), "4711") {
		t.Error("the private cause reached the caller")
	}
}

func TestTheChallengeFollowsRFC6750(t *testing.T) {
	cases := map[string]struct {
		r    *refusal.Refusal
		want string
	}{
		"no credentials: no error attribute": {
			refusal.New(refusal.Unauthenticated, "token_missing", "Send a token.").Challenging(refusal.Challenge{}),
			`Bearer realm="contoso"`},
		"a bad token names invalid_token": {
			refusal.New(refusal.Unauthenticated, "token_expired", "The token has expired."),
			`Bearer realm="contoso", error="invalid_token", error_description="The token has expired."`},
		"a missing scope names the scopes that would do": {
			refusal.New(refusal.Forbidden, "insufficient_scope", "More is needed.").
				Challenging(refusal.Challenge{Error: "insufficient_scope", Scope: []string{"A", "B"}}),
			`Bearer realm="contoso", error="insufficient_scope", error_description="More is needed.", scope="A B"`},
		"quotes, backslashes and line breaks can't leave the quoted string": {
			refusal.New(refusal.Unauthenticated, "x", "a\"b\\c\r\nSet-Cookie: d=é"),
			`Bearer realm="contoso", error="invalid_token", error_description="abcSet-Cookie: d="`},
		"other kinds send none": {refusal.New(refusal.NotFound, "no_route", "Nothing here."), ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			refusal.Write(w, about, c.r)
			if got := w.Header().Get("WWW-Authenticate"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestHeadersThatGoWithAKind(t *testing.T) {
	w := httptest.NewRecorder()
	r := refusal.New(refusal.MethodNotAllowed, "method_not_allowed", "Not with this method.")
	r.Allow = []string{"GET", "HEAD"}
	refusal.Write(w, about, r)
	if got := w.Header().Get("Allow"); got != "GET, HEAD" {
		t.Errorf("got Allow %q, want GET, HEAD", got)
	}

	w = httptest.NewRecorder()
	refusal.Write(w, about, refusal.New(refusal.Unavailable, "keys_unavailable", "Later.").Retry(1500*time.Millisecond))
	if got := w.Header().Get("Retry-After"); got != "2" {
		t.Errorf("got Retry-After %q, want whole seconds, rounded up: 2", got)
	}

	w = httptest.NewRecorder()
	refusal.Write(w, refusal.About{Head: true}, refusal.New(refusal.NotFound, "no_route", "Nothing here."))
	if w.Body.Len() != 0 {
		t.Errorf("got a body of %d bytes for HEAD, want none", w.Body.Len())
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("a refusal must not be cached")
	}
}
