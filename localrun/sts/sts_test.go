package sts_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standin "tollgate/localrun/sts"
	"tollgate/shared/credential/sts"
)

func serve(t *testing.T) (*standin.STS, string) {
	t.Helper()
	s := standin.New(standin.Options{KeyID: "ASIAX", Session: "session", Mint: func(audience string, life time.Duration) (string, error) {
		return "aa.bb.cc", nil
	}})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func TestTheGatewaysOwnClientGetsAToken(t *testing.T) {
	_, url := serve(t)
	for id, good := range map[string]bool{"ASIAX": true, "ASIAY": false} {
		source := sts.Source{
			Keys: func() sts.Keys { return sts.Keys{ID: id, Secret: "secret", Session: "session"} }, Region: "eu-central-1", Endpoint: url,
			Transport: http.DefaultTransport, Now: time.Now,
		}
		token, _, err := source.Token(t.Context())
		if (err == nil) != good || good && token != "aa.bb.cc" {
			t.Errorf("as %s: got %q, %v", id, token, err)
		}
	}
}

func TestOnlyWhatTheRolesPolicyAllowsIsGiven(t *testing.T) {
	s, url := serve(t)
	const good = "Action=GetWebIdentityToken&Version=2011-06-15&Audience.member.1=api://AzureADTokenExchange&SigningAlgorithm=RS256&DurationSeconds=300"
	for form, want := range map[string]string{
		good: "<WebIdentityToken>aa.bb.cc<",
		strings.Replace(good, "=300", "=3600", 1):                            "AccessDenied",
		strings.Replace(good, "=300", "=10", 1):                              "ValidationError",
		strings.Replace(good, "RS256", "ES384", 1):                           "AccessDenied",
		strings.Replace(good, "AzureADTokenExchange", "another", 1):          "AccessDenied",
		strings.Replace(good, "GetWebIdentityToken", "GetCallerIdentity", 1): "InvalidAction",
	} {
		r, _ := http.NewRequest(http.MethodPost, url+"/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=ASIAX/20261126/eu-central-1/sts/aws4_request, SignedHeaders=host, Signature=00")
		r.Header.Set("X-Amz-Security-Token", "session")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.Contains(string(text), want) {
			t.Errorf("%s: got %s, want %s", form, text, want)
		}
	}
	if s.Asked() != 6 {
		t.Errorf("got %d, want 6", s.Asked())
	}
}
