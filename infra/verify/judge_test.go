package verify

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// said is an answer as it came.
func said(status int, body string, header ...string) *answer {
	a := &answer{Exchange: Exchange{Status: status}, header: http.Header{}, body: []byte(body), reason: http.StatusText(status)}
	for i := 0; i < len(header); i += 2 {
		a.header.Set(header[i], header[i+1])
	}
	a.Code = codeOf(a)
	return a
}

func silence() *answer {
	a := (answer{header: http.Header{}}).failed(errors.New("connection refused"))
	return &a
}

func problem(status int, code string) *answer {
	return said(status, `{"title":"x","status":1,"code":"`+code+`","correlationId":"c1"}`, "X-Correlation-Id", "c1", "Cache-Control", "no-store")
}

func TestStorageIsShutOnlyWhereTheNetworkRefused(t *testing.T) {
	for _, c := range []struct {
		name     string
		a        *answer
		signedIn bool
		want     Outcome
		sure     bool
	}{
		{"network rules refuse a call without a credential", said(403, "", "x-ms-error-code", "AuthorizationFailure"), false, Passed, true},
		{"network rules refuse, in JSON", said(403, `{"odata.error":{"code":"AuthorizationFailure"}}`), true, Passed, true},
		{"network rules refuse, in XML", said(403, `<?xml version="1.0"?><m:error xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><m:code>AuthorizationFailure</m:code></m:error>`), true, Passed, true},
		{"only the credential is missing", said(401, "", "x-ms-error-code", "NoAuthenticationInformation"), false, NotShown, false},
		{"an old version says not found", said(404, "", "x-ms-error-code", "ResourceNotFound"), false, NotShown, false},
		{"a permission is missing", said(403, "", "x-ms-error-code", "AuthorizationPermissionMismatch"), true, Failed, true},
		{"shared keys are off, which says nothing of the network", said(403, "", "x-ms-error-code", "KeyBasedAuthenticationNotPermitted"), false, NotShown, false},
		{"the token isn't taken", said(403, "", "x-ms-error-code", "AuthenticationFailed"), true, NotShown, true},
		{"it answers", said(200, `{"value":[]}`), false, Failed, true},
		{"it answers the deployer", said(200, `{"value":[]}`), true, Failed, true},
		{"nothing answers", silence(), false, NotShown, true},
		{"it is busy", said(503, "", "x-ms-error-code", "ServerBusy"), true, NotShown, true},
	} {
		if v, sure := shutStore(c.a, c.signedIn); v.Outcome != c.want || sure != c.sure {
			t.Errorf("%s: got %s (%s), sure %v; want %s, %v", c.name, v.Outcome, v.why, sure, c.want, c.sure)
		}
	}
}

func TestAVaultIsShutOnlyWhereTheNetworkRefused(t *testing.T) {
	inner := func(code string) string {
		return `{"error":{"code":"Forbidden","message":"x","innererror":{"code":"` + code + `"}}}`
	}
	for _, c := range []struct {
		name     string
		a        *answer
		signedIn bool
		want     Outcome
		sure     bool
	}{
		{"the firewall refuses", said(403, inner("ForbiddenByFirewall")), true, Passed, true},
		{"public access is off", said(403, inner("ForbiddenByConnection")), true, Passed, true},
		{"public access is off, even before the token", said(403, inner("ForbiddenByConnection")), false, Passed, true},
		{"the token is missing", said(401, `{"error":{"code":"Unauthorized"}}`), false, NotShown, false},
		{"the role is missing", said(403, inner("ForbiddenByRbac")), true, Failed, true},
		{"the access policy is missing", said(403, inner("AccessDenied")), true, Failed, true},
		{"it answers", said(200, `{"value":[]}`), true, Failed, true},
		{"the token isn't taken", said(401, `{"error":{"code":"Unauthorized"}}`), true, NotShown, true},
		{"nothing answers", silence(), true, NotShown, true},
	} {
		if v, sure := shutVault(c.a, c.signedIn); v.Outcome != c.want || sure != c.sure {
			t.Errorf("%s: got %s (%s), sure %v; want %s, %v", c.name, v.Outcome, v.why, sure, c.want, c.sure)
		}
	}
}

