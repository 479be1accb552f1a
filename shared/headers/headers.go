// Package headers demands what a contract says that every request carries, and
// refuses headers that could be read in two ways.
package headers

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// Require demands each of the headers exactly once, with one of its values.
//
// A backend that turns names into variables takes X_Api_Version for
// X-Api-Version, so such a twin is refused too: the backend might read that one.
// One that Connection names would never reach it (RFC 9110 §7.6.1).
func Require(required []contract.RequiredHeader) pipeline.Stage {
	type demand struct {
		contract.RequiredHeader
		folded string
	}
	var demands []demand
	for _, r := range required {
		demands = append(demands, demand{r, contract.FoldHeader(r.Name)})
	}
	return func(_ context.Context, c *pipeline.Call) *refusal.Refusal {
		ending := contract.ConnectionNames(c.Request.Header)
		for _, d := range demands {
			values, twins := lines(c.Request.Header, d.folded)
			switch {
			case len(values) == 0 && !twins:
				return refusal.New(refusal.Malformed, "header_required", "Send the header "+d.Name+".").By(d.Rule)
			case len(values) != 1 || twins:
				return refusal.New(refusal.Malformed, "header_not_accepted", "Send the header "+d.Name+" exactly once, under exactly that name.").By(d.Rule)
			case ending[d.folded]:
				return refusal.New(refusal.Malformed, "header_not_accepted", "The header "+d.Name+" must not be named in Connection.").By(d.Rule)
			case !slices.Contains(d.Values, values[0]):
				return refusal.New(refusal.Malformed, "header_not_accepted", "The header "+d.Name+" has a value that is not accepted here.").By(d.Rule)
			}
		}
		return nil
	}
}

// Single refuses headers whose second line would be read by some and not by
// others. Authorization and DPoP are the token stage's, Origin is CORS's, and
// Host is looked at with the request's target.
func Single(h http.Header) *refusal.Refusal {
	for _, name := range [...]string{"Content-Type", "X-Functions-Key"} {
		values, twins := lines(h, strings.ToLower(name))
		if len(values) > 1 || twins && len(values) > 0 {
			return refusal.New(refusal.Malformed, "header_repeated", "Send the header "+name+" at most once.")
		}
	}
	return nil
}

// lines are the values under a name in any case. twins tells of other names
// that fold to the same.
func lines(h http.Header, folded string) (values []string, twins bool) {
	for name, v := range h {
		switch {
		case len(name) != len(folded):
		case strings.EqualFold(name, folded):
			values = append(values, v...)
		case contract.FoldHeader(name) == folded:
			twins = true
		}
	}
	return values, twins
}
