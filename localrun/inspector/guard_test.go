package inspector

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tollgate/shared/audit"
)

func TestOnlyItsOwnPageIsAnswered(t *testing.T) {
	v := open(t)
	v.tell(t, audit.Event{Correlation: "c1", Method: "GET", Path: "/things/1"})
	calls := 0
	v.gateway = func(http.ResponseWriter, *http.Request) { calls++ }
	host := strings.TrimPrefix(v.server.URL, "http://")
	_, port, _ := strings.Cut(host, ":")
	for name, c := range map[string]struct {
		method string
		header map[string]string
		want   int
	}{
		"an address typed in":                         {"GET", map[string]string{"Sec-Fetch-Site": "none"}, 200},
		"a program":                                   {"GET", nil, 200},
		"its own script":                              {"GET", map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		"by the name localhost":                       {"GET", map[string]string{"Host": "localhost:" + port}, 200},
		"a name that was rebound":                     {"GET", map[string]string{"Host": "evil.example:" + port}, 403},
		"a name that looks like an address":           {"GET", map[string]string{"Host": "127.0.0.1.evil.example:" + port}, 403},
		"a rebound name that claims its own origin":   {"POST", map[string]string{"Host": "evil.example:" + port, "Origin": "http://evil.example:" + port, "Sec-Fetch-Site": "same-origin"}, 403},
		"an address that isn't this machine":          {"GET", map[string]string{"Host": "192.168.1.7:" + port}, 403},
		"another site's script or picture":            {"GET", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"a page of another port":                      {"GET", map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"another site's form":                         {"POST", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403},
		"another site's form in an old browser":       {"POST", map[string]string{"Origin": "https://evil.example"}, 403},
		"a form of a sandboxed frame":                 {"POST", map[string]string{"Origin": "null"}, 403},
		"a page of another port, by an old browser":   {"POST", map[string]string{"Origin": "http://127.0.0.1:1"}, 403},
		"a form of nobody":                            {"POST", nil, 403},
		"a GET with another origin":                   {"GET", map[string]string{"Origin": "https://evil.example"}, 403},
		"its own form, by its other name":             {"POST", map[string]string{"Host": "localhost:" + port, "Origin": v.server.URL}, 403},
		"its own form":                                {"POST", map[string]string{"Origin": v.server.URL, "Sec-Fetch-Site": "same-origin"}, 200},
		"its own form, that another page has guessed": {"POST", map[string]string{"Origin": v.server.URL, "Sec-Fetch-Site": "cross-site"}, 403},
	} {
		path, body := "/requests/1", ""
		if c.method == "POST" {
			path, body = "/send", url.Values{"page": {v.secret}, "method": {"GET"}, "path": {"/things/1"}, "who": {"nobody"}}.Encode()
		}
		before := calls
		status, text, header := v.ask(t, c.method, path, body, c.header)
		if status != c.want || c.want != 200 && (calls != before || strings.Contains(text, "/things/1")) {
			t.Errorf("%s: got %d, want %d; %s", name, status, c.want, text)
		}
		for name, want := range map[string]string{"Content-Security-Policy": policy, "X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": ""} {
			if got := header.Get(name); got != want {
				t.Errorf("got %s: %q, want %q", name, got, want)
			}
		}
	}
}

func TestAFormNeedsThePagesSecret(t *testing.T) {
	v := open(t)
	v.gateway = func(http.ResponseWriter, *http.Request) { t.Error("the call was made") }
	for _, secret := range []string{"", "guess", v.secret[1:]} {
		if status, _ := v.form(t, "page", secret, "method", "GET", "path", "/things/1", "who", "nobody"); status != http.StatusForbidden {
			t.Errorf("%q: got %d, want 403", secret, status)
		}
	}
	// Nor does it work from an address, where it would stay in the history.
	if status, _, _ := v.ask(t, "POST", "/send?page="+v.secret+"&method=GET&path=/things/1", "", map[string]string{"Origin": v.server.URL}); status != http.StatusForbidden {
		t.Errorf("got %d, want 403", status)
	}
}

func TestThePageUsesNothingThatItsPolicyForbids(t *testing.T) {
	v := open(t)
	v.tell(t, audit.Event{Correlation: "c1", Method: "GET", Path: "/things/1"})
	for _, path := range []string{"/", "/requests/1", "/send", "/limits"} {
		present(t, v.page(t, path), "style=", "onclick", "onload", "javascript:", "http://", "https://", "<style", "<base")
	}
	for path, kind := range map[string]string{"/style.css": "text/css; charset=utf-8", "/script.js": "text/javascript; charset=utf-8", "/icon.svg": "image/svg+xml"} {
		if status, text, header := v.ask(t, "GET", path, "", nil); status != 200 || header.Get("Content-Type") != kind || strings.Contains(text, "eval(") || strings.Contains(text, "url(") {
			t.Errorf("%s: got %d %v", path, status, header)
		}
	}
}
