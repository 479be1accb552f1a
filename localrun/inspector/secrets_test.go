package inspector

import (
	"net/http"
	"strings"
	"testing"

	"tollgate/shared/audit"
)

// A header may hold an address, and a form or an address with a user secrets.
func TestSecretsInAddressesAndFormsAreMasked(t *testing.T) {
	v := open(t)
	v.arrive(t, "i1", "POST", "http://me:s3cret@here/things/1?a=b&api_pass=s3cret", "grant_type=password&client_secret=s3cret&password=s3cret", http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"},
		"Referer":      {"https://app.example/back?state=1&code=s3cret&access_token=s3cret"}, "X-Original-Url": {"/things/1?API_PASS=s3cret"},
		"X-Back": {"https://app.example/#access_token=s3cret&x=1"},
	})
	v.tell(t, audit.Event{Correlation: "c1", Invocation: "i1", Method: "POST", Path: "/things/1"})
	for _, path := range []string{"/requests/1", "/send?of=1"} {
		if text := v.page(t, path); strings.Contains(text, "s3cret") {
			at := strings.Index(text, "s3cret")
			t.Errorf("%s shows a secret: %s", path, text[max(0, at-300):at+20])
		}
	}
}
