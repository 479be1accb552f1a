package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
)

// api is the base API with one more line after the third.
func apiWith(line string) []string { return []string{"orders.yaml", "owner: o", "owner: o\n" + line} }

func gatewayWith(line string) []string {
	return []string{"gateway.yaml", "claimsContract: 1", "claimsContract: 1\n" + line}
}

func operationWith(words string) []string {
	return []string{"orders.yaml", "{ id: get,", "{ " + words + ", id: get,"}
}

func TestFaultsOfEncodedSlash(t *testing.T) {
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"another value":       {operationWith("encodedSlash: refuse"), `orders.yaml:10:21: error: "refuse" is not one of allow`},
		"without a parameter": {[]string{"orders.yaml", `match: "GET /{id}"`, `encodedSlash: allow, match: "GET /x"`}, `orders.yaml:10:30: error: "get" has no parameter that could hold a slash`},
		"a rewrite of it":     {operationWith(`encodedSlash: allow, rewrite: "/v2/{id}"`), `orders.yaml:10:21: error: "get" has a rewrite that holds a parameter`},
		"with one":            {operationWith("encodedSlash: allow"), `orders.yaml:10:21: warning: a Functions host hands %2F over as %252F`},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(estate(c.edits...)), c.want) })
	}
}

func TestFaultsOfOrigins(t *testing.T) {
	for origin, want := range map[string]string{
		"*": "is no origin", "null": "is sent by every sandboxed frame", "app.example": "is not an origin", "ftp://app.example": "is not an origin", "https://": "is not an origin",
		"http://app.example": "is plain http", "http://localhost.example": "is plain http", "http://10.0.0.1": "is plain http",
		"https://App.example": "has a host that no browser writes so", "https://*.app.example": "has a host", "https://é.example": "has a host", "https://app.example.": "has a host", "https://1.2.3": "has a host",
		"https://0x7f.0.0.1": "has a host", "https://[0:0::1]": "has a host", "https://app..example": "has a host", "https://0x7f": "has a host",
		"https://app.example/": `is not how a browser writes it; write "https://app.example"`, "https://app.example/x": "is not how a browser writes it; write", "https://app.example:443": `is not how a browser writes it; write "https://app.example"`, "http://localhost:80": "is not how a browser writes it; write",
		"HTTPS://app.example": "is not how a browser writes it; write", "https://app.example:08443": `is not how a browser writes it; write "https://app.example:8443"`, "https://app.example:": "is not how a browser writes it; write", "https://a@app.example": "is not how a browser writes it; write", "https://app.example?x": "is not how a browser writes it; write", "https://app.example#x": "is not how a browser writes it; write",
		"https://app.example:99999": "is not how a browser writes it; write", "https://app.example:0x1": "is not an origin",
	} {
		t.Run(origin, func(t *testing.T) {
			faults := faultsOf(estate(apiWith(fmt.Sprintf("cors: { headers: [Authorization], origins: [%q] }", origin))...))
			assertFault(t, faults, fmt.Sprintf("orders.yaml:4:45: error: %q %s", origin, want))
		})
	}
	for _, origin := range []string{"https://app.contoso.example", "https://app.example:8443", "http://localhost:5173", "http://127.0.0.1", "http://[::1]:3000", "https://xn--4ca.example", "https://10.0.0.1", "https://a_b.example"} {
		if faults := faultsOf(estate(apiWith(fmt.Sprintf("cors: { headers: [Authorization], origins: [%q] }", origin))...)); len(faults) > 0 {
			t.Errorf("%s: got %v, want none", origin, faults)
		}
	}
}

