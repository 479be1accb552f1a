package forward

import (
	"testing"

	"tollgate/shared/contract"
)

// What is removed must not be demanded of callers, nor promised in answers, by a
// contract: check refuses it by contract.Removed.
func TestCheckKnowsEveryNameThatIsRemoved(t *testing.T) {
	c := newCleaner(nil, contract.PlannedAPI{})
	names := contract.RemovedHeaders()
	for _, p := range contract.RemovedPrefixes() {
		names = append(names, p+"x")
	}
	for _, name := range names {
		if contract.FoldHeader(name) != name {
			t.Errorf("%q is not folded, so nothing is ever equal to it", name)
		}
		if contract.Removed(name) == "" || !c.toBackend.drops(name) || !c.toCaller.drops(name) {
			t.Errorf("%q passes, or check doesn't know that it never does", name)
		}
	}
	for _, name := range []string{"accept", "content-type", "cookie", "origin", "user-agent", "x-api-version", "x-arrow", "x-msg", "if-match", "baggage"} {
		if why := contract.Removed(name); why != "" || c.toBackend.drops(name) || c.toCaller.drops(name) {
			t.Errorf("got %q for %q, want a header that passes", why, name)
		}
	}
}
