package forward

import (
	"net/url"
	"strings"
)

// credentials are query parameters that carry a secret for the gateway or the
// host: a Functions key, a subscription key, a token (RFC 6750 §2.3).
var credentials = set("code", "subscription-key", "access_token")

// cleanQuery removes those parameters and leaves every other byte as it was.
func cleanQuery(raw string) string {
	if raw == "" {
		return ""
	}
	kept, dropped := make([]string, 0, 8), false
	for pair := range strings.SplitSeq(raw, "&") {
		if secret(pair) {
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

// secret: the host reads names without regard to case, and encoded ones too. A
// name that can't be decoded is compared as it stands.
func secret(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		name = decoded
	}
	return credentials[strings.ToLower(strings.TrimSpace(name))]
}
