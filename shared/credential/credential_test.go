package credential_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/shared/credential"
	"tollgate/shared/renewal"
)

// canned answers every request with one text, and keeps the last one asked.
type canned struct {
	status int
	body   string
	err    error
	calls  atomic.Int64
	last   *http.Request
	form   url.Values
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	c.calls.Add(1)
	c.last = r
	if r.Body != nil {
		text, _ := io.ReadAll(r.Body)
		c.form, _ = url.ParseQuery(string(text))
	}
	if c.err != nil {
		return nil, c.err
	}
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

func at() (string, string) { return "http://127.0.0.1:1/msi/token", "the-header" }

func token(text string, life time.Duration) string {
	return fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_on":"%d"}`, text, time.Now().Add(life).Unix())
}

func TestTheIdentityIsAskedAsAppServiceWantsIt(t *testing.T) {
	c := &canned{status: 200, body: token("t1", 24*time.Hour)}
	i := credential.NewIdentity(at, c, time.Now)
	for range 3 {
		if got, err := i.Token(t.Context(), "id", "api://b/.default"); err != nil || got != "t1" {
			t.Fatalf("got %q, %v, want t1", got, err)
		}
	}
	if q := c.last.URL.RawQuery; q != "api-version=2019-08-01&client_id=id&resource=api%3A%2F%2Fb" || c.last.Header.Get("X-IDENTITY-HEADER") != "the-header" || c.calls.Load() != 1 {
		t.Errorf("got %d requests, the last %s %v, want one by the protocol", c.calls.Load(), q, c.last.Header)
	}
	_, _ = i.Token(t.Context(), "", "api://b/.default")
	if c.last.URL.Query().Has("client_id") {
		t.Errorf("got %s, want no client_id for the system-assigned identity", c.last.URL)
	}
}

func TestWhatIsNoTokenIsAFailureThatRepeatsNothing(t *testing.T) {
	for name, c := range map[string]*canned{
		"a page":             {status: 200, body: "<html>hunter2"},
		"no token":           {status: 200, body: `{"token_type":"Bearer","expires_on":"4102444800"}`},
		"a line break in it": {status: 200, body: token("hunter2\nX-Evil: 1", time.Hour)},
		"another kind":       {status: 200, body: strings.Replace(token("hunter2", time.Hour), "Bearer", "MAC", 1)},
		"an expired one":     {status: 200, body: token("hunter2", -time.Hour)},
		"a second left":      {status: 200, body: token("hunter2", time.Second)},
		"no time":            {status: 200, body: `{"access_token":"hunter2","token_type":"Bearer"}`},
		"a false time":       {status: 200, body: `{"access_token":"hunter2","token_type":"Bearer","expires_on":"hunter2"}`},
		"too much":           {status: 200, body: token(strings.Repeat("hunter2", 50_000), time.Hour)},
		"a no":               {status: 400, body: "hunter2"},
		"a redirect":         {status: 302, body: "hunter2"},
		"a broken network":   {err: errors.New("hunter2")},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := credential.NewIdentity(at, c, time.Now).Token(t.Context(), "", "api://b/.default")
			down, ok := errors.AsType[*renewal.Unavailable](err)
			if !ok || got != "" || down.Wait <= 0 || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "the-header") {
				t.Errorf("got %q, %v, want unavailable, and nothing of the answer told", got, err)
			}
		})
	}
}

func TestWithoutAnIdentityNothingIsAsked(t *testing.T) {
	c := &canned{status: 200, body: token("t1", time.Hour)}
	i := credential.NewIdentity(func() (string, string) { return "", "" }, c, time.Now)
	if _, err := i.Token(t.Context(), "", "x/.default"); err == nil || !strings.Contains(err.Error(), "assign one to the Function App") || c.calls.Load() != 0 {
		t.Errorf("got %v after %d requests, want an error that says what to do", err, c.calls.Load())
	}
}

func TestARegistrationIsProvedByTheIdentitysToken(t *testing.T) {
	c := &canned{status: 200, body: `{"access_token":"t1","token_type":"Bearer","expires_in":3600,"expires_on":"4102444800"}`}
	e := credential.NewEntra(credential.NewIdentity(at, c, time.Now), c, time.Now, func() string { return "id" })
	got, err := e.Federated(t.Context(), credential.Federation{Endpoint: "https://login.example/t/oauth2/v2.0/token", ClientID: "app", Identity: "id", Scope: "api://b/.default"})
	want := "client_assertion=t1&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_id=app&grant_type=client_credentials&scope=api%3A%2F%2Fb%2F.default"
	if err != nil || got != "t1" || c.form.Encode() != want {
		t.Errorf("got %q, %v and %s, want t1 and %s", got, err, c.form.Encode(), want)
	}
}

func TestTheExchangeKeepsNoMoreThanItsBound(t *testing.T) {
	c := &canned{status: 200, body: `{"access_token":"t1","token_type":"Bearer","expires_in":3600}`}
	e := credential.NewEntra(nil, c, time.Now, nil)
	exchange := func(user int) {
		_, err := e.OnBehalfOf(t.Context(), credential.Exchange{
			Endpoint: "https://login.example/t", ClientID: "app", Scope: "s", Assertion: fmt.Sprint("user", user),
			Proof: func(context.Context) (url.Values, error) { return e.BySecret("s"), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for user := range credential.Exchanged + 1 {
		exchange(user)
	}
	before := c.calls.Load()
	exchange(credential.Exchanged) // the newest is kept
	exchange(0)                    // the oldest is not
	if n := c.calls.Load() - before; n != 1 {
		t.Errorf("got %d requests, want one", n)
	}
}

func TestARegistrationThatCanNotBeProvedHoldsNobodyElseUp(t *testing.T) {
	c := &canned{status: 200, body: `{"access_token":"t1","token_type":"Bearer","expires_in":3600}`}
	e := credential.NewEntra(nil, c, time.Now, nil)
	exchange := func(app string, why error) (string, error) {
		return e.OnBehalfOf(t.Context(), credential.Exchange{
			Endpoint: "https://login.example/t", ClientID: app, Scope: "s", Assertion: "user",
			Proof: func(context.Context) (url.Values, error) { return e.BySecret("s"), why },
		})
	}
	missing := errors.New("there is no such secret")
	if _, err := exchange("one", missing); !errors.Is(err, missing) {
		t.Errorf("got %v, want %v", err, missing)
	}
	if got, err := exchange("other", nil); err != nil || got != "t1" {
		t.Errorf("got %q, %v, want the other registration's exchange to go on", got, err)
	}
}
