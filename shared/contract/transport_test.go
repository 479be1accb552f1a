package contract_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
)

const backendLine = `backend: { url: "${backend.orders}" }`

func backendOf(words string) []string {
	return []string{"orders.yaml", backendLine, "backend: { " + words + " }"}
}

func both(edits ...[]string) (all []string) {
	for _, e := range edits {
		all = append(all, e...)
	}
	return all
}

func TestFaultsOfBackends(t *testing.T) {
	withURL := `url: "${backend.orders}", `
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"no backend":            {[]string{"orders.yaml", backendLine + "\n", ""}, `orders.yaml:9:5: error: "get" has neither a backend nor an answer`},
		"no address":            {backendOf("timeout: 1s"), `orders.yaml:5:10: error: names no address: write url:, or targets:`},
		"both":                  {backendOf(withURL + `targets: [ { url: "https://a.example" } ]`), `orders.yaml:5:47: error: backend has url: or targets:, never both`},
		"a target without one":  {backendOf(`targets: [ { weight: 1 } ]`), `orders.yaml:5:23: error: "url" is missing`},
		"no target":             {backendOf(`targets: []`), `orders.yaml:5:21: error: is an empty list`},
		"a weight of nothing":   {backendOf(`targets: [ { url: "https://a.example", weight: 0 } ]`), `orders.yaml:5:59: error: must be at least 1, got 0`},
		"a weight too high":     {backendOf(`targets: [ { url: "https://a.example", weight: 101 } ]`), `orders.yaml:5:59: error: must be at most 100, got 101`},
		"a target with a query": {backendOf(`targets: [ { url: "https://a.example?x=1" } ]`), `orders.yaml:5:30: error: "https://a.example?x=1" must not hold`},
		"an unbound target":     {backendOf(`targets: [ { url: "${backend.orders}" }, { url: "${backend.other}" } ]`), `orders.yaml:5:60: error: ${backend.other} has no value`},
		"a hostless target":     {backendOf(`targets: [ { url: "https:///x" } ]`), `orders.yaml:5:30: error: "https:///x" is not an absolute https address`},
		"too many retries":      {backendOf(withURL + "retries: 6"), `orders.yaml:5:47: error: must be at most 5, got 6`},
		"no retry":              {backendOf(withURL + "retries: 0"), `orders.yaml:5:47: error: must be at least 1, got 0`},
		"retries of POST": {both(backendOf(withURL+"retries: 1"), []string{"orders.yaml", `"GET /{id}"`, `"POST /{id}"`}),
			`orders.yaml:5:47: error: no operation of this API may be sent again`},
		"no call at all":         {backendOf(withURL + "maxConcurrent: 0"), `orders.yaml:5:53: error: must be at least 1`},
		"half a breaker":         {backendOf(withURL + "breaker: { failures: 5 }"), `orders.yaml:5:47: error: "window" is missing`},
		"no failure":             {backendOf(withURL + "breaker: { failures: 0, window: 30s, open: 10s }"), `orders.yaml:5:59: error: must be at least 1`},
		"a window too short":     {backendOf(withURL + "breaker: { failures: 5, window: 10ms, open: 10s }"), `orders.yaml:5:70: error: 10ms is not from 1s to 1h`},
		"open for too long":      {backendOf(withURL + "breaker: { failures: 5, window: 30s, open: 11m }"), `orders.yaml:5:81: error: 11m0s is not from 1s to 10m`},
		"another version":        {backendOf(withURL + `http: "3"`), `orders.yaml:5:44: error: "3" is not one of 1.1, 2`},
		"a number for a version": {backendOf(withURL + `http: 2`), `orders.yaml:5:44: error: want text, got the number 2`},
		"an unbound authority":   {backendOf(withURL + `ca: internal`), `orders.yaml:5:42: error: environments/prod.yaml binds no certificate authority "internal"`},
		"an authority for plain http": {both(backendOf(withURL+`ca: internal`), []string{"environments/prod.yaml", "https://orders", "http://orders"}),
			`orders.yaml:5:17: error: is plain http, where nothing is held against ca`},
		"a WebSocket over HTTP/2": {both(backendOf(withURL+`http: "2"`), operationWith("upgrade: websocket")),
			`orders.yaml:10:16: error: needs HTTP/1.1 to the backend`},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(estate(c.edits...)), c.want) })
	}
}

