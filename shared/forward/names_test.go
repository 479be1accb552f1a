package forward

import (
	"testing"

	"tollgate/shared/contract"
)

// What is removed here must not be demanded of callers, nor promised in answers,
// by a contract: check refuses it by contract.Removed.
func TestCheckKnowsEveryNameThatIsRemoved(t *testing.T) {
	var names []string
	for _, m := range []map[string]bool{hopByHop, platform} {
		for name := range m {
			names = append(names, name)
		}
	}
	for _, p := range platformPrefixes {
		names = append(names, p+"x")
	}
	for _, name := range names {
		if contract.FoldHeader(name) != name {
			t.Errorf("%q is not folded, so nothing is ever equal to it", name)
		}
		if contract.Removed(name) == "" {
			t.Errorf("contract.Removed doesn't know %q", name)
		}
	}
	for _, name := range []string{"accept", "content-type", "cookie", "origin", "user-agent", "x-api-version", "x-arrow", "x-msg", "if-match", "traceparent"} {
		if why := contract.Removed(name); why != "" || (cleaner{}).trusted(name) {
			t.Errorf("got %q for %q, want a header that passes", why, name)
		}
	}
}
