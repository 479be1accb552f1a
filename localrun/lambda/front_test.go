package lambda_test

import (
	"encoding/base64"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"tollgate/localrun/lambda"
)

// at is a member of an event, by the way to it.
func at(event map[string]any, path string) any {
	var v any = event
	for name := range strings.SplitSeq(path, "/") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func list(texts ...string) []any {
	var out []any
	for _, t := range texts {
		out = append(out, t)
	}
	return out
}

func TestEachKindMakesItsEvent(t *testing.T) {
	const target = "/a%2Fb/c%20d?x=1&x=%26&y"
	for kind, want := range map[lambda.Kind]map[string]any{
		lambda.REST: {
			"path": "/a%2Fb/c%20d", "httpMethod": "POST", "resource": "/{proxy+}", "pathParameters/proxy": "a/b/c d", "version": nil,
			"queryStringParameters/x": "&", "multiValueQueryStringParameters/x": list("1", "&"), "queryStringParameters/y": "",
			"headers/X-Two": "b", "multiValueHeaders/X-Two": list("a", "b"), "headers/Cookie": "k=1; l=2", "requestContext/identity/sourceIp": "127.0.0.1",
			"isBase64Encoded": true, "body": base64.StdEncoding.EncodeToString([]byte("{}")), "requestContext/path": "/live/a%2Fb/c%20d",
		},
		lambda.HTTP: {
			"version": "2.0", "rawPath": "/a/b/c d", "rawQueryString": "x=1&x=%26&y", "queryStringParameters/x": "1,&", "requestContext/http/method": "POST", "requestContext/http/path": "/a/b/c d",
			"headers/x-two": "a,b", "headers/cookie": nil, "cookies": list("k=1", "l=2"), "requestContext/http/sourceIp": "127.0.0.1", "body": "{}", "isBase64Encoded": false,
		},
		lambda.URL: {
			"version": "2.0", "rawPath": "/a%2Fb/c%20d", "rawQueryString": "x=1&x=%26&y", "headers/x-two": "a,b", "cookies": list("k=1", "l=2"), "body": "{}", "requestContext/accountId": "anonymous",
		},
		lambda.ALB: {
			"path": "/a%2Fb/c%20d", "httpMethod": "POST", "queryStringParameters/x": "%26", "queryStringParameters/y": "", "multiValueQueryStringParameters": nil,
			"headers/x-two": "b", "multiValueHeaders": nil, "headers/x-forwarded-for": "198.51.100.7, 127.0.0.1", "headers/cookie": "k=1; l=2", "body": "{}", "version": nil,
		},
		lambda.ALBMulti: {
			"path": "/a%2Fb/c%20d", "queryStringParameters": nil, "headers": nil, "multiValueQueryStringParameters/x": list("1", "%26"),
			"multiValueHeaders/x-two": list("a", "b"), "multiValueHeaders/host": list("api.example"), "body": "{}",
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			s := stand(t, kind, "serve")
			e := s.event(t, http.MethodPost, target, "{}", "Host: api.example", "X-Two: a", "X-Two: b", "Cookie: k=1; l=2", "Content-Type: application/json", "X-Forwarded-For: 198.51.100.7")
			for path, value := range want {
				if got := at(e, path); !reflect.DeepEqual(got, value) {
					t.Errorf("got %s = %v, want %v", path, got, value)
				}
			}
			if _, there := at(e, "requestContext/elb").(map[string]any); there != strings.HasPrefix(string(kind), "alb") {
				t.Errorf("got requestContext.elb: %t", there)
			}
		})
	}
}

func TestABodyThatIsNoTextIsBase64(t *testing.T) {
	for _, kind := range []lambda.Kind{lambda.HTTP, lambda.URL, lambda.ALB} {
		s := stand(t, kind, "serve")
		for _, headers := range [][]string{{"Content-Type: image/png"}, {"Content-Type: text/plain", "Content-Encoding: br"}, nil} {
			e := s.event(t, http.MethodPut, "/x", "\x00\xff", headers...)
			if e["isBase64Encoded"] != true || e["body"] != "AP8=" {
				t.Errorf("%s, %v: got %v %v, want base64", kind, headers, e["body"], e["isBase64Encoded"])
			}
		}
	}
}

