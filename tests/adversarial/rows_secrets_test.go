package adversarial

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// theKey is a secret that a caller sends by mistake or design.
const theKey = "c2VjcmV0LWtleQ"

// secretsSent: case 98. Neither the backend nor the log learns it.
func secretsSent(b *bench) (rows []row) {
	add := func(name, request, want string) {
		rows = append(rows, row{id: "E98", name: name, request: request, want: want, check: unlogged})
	}
	for _, name := range []string{"x-functions-key", "Ocp-Apim-Subscription-Key", "ocp_apim_subscription_key", "X_Functions_Key", "DPoP", "Authorization"} {
		add(name, ask("GET /public/x", name+": "+theKey), "200")
		add(name+" on a protected path", ask("GET /nowhere", name+": "+theKey), "404 no_route")
	}
	for _, name := range []string{"code", "Code", "CODE", "%63ode", "subscription-key", "Subscription-Key", "subscription%2Dkey", "access_token", "+code", "code+"} {
		add("?"+name, ask("GET /public/x?a=1&"+name+"="+theKey+"&b=2"), "200")
		add("?"+name+" twice", ask("GET /public/x?"+name+"=1&"+name+"="+theKey), "200")
		add("?"+name+" on a protected path", ask("GET /manage/x?"+name+"="+theKey), "401 token_missing")
	}
	return rows
}

func unlogged(t *testing.T, b *bench, a answer) {
	for _, seen := range b.Backend.Requests() {
		if text := string(must(json.Marshal(seen))); strings.Contains(text, theKey) {
			t.Errorf("got the key at the backend: %s", text)
		}
	}
	if e := b.Event(t, a.Header.Get("X-Correlation-Id")); strings.Contains(string(must(json.Marshal(e))), theKey) {
		t.Errorf("got the key in the event %+v", e)
	}
	for _, l := range b.lines() {
		if strings.Contains(l.Text, theKey) {
			t.Errorf("got the key in the log: %s", l.Text)
		}
	}
}

// backendsAnswers: case 100. The echo answers with the headers that the query asks for.
func backendsAnswers(b *bench) (rows []row) {
	for _, name := range []string{"X-Auth-Sub", "X_Auth_Sub", "x.auth.tenant", "X-Auth-Roles", "X-Correlation-Id", "Server", "X-Powered-By", "X-AspNet-Version", "X-AspNetMvc-Version", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Upgrade", "Alt-Svc", "TE", "X-MS-CLIENT-PRINCIPAL", "X-MS-TOKEN-AAD-ACCESS-TOKEN", "X-Azure-FDID", "x-ms-site-token", "X-FUNCTION-SCALEOUT", "X-Accel-Redirect", "X-Forwarded-For", "Authorization", "X-Azure-Functions-InvocationId"} {
		rows = append(rows, row{id: "E100", name: "a backend that says " + name, request: ask("GET /public/x?header=" + name + ":evil"), want: "200", check: withheldFrom(name)})
	}
	rows = append(rows,
		row{id: "E100", name: "a header that Connection names", request: ask("GET /public/x?header=Connection:X-Hop&header=X-Hop:evil"), want: "200", check: withheldFrom("X-Hop")},
		row{id: "E100", name: "two cookies", request: ask("GET /public/x?header=Set-Cookie:a%3D1&header=Set-Cookie:b%3D2"), want: "200", check: func(t *testing.T, _ *bench, a answer) {
			if got := a.Header.Values("Set-Cookie"); !slices.Equal(got, []string{"a=1", "b=2"}) {
				t.Errorf("got the cookies %q, want both", got)
			}
		}},
		row{id: "E100", name: "what a backend may say", request: ask("GET /public/x?header=ETag:x&header=X-Own:y&header=Location:/z"), want: "200", check: answers("ETag", "x", "X-Own", "y", "Location", "/z")})
	return rows
}

func withheldFrom(name string) func(*testing.T, *bench, answer) {
	return func(t *testing.T, _ *bench, a answer) {
		for n, values := range a.Header {
			if variable(n) == variable(name) && slices.Contains(values, "evil") {
				t.Errorf("got %s %q in the answer, want it withheld", n, values)
			}
		}
	}
}
