package forward_test

import (
	"net/url"
	"strings"
	"testing"

	"tollgate/shared/contract"
)

// sentQuery is what the backend's request line holds after the path, for a raw query.
func sentQuery(t testing.TB, raw string) string {
	r := request(t, "GET /orders HTTP/1.1\r\nHost: a\r\n\r\n")
	r.URL.RawQuery = raw
	return strings.TrimPrefix(sent(t, r, nil).URL.RequestURI(), "/orders")
}

func TestTheQueryKeepsEachByteButCredentials(t *testing.T) {
	for raw, want := range map[string]string{
		"":                              "",
		"a=1&a=2&b&c=&&=d&":             "?a=1&a=2&b&c=&&=d&",
		"q=%zz&r=%2f&s=%2F&t=+%20":      "?q=%zz&r=%2f&s=%2F&t=+%20",
		"\"<>|^`{}[]\\é\xff'":           "?\"<>|^`{}[]\\é\xff'",
		"a;b=1;c":                       "?a;b=1;c",
		"barcode=1&codes=2&code2&xcode": "?barcode=1&codes=2&code2&xcode",
		"code":                          "",
		"code=s":                        "",
		"code=s&a=1":                    "?a=1",
		"a=1&code=s":                    "?a=1",
		"a=1&code=s&code=t&b=2":         "?a=1&b=2",
		"a=1&CODE=s&Code=s&cOdE":        "?a=1",
		"c%6fde=s&%63%6F%64%65=s&a":     "?a",
		"+code=s&code+=s&%20code=s&a":   "?a",
		"subscription-key=s&a":          "?a",
		"Subscription-Key=s&a":          "?a",
		"subscription%2Dkey=s&a":        "?a",
		"access_token=s&a":              "?a",
		"ACCESS%5FTOKEN=s&a":            "?a",
		"a=code=s":                      "?a=code=s",
		"code==s&code=a=b&c":            "?c",
		"&code=s&":                      "?&",
		"a=1;code=s;b&c":                "?a=1;b&c",
		"code=s;subscription%2Dkey=s&c": "?c",
		";code=s&c":                     "?c",
	} {
		got := sentQuery(t, raw)
		if want == "?" {
			want = ""
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}

// FuzzTheQuery: what is left is the query without the pairs, and the parts of them
// between semicolons, that some reader takes for a credential, byte for byte and in order.
func FuzzTheQuery(f *testing.F) {
	for _, seed := range []string{"", "a=1&b=2", "code=s&a", "c%6Fde=s", "a;code=s;b", ";code", "a=1&CODE&b", "&&code=x&", "access%5ftoken", "q=%zz&code=1", "a?code=1", "%20code", "code%", "code%00=1", "\u00a0code=1", "%c5%bfubscription-key"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, _ := strings.CutPrefix(sentQuery(t, raw), "?")
		var kept []string
		for pair := range strings.SplitSeq(raw, "&") {
			var parts []string
			for part := range strings.SplitSeq(pair, ";") {
				if !credential(part) {
					parts = append(parts, part)
				}
			}
			if left := strings.Join(parts, ";"); left == pair || left != "" {
				kept = append(kept, left)
			}
		}
		if want := strings.Join(kept, "&"); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
		values, _ := url.ParseQuery(got)
		for name := range values {
			if credential(url.QueryEscape(name)) {
				t.Errorf("%q: got %q, which still holds %q", raw, got, name)
			}
		}
	})
}

// credential reads a pair as ASP.NET does: a broken percent-encoding stays as it is.
func credential(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		switch one, err := url.QueryUnescape(name[i:min(i+3, len(name))]); {
		case name[i] == '+':
			b.WriteByte(' ')
		case name[i] == '%' && err == nil && i+2 < len(name):
			b.WriteString(one)
			i += 2
		default:
			b.WriteByte(name[i])
		}
	}
	name = strings.ToLower(strings.TrimSpace(b.String()))
	return name == "code" || name == "subscription-key" || name == "access_token"
}

func TestNoBackendHearsAKey(t *testing.T) {
	a := api(t, "http://backend.example")
	a.KeyNames = contract.KeyNames{Headers: []string{"ocp-apim-subscription-key", "x-api-key"}, Parameters: []string{"api-key"}}
	r := request(t, "POST /orders?a=1&Api-Key=s&api%2Dkey=s&+API-KEY+=s&api-keys=2 HTTP/1.1\r\nHost: a\r\nX-Api-Key: s\r\nx_api.KEY: s\r\nOcp_Apim_Subscription_Key: s\r\nX-Api-Keys: 2\r\n\r\n")
	out := sentFor(t, a, r, nil)
	if got := out.URL.RawQuery; got != "a=1&api-keys=2" {
		t.Errorf("got the query %q", got)
	}
	for name := range out.Header {
		if f := contract.FoldHeader(name); f == "x-api-key" || f == "ocp-apim-subscription-key" {
			t.Errorf("the backend heard %s", name)
		}
	}
	if out.Header.Get("X-Api-Keys") != "2" {
		t.Error("X-Api-Keys is another header, and was removed")
	}
}
