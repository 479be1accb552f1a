package issuer_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ask(members ...string) url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {partner}, "client_secret": {"s3cret+/"}}
	for at := 0; at < len(members); at += 2 {
		form.Set(members[at], members[at+1])
	}
	return form
}

func basic(user, password string) http.Header {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(url.QueryEscape(user), url.QueryEscape(password))
	return r.Header
}

func TestAClientGetsTheRolesItWasAssigned(t *testing.T) {
	s := start(t)
	status, got := s.form(t, "/"+other+"/oauth2/v2.0/token", ask("scope", ordersURI+"/.default"), nil)
	if status != 200 || got["token_type"] != "Bearer" || got["expires_in"] != 4500.0 {
		t.Fatalf("got %d %v", status, got)
	}
	text := got["access_token"].(string)
	if _, err := s.verifier(t, s.url+"/"+other+"/v2.0", ordersID).Verify(t.Context(), text); err != nil {
		t.Error(err)
	}
	_, claims, _ := parts(t, text)
	if diff := cmp.Diff([]any{"DataReader"}, claims["roles"]); diff != "" || claims["azp"] != partner || claims["tid"] != other {
		t.Errorf("got azp %v, tid %v, roles (-want +got):\n%s", claims["azp"], claims["tid"], diff)
	}
}

func TestAClientWithoutRolesGetsATokenWithout(t *testing.T) {
	s := start(t)
	_, got := s.form(t, "/"+home+"/oauth2/v2.0/token", ask("scope", stockID+"/.default"), nil)
	_, claims, _ := parts(t, got["access_token"].(string))
	if _, there := claims["roles"]; there || claims["aud"] != stockID {
		t.Errorf("got roles %v for %v, want none", claims["roles"], claims["aud"])
	}
}

func TestTheOlderEndpointAnswersInItsOwnWay(t *testing.T) {
	s := start(t)
	// v1 spells the audience as the client did: URI, with a slash, or id.
	for _, resource := range []string{ordersURI, ordersURI + "/", ordersID} {
		status, got := s.form(t, "/"+home+"/oauth2/token", ask("resource", resource), nil)
		if status != 200 || got["expires_in"] != "4500" || got["resource"] != resource {
			t.Fatalf("got %d %v", status, got)
		}
		if _, err := s.verifier(t, s.url+"/"+home+"/", resource).Verify(t.Context(), got["access_token"].(string)); err != nil {
			t.Error(err)
		}
	}
}

func TestAClientMayUseHTTPBasic(t *testing.T) {
	s := start(t)
	form := ask("scope", ordersURI+"/.default")
	form.Del("client_id")
	form.Del("client_secret")
	if status, got := s.form(t, "/"+home+"/oauth2/v2.0/token", form, basic(partner, "s3cret+/")); status != 200 {
		t.Errorf("got %d %v, want 200", status, got)
	}
	if status, got := s.form(t, "/"+home+"/oauth2/v2.0/token", form, basic(partner, "wrong")); status != 401 || got["error"] != "invalid_client" {
		t.Errorf("got %d %v, want 401 invalid_client", status, got)
	}
}

func TestTheTokenEndpointRefusesInTheWordsOfRFC6749(t *testing.T) {
	s := start(t)
	good := ordersURI + "/.default"
	twice := ask("scope", good)
	twice.Add("scope", good)
	for name, test := range map[string]struct {
		form   url.Values
		header http.Header
		status int
		word   string
	}{
		"no grant":           {url.Values{}, nil, 400, "invalid_request"},
		"another grant":      {ask("grant_type", "password"), nil, 400, "unsupported_grant_type"},
		"no client":          {ask("client_id", ""), nil, 400, "invalid_request"},
		"an unknown client":  {ask("client_id", "x", "scope", good), nil, 401, "invalid_client"},
		"a wrong secret":     {ask("client_secret", "x", "scope", good), nil, 401, "invalid_client"},
		"no secret":          {ask("client_id", daemon, "client_secret", "", "scope", good), nil, 401, "invalid_client"},
		"two proofs":         {ask("scope", good), basic(partner, "s3cret+/"), 400, "invalid_request"},
		"no scope":           {ask(), nil, 400, "invalid_request"},
		"a delegated scope":  {ask("scope", ordersURI+"/Orders.Read"), nil, 400, "invalid_scope"},
		"an unknown API":     {ask("scope", "api://x/.default"), nil, 400, "invalid_scope"},
		"a repeated member":  {twice, nil, 400, "invalid_request"},
		"an oversized form":  {ask("scope", strings.Repeat("x", 80<<10)), nil, 400, "invalid_request"},
		"a v1 resource here": {ask("resource", ordersURI), nil, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			status, got := s.form(t, "/"+home+"/oauth2/v2.0/token", test.form, test.header)
			if status != test.status || got["error"] != test.word || got["error_codes"] == nil {
				t.Errorf("got %d %v, want %d %s", status, got, test.status, test.word)
			}
		})
	}
	if status, got := s.form(t, "/"+home+"/oauth2/token", ask("resource", "api://x"), nil); status != 400 || got["error"] != "invalid_resource" {
		t.Errorf("got %d %v, want 400 invalid_resource", status, got)
	}
}

func TestAGrantIsReadFromTheBodyOnly(t *testing.T) {
	s := start(t)
	path := "/" + home + "/oauth2/v2.0/token?" + ask("scope", ordersURI+"/.default").Encode()
	if status, got := s.form(t, path, nil, nil); status != 400 || got["error"] != "invalid_request" {
		t.Errorf("got %d %v, want 400 invalid_request", status, got)
	}
}
