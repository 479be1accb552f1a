package lambda_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"tollgate/shared/adapter/lambda"
)

// h is an event of an HTTP API with members replaced or added; nil removes one.
func h(t testing.TB, changes map[string]any) string {
	t.Helper()
	e := map[string]any{
		"version": "2.0", "rawPath": "/orders/42", "rawQueryString": "", "headers": map[string]any{"host": "api.example"},
		"requestContext": map[string]any{"requestId": "id1", "http": map[string]any{"method": "GET", "sourceIp": "192.0.2.7"}}, "isBase64Encoded": false,
	}
	for name, v := range changes {
		if e[name] = v; v == nil {
			delete(e, name)
		}
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWhatIsNoEventIsAClearErrorThatRepeatsNothing(t *testing.T) {
	for name, c := range map[string]struct{ event, want string }{
		"nothing":                {"", "it is empty"},
		"no JSON":                {"hunter2", "it isn't JSON"},
		"cut off":                {httpEvent[:len(httpEvent)-40], "it isn't JSON, or was cut off"},
		"two of them":            {httpEvent + restEvent, "it isn't JSON"},
		"a list":                 {`["hunter2"]`, "it isn't an object"},
		"another kind":           {`{"Records":["hunter2"]}`, "it is of no kind"},
		"a WebSocket API's":      {`{"requestContext":{"connectionId":"x","eventType":"CONNECT"}}`, "WebSocket"},
		"a member twice":         {`{"version":"2.0","version":"1.0"}`, "a member twice"},
		"not UTF-8":              {"{\"version\":\"\xff\"}", "it isn't UTF-8"},
		"half a surrogate":       {strings.Replace(h(t, nil), "api.example", `\ud800`, 1), "headers"},
		"no method":              {h(t, map[string]any{"requestContext": map[string]any{"http": map[string]any{}}}), "no method"},
		"no path":                {h(t, map[string]any{"rawPath": nil}), "no path"},
		"a path that is a list":  {h(t, map[string]any{"rawPath": []string{"hunter2"}}), "rawPath"},
		"a header that is one":   {h(t, map[string]any{"headers": map[string]any{"host": 7}}), "headers"},
		"no base64":              {h(t, map[string]any{"body": "hunter2!", "isBase64Encoded": true}), "body: it isn't base64"},
		"neither true nor false": {h(t, map[string]any{"isBase64Encoded": "hunter2"}), "isBase64Encoded"},
	} {
		t.Run(name, func(t *testing.T) {
			gateway := &behind{}
			_, err := invoke(t, &lambda.Handler{Gateway: gateway}, c.event)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") || gateway.asked != nil {
				t.Errorf("got %v, want an error about %q, nothing of the event in it, and no call", err, c.want)
			}
		})
	}
}

func TestARequestThatCanBeReadInTwoWaysIsRefusedAsOverAConnection(t *testing.T) {
	with := func(name, value string) map[string]any {
		return map[string]any{"headers": map[string]any{"host": "api.example", name: value}}
	}
	for name, c := range map[string]struct {
		changes map[string]any
		status  int
	}{
		"a line break in a header":   {with("x-a", "b\r\nX-User-Id: root"), 400},
		"one in a name":              {with("x-a\r\nx-b", "c"), 400},
		"one in the path":            {map[string]any{"rawPath": "/a HTTP/1.1\r\nX: y"}, 400},
		"one in the query":           {map[string]any{"rawQueryString": "a\nb"}, 400},
		"a space in the path":        {map[string]any{"rawPath": "/a b"}, 400},
		"a question mark in it":      {map[string]any{"rawPath": "/a?b"}, 400},
		"a fragment":                 {map[string]any{"rawPath": "/a#b"}, 400},
		"another address":            {map[string]any{"rawPath": "http://evil.example/"}, 400},
		"a control character":        {with("x-a", "b\x00c"), 400},
		"a name with a space":        {with("x a", "b"), 400},
		"no host":                    {map[string]any{"headers": map[string]any{}}, 400},
		"a host with a path":         {with("host", "a/b"), 400},
		"two spellings of host":      {with("Host", "evil.example"), 400},
		"a length that isn't so":     {map[string]any{"headers": map[string]any{"host": "a", "content-length": "3"}, "body": "hi"}, 400},
		"two lengths":                {map[string]any{"headers": map[string]any{"host": "a", "content-length": "2", "Content-Length": "2"}, "body": "hi"}, 400},
		"a target that is too long":  {map[string]any{"rawPath": "/" + strings.Repeat("a", 20<<10)}, 414},
		"headers that are too large": {with("x-a", strings.Repeat("a", 70<<10)), 431},
	} {
		t.Run(name, func(t *testing.T) {
			gateway := &behind{}
			got, err := invoke(t, &lambda.Handler{Gateway: gateway}, h(t, c.changes))
			if err != nil || gateway.fault == nil || got.StatusCode != c.status {
				t.Errorf("got %d, %v, fault %v, want %d", got.StatusCode, err, gateway.fault, c.status)
			}
		})
	}
}

func TestALengthThatIsTheBodysIsTaken(t *testing.T) {
	gateway := &behind{}
	body := base64.StdEncoding.EncodeToString([]byte("hi\xff"))
	got, err := invoke(t, &lambda.Handler{Gateway: gateway}, h(t, map[string]any{
		"headers": map[string]any{"host": "a", "content-length": "3", "transfer-encoding": "chunked", "expect": "100-continue"}, "body": body, "isBase64Encoded": true,
	}))
	if err != nil || got.StatusCode != 200 || gateway.body != "hi\xff" || gateway.asked.ContentLength != 3 || gateway.asked.TransferEncoding != nil {
		t.Errorf("got %d, %v, %q, want the body as it was", got.StatusCode, err, gateway.body)
	}
}

func TestARequestLargerThanThePlatformTakesIs413(t *testing.T) {
	gateway := &behind{}
	got, err := invoke(t, &lambda.Handler{Gateway: gateway}, h(t, map[string]any{"body": strings.Repeat("a", 6<<20)}))
	if err != nil || got.StatusCode != 413 || !strings.Contains(got.Body, `"payload_too_large"`) {
		t.Errorf("got %d %.200s, %v, want 413 payload_too_large", got.StatusCode, got.Body, err)
	}
}

// Whatever an event holds, there is an answer or an error, and what reaches the
// gateway has the event's method, path and query.
func FuzzEvents(f *testing.F) {
	for _, e := range []string{httpEvent, restEvent, albEvent, albMultiEvent, tokenEvent, requestEvent, requestEvent2, `{"source":"aws.events"}`, `{"type":"TOKEN","methodArn":"arn:"}`, `{"a":"\ud800\udc00\ud800"}`} {
		f.Add(e)
	}
	f.Fuzz(func(t *testing.T, event string) {
		gateway := &behind{}
		for _, stream := range []bool{false, true} {
			handler := &lambda.Handler{Gateway: gateway, Limits: lambda.DefaultLimits(), Stream: stream, Report: func(err error) { t.Error(err) }}
			out, err := handler.Invoke(t.Context(), []byte(event))
			if (out == nil) == (err == nil) {
				t.Fatalf("got %v and %v, want one of them", out, err)
			}
			if out != nil {
				_ = out.Close()
			}
		}
		if r := gateway.asked; r != nil && gateway.fault == nil && (r.Method == "" || r.URL == nil || !strings.HasPrefix(r.RequestURI, "/")) {
			t.Errorf("got %q %q, want a method and a path", r.Method, r.RequestURI)
		}
	})
}
