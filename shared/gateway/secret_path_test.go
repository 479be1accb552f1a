package gateway

import (
	"net/http/httptest"
	"strings"
	"testing"

	"tollgate/shared/wire"
)

// A target without a path, or with a fragment, is refused; what it holds besides
// a path is no path, and may be a secret.
func TestWhatIsNoPathIsNotInTheEvent(t *testing.T) {
	for _, target := range []string{
		"http://user:s3cret@api.example", "http://user:s3cret@api.example?x", "user:s3cret@api.example:443",
		"/public/x#access_token=s3cret", "http://api.example/public/x#access_token=s3cret", "http://api.example#access_token=s3cret",
	} {
		t.Run(target, func(t *testing.T) {
			s := newStand(t, echo())
			r := request(t, "GET", "/public/x")
			r.RequestURI = target
			s.answer(r)
			e, line := s.events.next(t)
			if strings.Contains(line, "s3cret") || e.Code != "path_not_canonical" {
				t.Errorf("got %s", line)
			}
			r = request(t, "GET", "/public/x")
			r.RequestURI = target
			s.Unreadable(httptest.NewRecorder(), r, &wire.Fault{Status: 400})
			if _, line := s.events.next(t); strings.Contains(line, "s3cret") {
				t.Errorf("got %s", line)
			}
		})
	}
}