func TestARefusalCountsOnlyIfItIsTheGateways(t *testing.T) {
	for _, c := range []struct {
		name string
		got  verdict
		want Outcome
	}{
		{"the gateway refuses a token", refusedToken(problem(401, "bad_signature")), Passed},
		{"the gateway refuses in API Management's words", refusedToken(said(401, `{ "statusCode": 401, "message": "x" }`, "X-Correlation-Id", "c1", "Cache-Control", "no-store")), Passed},
		{"a backend refuses a token", refusedToken(said(401, `{"code":"no"}`, "X-Correlation-Id", "c1")), Failed},
		{"the token is understood and a role is missing", refusedToken(problem(403, "insufficient_role")), Failed},
		{"the call is granted", refusedToken(said(200, "{}")), Failed},
		{"a key is asked for first", refusedToken(problem(401, "key_missing")), NotShown},
		{"a key alone is asked for", notPublic(problem(401, "key_missing")), Passed},
		{"the address is refused first", refusedToken(problem(403, "address_not_allowed")), NotShown},
		{"the gateway slows the address down", refusedToken(problem(429, "too_many_refused")), NotShown},
		{"the issuer is out", refusedToken(problem(503, "keys_unavailable")), NotShown},
		{"the backend fails", refusedToken(said(502, "")), Failed},
		{"nothing answers", refusedToken(silence()), NotShown},
		{"the platform refuses this address", refusedToken(said(403, "<html>", "x-ms-forbidden-ip", "203.0.113.9")), NotShown},
		{"the host refuses a reserved path", closed(said(401, "")), Passed},
		{"a page stands at a reserved path", closed(said(404, "<html>no such job</html>")), Failed},
		{"a reserved path redirects", closed(said(302, "")), Failed},
		{"a reserved path is broken", closed(said(500, "")), NotShown},
		{"an unknown path is found", noRoute(said(200, ""), 404), Failed},
		{"an unknown path is a backend's 404", noRoute(said(404, "no"), 404), Failed},
		{"plain http leads to https", plainHTTP(said(301, "", "Location", "https://x/")), Passed},
		{"plain http leads to plain http", plainHTTP(said(301, "", "Location", "http://x/")), Failed},
		{"the gateway refuses over plain http", plainHTTP(problem(401, "token_missing")), Failed},
		{"the platform refuses this address at a reserved path", closed(said(403, "", "x-ms-forbidden-ip", "203.0.113.9")), NotShown},
		{"the gateway refuses this address at a reserved path", closed(problem(403, "address_not_allowed")), NotShown},
		{"the platform refuses this address over plain http", plainHTTP(said(403, "", "x-ms-forbidden-ip", "203.0.113.9")), NotShown},
		{"the platform refuses another origin's address", otherOrigin(said(403, "", "x-ms-forbidden-ip", "203.0.113.9")), NotShown},
		{"another origin is named", otherOrigin(said(204, "", "Access-Control-Allow-Origin", stranger)), Failed},
		{"another origin is refused", otherOrigin(problem(403, "origin_not_allowed")), Passed},
	} {
		if c.got.Outcome != c.want || c.got.why == "" {
			t.Errorf("%s: got %s (%s), want %s", c.name, c.got.Outcome, c.got.why, c.want)
		}
	}
}

func TestATokenIsUnderstoodOnlyWhereTheGatewayLookedAtIt(t *testing.T) {
	for _, c := range []struct {
		name string
		a    *answer
		want bool
	}{
		{"the backend answers", said(200, "{}", "X-Correlation-Id", "c1"), true},
		{"a role is missing", problem(403, "insufficient_role"), true},
		{"the backend is down", problem(502, "backend_unreachable"), true},
		{"the token is refused", problem(401, "bad_signature"), false},
		{"the address is refused first", problem(403, "address_not_allowed"), false},
		{"the path isn't known", problem(404, "no_route"), false},
		{"somebody else answers", said(200, "{}"), false},
		{"the platform refuses this address", said(403, "", "x-ms-forbidden-ip", "203.0.113.9"), false},
	} {
		if got := understood(c.a); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}

func TestWhoTakesAConnectionIsNotSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	c := newClient(Outside{Dial: new(net.Dialer).DialContext, Now: time.Now})
	defer c.close()
	p := &prober{client: c, reached: true}
	for _, scheme := range []string{"http", "https"} {
		a := c.ask(t.Context(), request{method: "GET", address: scheme + "://" + l.Addr().String() + "/", anyCertificate: true})
		if a.err == nil || !a.met {
			t.Fatalf("%s: got %v, want a connection without an answer", scheme, a)
		}
		if v := p.unanswered(&a); v.Outcome != NotShown {
			t.Errorf("%s: got %s (%s), want it not shown", scheme, v.Outcome, v.why)
		}
	}
	address := l.Addr().String()
	l.Close()
	a := c.ask(t.Context(), request{method: "GET", address: "http://" + address + "/"})
	if v := p.unanswered(&a); v.Outcome != Passed {
		t.Errorf("got %s (%s) where nobody listens, want it passed", v.Outcome, v.why)
	}
}

// What servers write must not become anything else in a report.
func TestHostileAnswersStayText(t *testing.T) {
	a := said(403, `{"code":"<script>alert(1)</script>|[x](javascript:1)\u001b[2J"}`)
	r := &Report{Format: Format, Environment: "prod", Began: time.Unix(0, 0), Results: []Result{result("x", Tokens, "p", refusedToken(a), *a)}}
	var b strings.Builder
	if err := r.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{"<script", "[x](", "\x1b"} {
		if strings.Contains(b.String(), never) {
			t.Errorf("the report holds %q", never)
		}
	}
}

func TestOnlyReportsAreRead(t *testing.T) {
	for _, text := range []string{``, `{}`, `[]`, `{"tollgateVerify":2,"environment":"prod"}`, `{"tollgateVerify":1}`, `{"tollgateVerify":1,"environment":"prod","began":"2026-11-26T20:00:00Z","results":[{"id":"x","outcome":"fine"}]}`} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q is taken for a report", text)
		}
	}
}
