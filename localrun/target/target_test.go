package target

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestATargetArrivesAsItWasTyped(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RequestURI }))
	defer server.Close()
	for _, text := range []string{
		"/", "/a?b=c", "/a//b/../%2e%2F;x=1?y=%zz", "//", "//x", "//127.0.0.1:1/x", "///x", "//x?", "//x?y=//z&\"", "//user@host/%2F%61", "//x;y=1/..//",
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := Set(req, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
}

func TestATargetThatCantBeSentAsTypedIsTold(t *testing.T) {
	for _, text := range []string{"//x\"", "//%zz", "//x#y", "//é"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://gateway", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := Set(req, text); err == nil || !strings.Contains(err.Error(), "//") {
			t.Errorf("%s: got %v, want it told", text, err)
		}
	}
}
