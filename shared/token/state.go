package token

import "time"

// KeySetState is what is known of one issuer's key set.
type KeySetState struct {
	Name    string // as contracts call the issuer
	Issuer  string
	Keys    int
	Known   bool          // there is one
	Age     time.Duration // since it was fetched
	Stale   bool          // old enough to be fetched anew
	Usable  bool          // a token can be judged by it, or by one that the next request fetches
	Failing bool          // the last fetch failed
}

// KeySets are those of all issuers. Nothing is fetched.
func (t *Trust) KeySets() []KeySetState {
	var out []KeySetState
	for _, is := range t.sorted() {
		out = append(out, is.keys.state(is.Name))
	}
	return out
}

func (k *keySet) state(name string) KeySetState {
	k.mu.Lock()
	r, failing := k.ring, k.failed > 0
	k.mu.Unlock()
	s := KeySetState{Name: name, Issuer: k.issuer.Issuer, Failing: failing}
	if r == nil {
		s.Usable = !failing // nobody has asked yet, or the last answer was good
		return s
	}
	s.Known, s.Keys, s.Age = true, len(r.keys), k.ageOf(r)
	s.Stale = r.old || s.Age >= k.times.Refresh
	s.Usable = s.Age < k.times.MaxStale || !failing
	return s
}

// Lookups are how often a token was one verified before, and how often not.
func (t *Trust) Lookups() (hits, misses int64) {
	return t.verified.hits.Load(), t.verified.misses.Load()
}
