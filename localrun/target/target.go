// Package target puts a request's target where net/http writes it as it was typed:
// what the gateway makes of an odd path is the point of sending one.
package target

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Set makes text, a path with its query, the target of the request. It goes to the
// host that the request's address names, whatever the text looks like.
func Set(r *http.Request, text string) error {
	if !strings.HasPrefix(text, "//") {
		r.URL.Opaque = text
		return nil
	}
	// Of an opaque part that begins with // URL.RequestURI makes an absolute address,
	// with the host that the text names.
	path, query, has := strings.Cut(text, "?")
	plain, err := url.PathUnescape(path)
	r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.URL.ForceQuery = plain, path, query, has
	if err != nil || r.URL.RequestURI() != text {
		return errors.New("a path that begins with // can hold only what a URL may, the rest percent-encoded")
	}
	return nil
}