func TestFaultsOfTheOtherWordsOfCORS(t *testing.T) {
	cors := func(more string) []string {
		return apiWith("cors: { origins: [\"https://a.example\"], headers: [Authorization]" + more + " }")
	}
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"no origins":            {apiWith("cors: { headers: [Authorization] }"), `orders.yaml:4:7: error: "origins" is missing`},
		"no origin":             {apiWith("cors: { origins: [] }"), `orders.yaml:4:18: error: is an empty list`},
		"no way to send tokens": {apiWith("cors: { origins: [\"https://a.example\"], headers: [Content-Type] }"), `orders.yaml:4:7: warning: no script can send a token: add Authorization`},
		"any header":            {apiWith("cors: { origins: [\"https://a.example\"], headers: [\"*\"] }"), `orders.yaml:4:51: error: "*" must match`},
		"a header twice":        {apiWith("cors: { origins: [\"https://a.example\"], headers: [Authorization, authorization] }"), `orders.yaml:4:66: error: "authorization" is in the list twice`},
		"credentials: false":    {cors(", credentials: false"), `orders.yaml:4:80: error: false says nothing`},
		"half a second":         {cors(", maxAge: 500ms"), `orders.yaml:4:75: error: must be whole seconds`},
		"two days":              {cors(", maxAge: 48h"), `orders.yaml:4:75: error: must be whole seconds and at most 24h`},
		"an operation of the name of preflights": {append(cors(""), "orders.yaml", "id: get,", "id: preflight,"),
			`orders.yaml:11:11: error: is what events call the preflights`},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(estate(c.edits...)), c.want) })
	}
}

func TestFaultsOfRequiredHeaders(t *testing.T) {
	demand := func(name string) []string { return apiWith("headers: { " + name + ": [a] }") }
	at := `orders.yaml:4:12: error: `
	for name, c := range map[string]struct {
		edits []string
		want  string
	}{
		"no value":         {apiWith("headers: { X-A: [] }"), `orders.yaml:4:17: error: is an empty list`},
		"text for a list":  {apiWith("headers: { X-A: a }"), `orders.yaml:4:17: error: want a list, got text`},
		"no header":        {apiWith("headers: {}"), `orders.yaml:4:10: error: is empty`},
		"a claim's":        {demand("X-User-Id"), at + `X-User-Id can't be demanded: the gateway sends a claim under it`},
		"a claim's, spelt": {demand("x-user-id"), at + `x-user-id can't be demanded: the gateway sends a claim`},
		"Host":             {demand("Host"), at + `Host can't be demanded: it belongs to the connection`},
		"Connection":       {demand("Connection"), at + `Connection can't be demanded: it belongs to the connection`},
		"Authorization":    {demand("Authorization"), at + `Authorization can't be demanded: it carries credentials`},
		"a Functions key":  {demand("X-Functions-Key"), at + `X-Functions-Key can't be demanded: it carries credentials`},
		"a platform's":     {demand("X-Forwarded-For"), at + `X-Forwarded-For can't be demanded: only the platform`},
		"the certificate's": {apiWith("proof: { certificateHeader: X-Cert }\nheaders: { X-Cert: [a] }"),
			`orders.yaml:5:12: error: X-Cert can't be demanded: the front end sets it`},
		"the correlation": {demand("X-Correlation-Id"), at + `X-Correlation-Id can't be demanded: the gateway sets it`},
		"twice":           {apiWith("headers: { X-A: [a], x-a: [a] }"), `orders.yaml:4:22: error: the header is named twice: "X-A" and "x-a" are one`},
		"not ASCII":       {apiWith("headers: { X-A: [é] }"), `orders.yaml:4:18: error: "é" can't be a header's value`},
		"a space first":   {apiWith(`headers: { X-A: [" a"] }`), `orders.yaml:4:18: error: " a" can't be a header's value`},
		"of an operation": {operationWith("headers: { Via: [a] }"), `orders.yaml:10:18: error: Via can't be demanded`},
		"that contradict": {append(apiWith("headers: { X-A: [a, b] }"), operationWith("headers: { x-a: [c] }")...), `orders.yaml:11:16: error: no value of X-A satisfies both the API and "get"`},
		"bad name":        {apiWith("headers: { X_A: [a] }"), `orders.yaml:4:12: error: "X_A" can't be a name here`},
		"an environment's": {apiWith("headers: { X-A: [\"${tenant}\"] }"),
			`orders.yaml:4:18: error: can't take a value of the environment`},
	} {
		t.Run(name, func(t *testing.T) { assertFault(t, faultsOf(estate(c.edits...)), c.want) })
	}
}

