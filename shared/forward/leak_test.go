package forward_test

import (
	"io"
	"net/http"
	"testing"
)

// Server and its kin tell an attacker which hole to try; hop-by-hop and platform
// names would steer the connection or pose as the platform.
func TestNoSpellingOfALeakReachesTheCaller(t *testing.T) {
	names := []string{"Server", "SERVER", "X-Powered-By", "X_Powered_By", "x.powered.by", "X-AspNet-Version", "X_AspNet_Version", "X-AspNetMvc-Version", "X-ASPNETMVC_VERSION",
		"Via", "Keep_Alive", "Proxy-Connection", "X_MS_Client_Principal", "X-User_Id", "x.roles", "X-Forwarded_For", "X_Azure-Ref", "X-Correlation_Id"}
	s := newStand(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, n := range names {
			w.Header()[n] = []string{"told"}
		}
		w.Header().Set("Trailer", "X-Kept")
		_, _ = io.WriteString(w, "ok")
		w.Header().Set("X-Kept", "told")
		for _, n := range names {
			w.Header()[http.TrailerPrefix+n] = []string{"told"}
		}
	}))
	resp := s.dial(t, "GET /orders HTTP/1.1\r\nHost: a\r\n\r\n").response(t, "GET")
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		want := 0
		if fold(n) == "x-correlation-id" {
			want = 1 // the gateway's own
		}
		if got := heard(resp.Header, n); len(got) != want || want == 1 && got[0] != correlation {
			t.Errorf("got %s: %q, want none of the backend's", n, got)
		}
		if got := heard(resp.Trailer, n); len(got) > 0 {
			t.Errorf("got %s: %q in the trailers, want none", n, got)
		}
	}
	if got := resp.Trailer.Get("X-Kept"); got != "told" {
		t.Errorf("got the trailer X-Kept %q, want told", got)
	}
}