func TestFaultsOfAuthorities(t *testing.T) {
	for name, c := range map[string]struct{ pem, want string }{
		"no PEM":         {`"MIIB"`, `error: is not PEM text`},
		"a key":          {`"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"`, `error: holds a PRIVATE KEY; only certificates belong here`},
		"no certificate": {`"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"`, `error: holds a certificate that can't be parsed`},
		"rest":           {`"x"`, `error: is not PEM text`},
	} {
		t.Run(name, func(t *testing.T) {
			edits := both(backendOf(`url: "${backend.orders}", ca: internal`), []string{"environments/prod.yaml", "clientId:", "ca: { internal: " + c.pem + " }\nclientId:"})
			assertFault(t, faultsOf(estate(edits...)), "environments/prod.yaml:4:17: "+c.want)
		})
	}
	unused := []string{"environments/prod.yaml", "clientId:", "ca: { internal: x }\nclientId:"}
	assertFault(t, faultsOf(estate(unused...)), "environments/prod.yaml:4:7: warning: no contract takes ${ca.internal}")
}

func TestFaultsOfOperationsTransport(t *testing.T) {
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"another protocol":          {operationWith("upgrade: h2c"), `"h2c" is not one of websocket`},
		"a WebSocket by POST":       {both(operationWith("upgrade: websocket"), []string{"orders.yaml", `"GET /{id}"`, `"POST /{id}"`}), `a WebSocket begins with GET`},
		"a path without a slash":    {operationWith("rewrite: v2"), `"v2" is not canonical: it must start with /`},
		"a path with dots":          {operationWith("rewrite: /v2/../x"), `"/v2/../x" is not canonical: it must not hold dot segments`},
		"a path with an encoding":   {operationWith("rewrite: /v2/%2e"), `"/v2/%2e" is not canonical`},
		"a path with a query":       {operationWith(`rewrite: "/v2?x=1"`), `"/v2?x=1" is not canonical`},
		"a host":                    {operationWith(`rewrite: "//evil.example"`), `"//evil.example" is not canonical`},
		"an unknown parameter":      {operationWith(`rewrite: "/v2/{name}"`), `match has no parameter {name}`},
		"a rest of one segment":     {operationWith(`rewrite: "/v2/{id...}"`), `{id} is one segment in one of match and rewrite`},
		"a secret in the query":     {operationWith("query: { set: { Code: x } }"), `"Code" carries a secret or a method`},
		"set in two cases":          {operationWith("query: { set: { a: x, A: y } }"), `"A" and "a" are one to many backends`},
		"set and removed":           {operationWith("query: { set: { a: x }, remove: [A] }"), `"A" is set too`},
		"set and allowed":           {operationWith("query: { set: { a: x }, allow: [a] }"), `"a" is set or removed too`},
		"removed and allowed":       {operationWith("query: { remove: [A], allow: [a] }"), `"a" is set or removed too`},
		"removed anyway":            {operationWith("query: { remove: [code] }"), `"code" is always removed`},
		"never let through":         {operationWith("query: { allow: [access_token] }"), `"access_token" never passes`},
		"a name to encode":          {operationWith(`query: { remove: ["a b"] }`), `"a b" must match`},
		"beyond the API's":          {both(operationWith("query: { allow: [size] }"), apiWith("query: { allow: [page] }")), `the API's own allow doesn't let "size" pass`},
		"a value of no environment": {operationWith(`query: { set: { a: "${tenant}" } }`), `can't take a value of the environment`},
		"an answer of 101":          {operationWith("answer: { status: 101 }"), `must be at least 200, got 101`},
		"an answer of 600":          {operationWith("answer: { status: 600 }"), `must be at most 599, got 600`},
		"a body without a type":     {operationWith("answer: { status: 200, body: x }"), `has a body and no contentType`},
		"a type without a body":     {operationWith("answer: { status: 200, contentType: text/plain }"), `there is no body that it could describe`},
		"204 with a body":           {operationWith("answer: { status: 204, contentType: text/plain, body: x }"), `an answer of status 204 has none`},
		"an answer's length":        {operationWith("answer: { status: 200, headers: { Content-Length: \"1\" } }"), `Content-Length can't be set`},
		"an answer's type twice":    {operationWith("answer: { status: 200, headers: { Content-Type: x } }"), `Content-Type can't be set: write contentType:`},
		"an answer and a path":      {operationWith("answer: { status: 200 }, rewrite: /x"), `is about calls to the backend, and "get" is answered here`},
		"an answer and an upgrade":  {operationWith("answer: { status: 200 }, upgrade: websocket"), `is about calls to the backend`},
		"an answer and a query":     {operationWith("answer: { status: 200 }, query: { remove: [a] }"), `is about calls to the backend`},
		"a backend for nothing":     {operationWith("answer: { status: 200 }"), `warning: every operation has answer:`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range faultsOf(estate(c.edits...)) {
				if strings.Contains(f.String(), c.want) && f.Line > 0 {
					return
				}
			}
			t.Errorf("got %v, want %q", faultsOf(estate(c.edits...)), c.want)
		})
	}
}

