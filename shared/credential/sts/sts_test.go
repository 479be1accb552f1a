package sts_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate/shared/credential/sts"
)

// canned answers with one text, and keeps what it was asked.
type canned struct {
	status int
	body   string
	err    error
	asked  *http.Request
	form   url.Values
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	text, _ := io.ReadAll(r.Body)
	c.asked = r
	c.form, _ = url.ParseQuery(string(text))
	if c.err != nil {
		return nil, c.err
	}
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

var now = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

func source(c *canned) *sts.Source {
	return &sts.Source{
		Keys: func() sts.Keys { return sts.Keys{ID: "ASIAX", Secret: "hunter2", Session: "session"} }, Region: "eu-central-1",
		Transport: c, Now: func() time.Time { return now },
	}
}

func granted(token string, life time.Duration) string {
	return `<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetWebIdentityTokenResult><WebIdentityToken>` + token +
		`</WebIdentityToken><Expiration>` + now.Add(life).Format(time.RFC3339) + `</Expiration></GetWebIdentityTokenResult></GetWebIdentityTokenResponse>`
}

// The role's policy demands just this: one audience, RS256 and five minutes at the most.
func TestTheTokenIsForEntraAloneAndShortLived(t *testing.T) {
	c := &canned{status: 200, body: granted("a.b.c", 5*time.Minute)}
	token, until, err := source(c).Token(t.Context())
	if err != nil || token != "a.b.c" {
		t.Fatalf("got %q, %v, want the token", token, err)
	}
	want := "Action=GetWebIdentityToken&Audience.member.1=api%3A%2F%2FAzureADTokenExchange&DurationSeconds=300&SigningAlgorithm=RS256&Version=2011-06-15"
	if got := c.form.Encode(); got != want || c.asked.URL.String() != "https://sts.eu-central-1.amazonaws.com/" || c.asked.Method != "POST" {
		t.Errorf("got %s %s with %s, want %s", c.asked.Method, c.asked.URL, got, want)
	}
	if a := c.asked.Header.Get("Authorization"); !strings.Contains(a, "/20260301/eu-central-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,") {
		t.Errorf("got %q, want every header signed", a)
	}
	if !until.End.Equal(now.Add(4*time.Minute)) || !until.Renew.Equal(now.Add(2*time.Minute)) {
		t.Errorf("got %+v, want it renewed at half its time, and unused in its last minute", until)
	}
}

func TestWhatIsNoTokenIsAFailureThatRepeatsNothing(t *testing.T) {
	for name, c := range map[string]*canned{
		"a page":           {status: 200, body: "<html>hunter3"},
		"no XML":           {status: 200, body: "hunter3"},
		"nothing in it":    {status: 200, body: granted("", time.Minute)},
		"no JWT":           {status: 200, body: granted("hunter3", 5*time.Minute)},
		"a line break":     {status: 200, body: granted("a.b.c\nhunter3", 5*time.Minute)},
		"an expired one":   {status: 200, body: granted("hunter3.b.c", -time.Minute)},
		"half a minute":    {status: 200, body: granted("hunter3.b.c", 30*time.Second)},
		"a no":             {status: 403, body: "<ErrorResponse><Error><Code>AccessDenied</Code><Message>hunter3</Message></Error></ErrorResponse>"},
		"a strange no":     {status: 400, body: "<ErrorResponse><Error><Code>hunter3 hunter3</Code></Error></ErrorResponse>"},
		"a redirect":       {status: 302, body: "hunter3"},
		"a broken network": {err: errors.New("hunter3")},
	} {
		t.Run(name, func(t *testing.T) {
			token, _, err := source(c).Token(t.Context())
			if err == nil || token != "" || strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "session") {
				t.Errorf("got %q, %v, want a failure, and nothing of the answer or of the keys told", token, err)
			}
		})
	}
}

func TestAnOperatorIsToldWhatToSwitchOn(t *testing.T) {
	for code, want := range map[string]string{
		"OutboundWebIdentityFederationDisabled": "aws iam enable-outbound-web-identity-federation",
		"AccessDenied":                          "sts:GetWebIdentityToken",
	} {
		c := &canned{status: 403, body: "<ErrorResponse><Error><Code>" + code + "</Code></Error></ErrorResponse>"}
		if _, _, err := source(c).Token(t.Context()); err == nil || !strings.Contains(err.Error(), code) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s and %q", err, code, want)
		}
	}
}

func TestWithoutARoleNothingIsAsked(t *testing.T) {
	c := &canned{}
	s := source(c)
	s.Keys = func() sts.Keys { return sts.Keys{} }
	if _, _, err := s.Token(t.Context()); err == nil || c.asked != nil {
		t.Errorf("got %v and a request: %v, want an error and none", err, c.asked != nil)
	}
}

func TestTheRoleIsShownToNobodyButAWS(t *testing.T) {
	for endpoint, fine := range map[string]bool{
		"": true, "https://vpce-1.sts.eu-central-1.vpce.amazonaws.com": true, "http://127.0.0.1:1": true, "http://localhost:1": true,
		"http://sts.example": false, "ftp://127.0.0.1": false, "https://": false, "https://u@sts.example": false, "sts.example": false, "http://127.0.0.1.example": false,
	} {
		s := source(&canned{})
		if s.Endpoint = endpoint; (s.Check() == nil) != fine {
			t.Errorf("%q: got %v, want it taken: %v", endpoint, s.Check(), fine)
		}
	}
	for region, fine := range map[string]bool{"eu-central-1": true, "us-gov-west-1": true, "cn-north-1": true, "": false, "evil.example/": false, "eu-central-1.evil.example": false} {
		s := source(&canned{})
		if s.Region = region; (s.Check() == nil) != fine {
			t.Errorf("%q: got %v, want it taken: %v", region, s.Check(), fine)
		}
	}
}
