package gateway

import (
	"net/http"
	"testing"
)

func TestATargetWithTwoReadingsIsRefused(t *testing.T) {
	s := newStand(t, echo())
	for name, c := range map[string]struct {
		target, host string
		header       []string // Host among the headers, as some servers leave it
	}{
		"a fragment after the query":         {"/public/x?a#b", "api.example", nil},
		"a control character in the query":   {"/public/x?a\x00", "api.example", nil},
		"a line break in the query":          {"/public/x?a\r\nX: y", "api.example", nil},
		"another authority than Host":        {"http://other.example/public/x", "api.example", nil},
		"another port than Host":             {"http://api.example:8080/public/x", "api.example", nil},
		"the default port of another scheme": {"http://api.example:443/public/x", "api.example", nil},
		"an authority and no Host":           {"http://api.example/public/x", "", nil},
		"user information":                   {"http://a@api.example/public/x", "a@api.example", nil},
		"another scheme":                     {"ftp://api.example/public/x", "api.example", nil},
		"two Hosts":                          {"/public/x", "api.example", []string{"api.example", "api.example"}},
		"a Host that is another":             {"/public/x", "api.example", []string{"other.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(t, "GET", "/public/x")
			r.RequestURI, r.Host = c.target, c.host
			if c.header != nil {
				r.Header["Host"] = c.header
			}
			s.refused(t, r, 400, "target_ambiguous")
		})
	}
	t.Run("a fragment right after the path", func(t *testing.T) {
		s.refused(t, request(t, "GET", "/public/x#b"), 400, "path_not_canonical")
	})
}

func TestAnAuthorityThatIsTheHostIsTaken(t *testing.T) {
	s := newStand(t, echo())
	for target, host := range map[string]string{
		"http://api.example/public/x": "api.example", "http://API.example/public/x?a": "api.EXAMPLE", "HTTP://api.example:80/public/x": "api.example",
		"http://api.example:/public/x": "api.example:80", "https://api.example/public/x": "api.example:443", "http://[::1]:80/public/x": "[::1]", "/public/x": "",
	} {
		r := request(t, "GET", "/public/x")
		r.RequestURI, r.Host = target, host
		s.granted(t, r)
	}
}

// RFC 9110 §9.3.6-8: none of these is for a backend.
func TestCONNECTTRACEAndTheServersOwnOPTIONSEndHere(t *testing.T) {
	s := newStand(t, echo())
	for _, path := range []string{"/public/x", "/open/x"} {
		s.refused(t, request(t, http.MethodConnect, path), 405, "method_not_allowed")
		s.refused(t, request(t, http.MethodTrace, path), 405, "method_not_allowed")
	}
	s.refused(t, request(t, http.MethodConnect, "api.example:443"), 400, "path_not_canonical")
	s.refused(t, request(t, http.MethodOptions, "*"), 400, "path_not_canonical")
}