func TestAPlanHoldsTheWordsOfTransport(t *testing.T) {
	edits := both(
		backendOf(`targets: [ { url: "${backend.orders}", weight: 3 }, { url: "https://b.example/base" } ], retries: 2, maxConcurrent: 200, http: "2", breaker: { failures: 5, window: 30s, open: 10s }`),
		apiWith("query: { set: { V: \"1\", Keep: a }, allow: [page, size] }"),
		operationWith(`rewrite: "/v2/{id}/x", query: { set: { v: "2" }, remove: [Debug], allow: [size] }`),
	)
	e, faults := contract.Load(estate(edits...))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	p, faults := e.Plan("prod")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	b, op := p.APIs[0].Backend, p.APIs[0].Operations[0]
	var targets []string
	for _, target := range b.Targets {
		targets = append(targets, target.URL.String()+" "+target.Rule)
	}
	if b.Targets[0].Weight != 3 || b.Targets[1].Weight != 1 {
		t.Errorf("got %+v, want weights 3 and 1", b.Targets)
	}
	for _, c := range []struct{ got, want any }{
		{targets, []string{"https://orders.internal.example backend.targets.0.url", "https://b.example/base backend.targets.1.url"}},
		{b.Breaker, &contract.PlannedBreaker{Failures: 5, Window: 30 * time.Second, Open: 10 * time.Second}},
		{[]any{b.Retries, b.MaxConcurrent, b.HTTP2, b.CA}, []any{2, 200, true, ""}},
		{op.Rewrite, &contract.Rewrite{Segments: []contract.RewriteSegment{{Literal: "v2"}, {From: 1}, {Literal: "x"}}}},
		{op.Query, &contract.QueryRules{Set: map[string]string{"v": "2", "Keep": "a"}, Drop: []string{"debug", "keep", "v"}, Allow: []string{"size"}, Closed: true}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAnAPIOfAnswersNeedsNoBackend(t *testing.T) {
	edits := both([]string{"orders.yaml", backendLine + "\n", ""}, operationWith(`answer: { status: 200, contentType: application/json, body: "{}", headers: { etag: "1" } }`),
		[]string{"environments/prod.yaml", "backend: { orders: \"https://orders.internal.example\" }\n", ""})
	e, faults := contract.Load(estate(edits...))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	p, faults := e.Plan("prod")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := &contract.Reply{Status: 200, Header: http.Header{"Etag": {"1"}, "Content-Type": {"application/json"}}, Body: "{}"}
	if diff := cmp.Diff(want, p.APIs[0].Operations[0].Reply); diff != "" || len(p.APIs[0].Backend.Targets) != 0 {
		t.Errorf("got targets %v and %s", p.APIs[0].Backend.Targets, diff)
	}
}