func TestAnAnswerComesOutAsTheServiceWritesIt(t *testing.T) {
	const challenge = `{"statusCode":401,"statusDescription":"401 Unauthorized","headers":{"WWW-Authenticate":"Bearer","X-A":"1","Connection":"X-A"},"multiValueHeaders":{"WWW-Authenticate":["Bearer"],"Set-Cookie":["a=1","b=2"]},"cookies":["a=1","b=2"],"body":"bm8=","isBase64Encoded":true}`
	for kind, want := range map[lambda.Kind]struct {
		challenge, a string
		cookies      int
	}{
		lambda.REST:     {"X-Amzn-Remapped-Www-Authenticate", "1", 2},
		lambda.HTTP:     {"Www-Authenticate", "1", 2},
		lambda.URL:      {"X-Amzn-Remapped-Www-Authenticate", "1", 2},
		lambda.ALB:      {"Www-Authenticate", "1", 0},
		lambda.ALBMulti: {"Www-Authenticate", "", 2},
	} {
		s := stand(t, kind, "serve")
		a := s.get(t, payload(challenge))
		if a.StatusCode != 401 || a.Header.Get(want.challenge) != "Bearer" || a.Header.Get("X-A") != want.a || len(a.Header.Values("Set-Cookie")) != want.cookies || a.body != "no" || a.Header.Get("Connection") == "X-A" {
			t.Errorf("%s: got %d %v %q, want 401, the challenge in %s, X-A %q and %d cookies", kind, a.StatusCode, a.Header, a.body, want.challenge, want.a, want.cookies)
		}
	}
}

func TestAnAnswerThatIsNoneIsAFault(t *testing.T) {
	for _, text := range []string{`{"statusCode":200,"body":"x"`, `nothing`, ``, `{"statusCode":"x"}`, `{"statusCode":99}`, `{"statusCode":600}`, `{"statusCode":200,"body":"no base64!","isBase64Encoded":true}`, `{"statusCode":200,"body":{}}`, `{"statusCode":200,"headers":{"a":[]}}`, `[]`} {
		for kind, want := range map[lambda.Kind]int{lambda.REST: 502, lambda.ALB: 502, lambda.HTTP: 500, lambda.URL: 502} {
			a := ask(kind, text)
			if text == "[]" && (kind == lambda.HTTP || kind == lambda.URL) {
				want = 200 // inferred: valid JSON without a statusCode
			}
			if a.StatusCode != want {
				t.Errorf("%s, %s: got %d %s, want %d", kind, text, a.StatusCode, a.body, want)
			}
		}
	}
}

func TestWhatAServiceRefusesNeverReachesTheFunction(t *testing.T) {
	for name, c := range map[string]struct {
		kind           lambda.Kind
		method, target string
		header         string
		body           int
		want           int
	}{
		"a body above the load balancer's megabyte": {kind: lambda.ALB, method: "POST", target: "/x", body: 1<<20 + 1, want: 413},
		"a body above a URL's six":                  {kind: lambda.URL, method: "POST", target: "/x", body: 6<<20 + 1, want: 413},
		"one that only base64 makes too large":      {kind: lambda.REST, method: "POST", target: "/x", body: 5 << 20, want: 413},
		"headers above API Gateway's 10,240 bytes":  {kind: lambda.HTTP, method: "GET", target: "/x", header: strings.Repeat("a", 10_240), want: 431},
		"an upgrade at a load balancer":             {kind: lambda.ALBMulti, method: "GET", target: "/x", header: "upgrade", want: 400},
		"TRACE at a load balancer":                  {kind: lambda.ALB, method: "TRACE", target: "/x", want: 405},
		"a made-up method at a REST API":            {kind: lambda.REST, method: "BREW", target: "/x", want: 403},
		"a made-up method at an HTTP API":           {kind: lambda.HTTP, method: "BREW", target: "/x", want: 404},
		"a bare pipe in a REST API's query":         {kind: lambda.REST, method: "GET", target: "/x?a=|", want: 400},
	} {
		t.Run(name, func(t *testing.T) {
			s := stand(t, c.kind, "serve")
			var headers []string
			switch c.header {
			case "":
			case "upgrade":
				headers = []string{"Connection: Upgrade", "Upgrade: websocket"}
			default:
				headers = []string{"X-Long: " + c.header}
			}
			a := s.send(t, c.method, c.target, strings.Repeat("a", c.body), headers...)
			if a.StatusCode != c.want || len(s.PIDs()) != 0 {
				t.Errorf("got %d %s and %d processes, want %d and none", a.StatusCode, a.body, len(s.PIDs()), c.want)
			}
		})
	}
}

func TestAnAnswerAboveTheQuotaIsRefusedToTheRuntime(t *testing.T) {
	s := stand(t, lambda.URL, "serve")
	if a := s.get(t, "do=bytes&n=6300000"); a.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d %.100s, want 502", a.StatusCode, a.body)
	}
	s.awaitLine(t, "posted 413")
	s.rest(t)
	if a := s.get(t, "do=bytes&n=6200000"); a.StatusCode != http.StatusOK || len(a.body) != 6200000 {
		t.Errorf("got %d, %d bytes, want 200 from the same process", a.StatusCode, len(a.body))
	}
	s = stand(t, lambda.ALB, "serve")
	if a := s.get(t, "do=bytes&n=1100000"); a.StatusCode != http.StatusBadGateway {
		t.Errorf("got %d, want 502: a load balancer takes 1 MB", a.StatusCode)
	}
}
