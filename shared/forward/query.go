package forward

import (
	"net/url"
	"strings"
)

// withheld are query parameters that carry a secret for the gateway or the host
// (a Functions key, a subscription key, a token: RFC 6750 §2.3), or that some
// frameworks take for the method.
var withheld = map[string]bool{"code": true, "subscription-key": true, "access_token": true, "_method": true}

// cleanQuery removes those parameters and leaves every other byte as it was.
func cleanQuery(raw string) string {
	if raw == "" {
		return ""
	}
	kept, dropped := make([]string, 0, 8), false
	for pair := range strings.SplitSeq(raw, "&") {
		if private(pair) {
			dropped = true
			continue
		}
		kept = append(kept, pair)
	}
	if !dropped {
		return raw
	}
	return strings.Join(kept, "&")
}

// private: the host reads names without regard to case, and encoded ones too. A
// name that can't be decoded is compared as it stands.
func private(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		name = decoded
	}
	return withheld[strings.ToLower(strings.TrimSpace(name))]
}
