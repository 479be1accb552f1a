package claims

import (
	"encoding/json"
	"slices"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// said is what a token says of a rule that it doesn't satisfy: the first of the
// names that it has, with its value, or that it lacks them all.
func said(c pipeline.Claims, names ...string) refusal.Facts {
	for _, name := range names {
		if !absent(c, name) {
			return refusal.Facts{Claim: name, Value: valueOf(c, name)}
		}
	}
	return refusal.Facts{Missing: names}
}

// unmet is said of a rule under require: where its claim is absent, all others
// of the list that are absent too.
func unmet(c pipeline.Claims, r contract.RequiredClaim, all []contract.RequiredClaim) refusal.Facts {
	facts := said(c, r.Claim)
	if facts.Missing == nil {
		return facts
	}
	for _, other := range all {
		if absent(c, other.Claim) && !slices.Contains(facts.Missing, other.Claim) {
			facts.Missing = append(facts.Missing, other.Claim)
		}
	}
	return facts
}

// absent: null and an empty list hold no value either.
func absent(c pipeline.Claims, name string) bool {
	values, ok := c.Texts(name)
	return c[name] == nil || ok && len(values) == 0
}

// valueOf is a claim in one line: a list's values with commas between them, an object as JSON.
func valueOf(c pipeline.Claims, name string) string {
	if values, ok := c.Texts(name); ok {
		return strings.Join(values, ", ")
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	_ = e.Encode(c[name]) // it came out of JSON
	return strings.TrimSuffix(text.String(), "\n")
}
