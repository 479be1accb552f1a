package storage

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"tollgate/localrun/bearer"
)

// authorize is nil for a caller that may do anything; see the package's comment.
func (s *Storage) authorize(c call) *refusal {
	scheme, given, _ := strings.Cut(c.header.Get("Authorization"), " ")
	switch {
	case scheme == "Bearer":
		if !bearer.Good(given, Resource, s.options.Now()) {
			return authenticationFailed(http.StatusUnauthorized, "The token is malformed, not for storage, or has expired.")
		}
		return nil
	case scheme == "SharedKey" || scheme == "SharedKeyLite":
		return s.signed(c, scheme, given)
	case scheme != "":
		return authenticationFailed(http.StatusForbidden, "The Authorization header has a scheme that isn't known.")
	case c.query.Has("sig"):
		return s.shared(c)
	}
	return noAuthentication()
}

// signed checks ACCOUNT:SIGNATURE.
func (s *Storage) signed(c call, scheme, given string) *refusal {
	refused := authenticationFailed(http.StatusForbidden, "The signature in the Authorization header is not that of this request with this account's key.")
	account, signature, ok := strings.Cut(given, ":")
	if !ok || account != s.options.Account {
		return refused
	}
	if len(s.key) == 0 {
		return nil
	}
	mac := hmac.New(sha256.New, s.key)
	_, _ = mac.Write([]byte(s.toSign(c, scheme))) // a hash never fails
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || !hmac.Equal(got, mac.Sum(nil)) {
		return refused
	}
	return nil
}

// toSign is what the table service signs: less than the other services do.
func (s *Storage) toSign(c call, scheme string) string {
	resource := "/" + s.options.Account + c.path
	if comp := c.query.Get("comp"); comp != "" {
		resource += "?comp=" + comp
	}
	date := c.header.Get("X-Ms-Date")
	if date == "" {
		date = c.header.Get("Date")
	}
	if scheme == "SharedKeyLite" {
		return date + "\n" + resource
	}
	return strings.Join([]string{c.method, c.header.Get("Content-Md5"), c.header.Get("Content-Type"), date, resource}, "\n")
}

// shared lets a SAS in by what it says of itself.
func (s *Storage) shared(c call) *refusal {
	refused := authenticationFailed(http.StatusForbidden, "The shared access signature lacks sv, se or sig, or has expired.")
	end, err := time.Parse(time.RFC3339, c.query.Get("se"))
	if err != nil {
		end, err = time.Parse(time.DateOnly, c.query.Get("se"))
	}
	if err != nil || c.query.Get("sv") == "" || c.query.Get("sig") == "" || !s.options.Now().Before(end) {
		return refused
	}
	return nil
}
