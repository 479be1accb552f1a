package forward

import (
	"strings"

	"tollgate/shared/contract"
)

// spoken are the response headers of which the gateway speaks for an API: the
// contract's responseHeaders, and with cors: all of the CORS protocol. Two
// voices would be two policies, and a browser refuses two values of
// Access-Control-Allow-Origin (Fetch, "CORS check").
type spoken struct {
	names map[string]bool // folded
	cors  bool
}

// answering adds what the gateway itself says in answers of this API.
func (c cleaner) answering(api contract.PlannedAPI) cleaner {
	c.answered = spoken{names: map[string]bool{}, cors: api.CORS != nil}
	for name := range api.Answer {
		c.answered.names[contract.FoldHeader(name)] = true
	}
	return c
}

func (s spoken) has(folded string) bool {
	return s.names[folded] || s.cors && strings.HasPrefix(folded, "access-control-")
}