func TestFaultsOfResponseHeaders(t *testing.T) {
	for header, why := range map[string]string{
		"Strict-Transport-Security": "some Functions hosts drop it; set extensions.http.hsts in host.json",
		"Content-Length":            "it describes one answer", "Content-Type": "it describes one answer", "Content-Encoding": "it describes one answer", "Set-Cookie": "it describes one answer", "Date": "it describes one answer", "Location": "it describes one answer",
		"Cache-Control": "the backend says how long", "WWW-Authenticate": "the gateway's challenges", "Vary": "it follows from cors", "Access-Control-Allow-Origin": "it follows from cors", "Server": "it tells what runs here",
		"Transfer-Encoding": "it belongs to the connection", "Connection": "it belongs to the connection", "Keep-Alive": "it belongs to the connection", "X-Correlation-Id": "the gateway sets it", "Via": "only the platform", "X-MS-Client-Principal": "only the platform",
		"X-User-Id": "the gateway sends a claim",
	} {
		assertFault(t, faultsOf(estate(apiWith("responseHeaders: { "+header+": a }")...)), "orders.yaml:4:20: error: "+header+" can't be set: "+why)
		assertFault(t, faultsOf(estate(gatewayWith("responseHeaders: { "+header+": a }")...)), "gateway.yaml:4:20: error: "+header+" can't be set: "+why)
	}
	for _, value := range []string{`"a "`, `"é"`, `"a\tb"`, `"a\r\nb"`} {
		assertFault(t, faultsOf(estate(apiWith("responseHeaders: { X-A: "+value+" }")...)), "orders.yaml:4:25: error: ")
	}
	assertFault(t, faultsOf(estate(apiWith("responseHeaders: { X-A: a, x-a: b }")...)), `orders.yaml:4:28: error: the header is named twice: "X-A" and "x-a" are one`)
}

func TestAPlanHoldsTheWordsForBrowsersAndHeaders(t *testing.T) {
	edits := apiWith(`cors: { origins: ["https://a.example"], headers: [Authorization], expose: [X-Correlation-Id], credentials: true, maxAge: 10m }
headers: { x-api-version: ["1", "2"] }
responseHeaders: { referrer-policy: same-origin, Content-Security-Policy: "default-src 'none'" }`)
	edits = append(edits, operationWith("encodedSlash: allow, headers: { X-B: [b], X-A: [a] }")...)
	edits = append(edits, gatewayWith("responseHeaders: { referrer-Policy: no-referrer, X-Content-Type-Options: nosniff }")...)
	e, faults := contract.Load(estate(edits...))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	p, faults := e.Plan("prod")
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	api := p.APIs[0]
	for _, c := range []struct{ got, want any }{
		{api.CORS, &contract.PlannedCORS{Origins: []string{"https://a.example"}, Headers: []string{"Authorization"}, Expose: []string{"X-Correlation-Id"}, Credentials: true, MaxAge: 10 * time.Minute}},
		{api.Headers, []contract.RequiredHeader{{Name: "X-Api-Version", Values: []string{"1", "2"}, Rule: "headers.x-api-version"}}},
		{api.Operations[0].Headers, []contract.RequiredHeader{{Name: "X-A", Values: []string{"a"}, Rule: "operations.get.headers.X-A"}, {Name: "X-B", Values: []string{"b"}, Rule: "operations.get.headers.X-B"}}},
		{api.Operations[0].EncodedSlash, true},
		{api.Answer, map[string]string{"Referrer-Policy": "same-origin", "Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}},
		{p.Answer, map[string]string{"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Error(diff)
		}
	}
	if _, line := p.Place("orders", "operations.get.headers.X-B"); line != 13 {
		t.Errorf("got line %d for the operation's header, want 13", line)
	}
}
