package credential_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tollgate/shared/credential"
	"tollgate/shared/renewal"
)

const entra = "https://login.example/t/oauth2/v2.0/token"

// stated is a platform that says who we are, and counts how often.
func stated(asked *int) credential.Statement {
	return func(context.Context) (string, renewal.Until, error) {
		*asked++
		return "statement", renewal.Until{Renew: time.Now().Add(2 * time.Minute), End: time.Now().Add(4 * time.Minute)}, nil
	}
}

func TestOutsideAzureTheStatementProvesARegistration(t *testing.T) {
	asked, c := 0, &canned{status: 200, body: `{"access_token":"t1","token_type":"Bearer","expires_in":3600}`}
	i := credential.NewFederated(stated(&asked), entra, c, time.Now)
	for _, scope := range []string{"https://storage.azure.com/.default", "https://storage.azure.com/.default", "https://vault.azure.net/.default"} {
		if got, err := i.Token(t.Context(), "app", scope); err != nil || got != "t1" {
			t.Fatalf("got %q, %v, want t1", got, err)
		}
	}
	want := "client_assertion=statement&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_id=app&grant_type=client_credentials&scope=https%3A%2F%2Fvault.azure.net%2F.default"
	if c.form.Encode() != want || c.last.URL.String() != entra {
		t.Errorf("got %s of %s, want %s", c.form.Encode(), c.last.URL, want)
	}
	if asked != 1 || c.calls.Load() != 2 {
		t.Errorf("got %d statements and %d requests to Entra, want one, and one for each scope", asked, c.calls.Load())
	}
}

func TestOutsideAzureTheStatementItselfProvesOtherRegistrations(t *testing.T) {
	asked, c := 0, &canned{status: 200, body: `{"access_token":"t1","token_type":"Bearer","expires_in":3600}`}
	e := credential.NewEntra(credential.NewFederated(stated(&asked), entra, c, time.Now), c, time.Now, func() string { return "id" })
	for _, app := range []string{"one", "other"} {
		got, err := e.Federated(t.Context(), credential.Federation{Endpoint: "https://login.example/other", ClientID: app, Identity: app, Scope: "api://b/.default"})
		if err != nil || got != "t1" || c.form.Get("client_assertion") != "statement" || c.form.Get("client_id") != app {
			t.Errorf("got %q, %v and %s, want t1 by the statement", got, err, c.form.Encode())
		}
	}
	if asked != 1 {
		t.Errorf("got %d statements, want one", asked)
	}
}

func TestOutsideAzureThereIsNoIdentityWithoutAName(t *testing.T) {
	asked, c := 0, &canned{}
	_, err := credential.NewFederated(stated(&asked), entra, c, time.Now).Token(t.Context(), "", "x/.default")
	if err == nil || !strings.Contains(err.Error(), "identities: gateway:") || asked != 0 || c.calls.Load() != 0 {
		t.Errorf("got %v, %d statements and %d requests, want an error that says what to write", err, asked, c.calls.Load())
	}
}

func TestWithoutAStatementEntraIsNotAsked(t *testing.T) {
	c, why := &canned{}, errors.New("ask AWS STS: it answered 403 AccessDenied")
	i := credential.NewFederated(func(context.Context) (string, renewal.Until, error) { return "", renewal.Until{}, why }, entra, c, time.Now)
	_, err := i.Token(t.Context(), "app", "x/.default")
	if _, ok := errors.AsType[*renewal.Unavailable](err); !ok || !errors.Is(err, why) || c.calls.Load() != 0 {
		t.Errorf("got %v after %d requests, want unavailable, and why", err, c.calls.Load())
	}
}
