package lambda_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"tollgate/shared/adapter/lambda"
	"tollgate/shared/refusal"
)

const (
	arn        = "arn:aws:execute-api:eu-central-1:123456789012:abc/prod/GET/orders/42"
	tokenEvent = `{"type":"TOKEN","authorizationToken":"Bearer t","methodArn":"` + arn + `"}`

	requestEvent = `{"type":"REQUEST","methodArn":"` + arn + `","resource":"/{proxy+}","path":"/orders/42","httpMethod":"GET",
		"headers":{"Host":"api.example","Authorization":"Bearer t"},"multiValueHeaders":{"Host":["api.example"],"Authorization":["Bearer t"]},
		"requestContext":{"identity":{"sourceIp":"192.0.2.8"},"requestId":"id2","stage":"prod"}}`
	requestEvent2 = `{"version":"2.0","type":"REQUEST","routeArn":"` + arn + `","identitySource":["Bearer t","GET","/orders/42","192.0.2.7"],"rawPath":"/orders/42","rawQueryString":"a=1",
		"headers":{"host":"api.example","authorization":"Bearer t"},"requestContext":{"requestId":"id1","http":{"method":"GET","sourceIp":"192.0.2.7"}}}`
)

func verdict(t *testing.T, a lambda.Authorizer, gateway *behind, event string) (string, error) {
	t.Helper()
	out, err := (&lambda.Handler{Gateway: gateway, Limits: lambda.DefaultLimits(), Authorizer: a}).Invoke(t.Context(), []byte(event))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), out.Close()
}

func policyText(effect, context string) string {
	return `{"principalId":"o1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"` + effect + `","Resource":"` + arn + `"}]},"context":` + context + `}`
}

func TestEachAuthorizerIsAnsweredInItsOwnShape(t *testing.T) {
	granted, forbidden := `{"X-Roles":"a,b","correlation":"c1"}`, `{"code":"not_allowed","correlation":"c1"}`
	for name, c := range map[string]struct {
		event  string
		policy bool
		yes    string
		no     string
	}{
		"REST, TOKEN":      {tokenEvent, false, policyText("Allow", granted), policyText("Deny", forbidden)},
		"REST, REQUEST":    {requestEvent, false, policyText("Allow", granted), policyText("Deny", forbidden)},
		"HTTP API, policy": {requestEvent2, true, policyText("Allow", granted), policyText("Deny", forbidden)},
		"HTTP API, simple": {requestEvent2, false, `{"isAuthorized":true,"context":` + granted + `}`, `{"isAuthorized":false,"context":` + forbidden + `}`},
	} {
		t.Run(name, func(t *testing.T) {
			gateway := &behind{}
			got, err := verdict(t, lambda.Authorizer{Policy: c.policy}, gateway, c.event)
			if err != nil || got != c.yes {
				t.Errorf("got  %s, %v\nwant %s", got, err, c.yes)
			}
			if r := gateway.asked; r.Method != "GET" || r.URL.Path != "/orders/42" || r.Header.Get("Authorization") != "Bearer t" {
				t.Errorf("got %s %s with %v, want the call that was asked about", r.Method, r.RequestURI, r.Header)
			}
			gateway.refused = refusal.New(refusal.Forbidden, "not_allowed", "No.")
			if got, err := verdict(t, lambda.Authorizer{Policy: c.policy}, gateway, c.event); err != nil || got != c.no {
				t.Errorf("got  %s, %v\nwant %s", got, err, c.no)
			}
		})
	}
}

// API Gateway answers 401 to just this error, and 500 to any other.
func TestNoTokenIs401AndAnOutageIsNot(t *testing.T) {
	for kind, want := range map[refusal.Kind]string{refusal.Unauthenticated: "Unauthorized", refusal.Unavailable: "no verdict: x", refusal.Internal: "no verdict: x"} {
		for _, event := range []string{tokenEvent, requestEvent, requestEvent2} {
			if _, err := verdict(t, lambda.Authorizer{}, &behind{refused: refusal.New(kind, "x", "")}, event); err == nil || err.Error() != want {
				t.Errorf("got %v, want %q", err, want)
			}
		}
	}
}

// A policy that is kept is held against later calls, in which * and ? stand for anything.
func TestAPolicyIsAboutThisCallAlone(t *testing.T) {
	for name, event := range map[string]string{
		"a star in the path":      strings.ReplaceAll(requestEvent, "/orders/42", "/orders/*"),
		"one in a token's ARN":    strings.ReplaceAll(tokenEvent, "/orders/42", "/orders/*"),
		"a question mark":         strings.ReplaceAll(tokenEvent, "/orders/42", "/orders/4?"),
		"a variable of policies":  strings.ReplaceAll(tokenEvent, "/orders/42", "/orders/${aws:username}"),
		"an ARN of another path":  strings.Replace(requestEvent, "GET/orders/42", "GET/orders/43", 1),
		"an ARN of another verb":  strings.Replace(requestEvent, "GET/orders/42", "PUT/orders/42", 1),
		"an ARN of every method":  strings.Replace(requestEvent, "GET/orders/42", "*/orders/42", 1),
		"a line break in the ARN": strings.ReplaceAll(tokenEvent, "/orders/42", `/orders/42\r\nX: y`),
	} {
		t.Run(name, func(t *testing.T) {
			gateway := &behind{}
			got, err := verdict(t, lambda.Authorizer{}, gateway, event)
			if err != nil || !strings.Contains(got, `"Effect":"Deny"`) || gateway.asked != nil {
				t.Errorf("got %s, %v, want Deny, and nobody asked", got, err)
			}
		})
	}
	for _, bad := range []string{"arn:aws:s3:::x", "x", "arn:aws:execute-api:r:a:api/stage"} {
		if _, err := verdict(t, lambda.Authorizer{}, &behind{}, strings.Replace(tokenEvent, arn, bad, 1)); err == nil || !strings.Contains(err.Error(), "methodArn") {
			t.Errorf("%s: got %v, want an error about the ARN", bad, err)
		}
	}
}

// An HTTP API keeps a verdict by its identity sources, for all its routes.
func TestAVerdictThatIsKeptServesNoOtherCall(t *testing.T) {
	all := []string{"Bearer t", "GET", "/orders/42", "192.0.2.7", "k1"}
	event := func(sources []string) string {
		list, _ := json.Marshal(sources)
		e := strings.Replace(requestEvent2, `["Bearer t","GET","/orders/42","192.0.2.7"]`, string(list), 1)
		return strings.Replace(e, `"rawQueryString":"a=1"`, `"rawQueryString":"a=1&subscription%2Dkey=k1"`, 1)
	}
	a := lambda.Authorizer{Headers: []string{"authorization"}, Parameters: []string{"subscription-key"}, ByAddress: true}
	for _, sources := range [][]string{all, nil} {
		if got, err := verdict(t, a, &behind{}, event(sources)); err != nil || !strings.Contains(got, "true") {
			t.Errorf("%q: got %s, %v, want a grant", sources, got, err)
		}
	}
	for i := range all {
		fewer := append(append([]string{}, all[:i]...), all[i+1:]...)
		gateway := &behind{}
		if _, err := verdict(t, a, gateway, event(fewer)); err == nil || !strings.Contains(err.Error(), "identity sources lack") || gateway.asked != nil {
			t.Errorf("without %s: got %v, want an error that says what is missing", all[i], err)
		}
	}
}
