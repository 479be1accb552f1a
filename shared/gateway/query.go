package gateway

// visible tells whether a query is made of what a request target can hold:
// visible ASCII, without the fragment's # (RFC 3986 §3.4, RFC 9112 §3.2).
// Percent-encodings in it are the backend's to read.
func visible(query string) bool {
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c > '~' || c == '#' {
			return false
		}
	}
	return true
}
