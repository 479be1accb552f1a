package verify

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tollgate/shared/contract"
)

// sample stands where a path has a parameter: no record has this name.
const sample = "tollgate-verify"

// mostOperations is how many operations of one API are asked for without a token.
const mostOperations = 10

func baseOf(plan *contract.Plan, o Options) (*url.URL, error) {
	address := o.Address
	if address == "" {
		address = plan.PublicURL
	}
	if address == "" {
		return nil, fmt.Errorf("the environment %s has no publicURL; say with --address where the gateway is", plan.Environment)
	}
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("the gateway's address %q is not an http or https address", address)
	}
	return u, nil
}

// at is a path of the gateway.
func (p *prober) at(path string) string { return p.base.String() + path }

// target is an operation as it is asked for.
type target struct {
	api    *contract.PlannedAPI
	op     *contract.PlannedOperation
	path   string
	plain  bool // the path has no parameter
	header http.Header
}

// pathOf fills parameters in.
func pathOf(t contract.Template) (path string, plain bool) {
	plain = true
	for _, s := range t.Segments {
		if s.Literal == "" {
			plain, s.Literal = false, sample
		}
		path += "/" + s.Literal
	}
	return path, plain
}

// gets are the operations of an API that a GET reaches, those without a parameter first.
func gets(api *contract.PlannedAPI) []target {
	var out []target
	for i := range api.Operations {
		op := &api.Operations[i]
		if op.Template.Method != http.MethodGet {
			continue
		}
		t := target{api: api, op: op, header: http.Header{}}
		t.path, t.plain = pathOf(op.Template)
		for _, h := range slices.Concat(api.Headers, op.Headers) {
			if len(h.Values) > 0 {
				t.header.Set(h.Name, h.Values[0])
			} else {
				t.header.Set(h.Name, sample)
			}
		}
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b target) int {
		switch {
		case a.plain == b.plain:
			return 0
		case a.plain:
			return -1
		default:
			return 1
		}
	})
	return out
}

// guarded is an operation by which an API's tokens are tried; nil if a GET reaches none.
func guarded(api *contract.PlannedAPI) *target {
	for _, t := range gets(api) {
		if t.op.Allow != nil && t.op.Key != contract.KeyAlone && len(api.Accepts) > 0 {
			return &t
		}
	}
	return nil
}

// postOnly is a path that the contracts have, but not for GET.
func postOnly(plan *contract.Plan) (path string, ok bool) {
	for i := range plan.APIs {
		api := &plan.APIs[i]
		for _, op := range api.Operations {
			if op.Template.Method == http.MethodGet {
				continue
			}
			path, plain := pathOf(op.Template)
			if plain && !slices.ContainsFunc(api.Operations, func(o contract.PlannedOperation) bool {
				return o.Template.Method == http.MethodGet && covers(o.Template, op.Template)
			}) {
				return path, true
			}
		}
	}
	return "", false
}

// covers tells whether a literal path is also one of the template's.
func covers(t, literal contract.Template) bool {
	for i, s := range t.Segments {
		switch {
		case s.Rest:
			return i < len(literal.Segments)
		case i >= len(literal.Segments), s.Literal != "" && s.Literal != literal.Segments[i].Literal:
			return false
		}
	}
	return len(t.Segments) == len(literal.Segments)
}

// vaults are those that the plan names, once each.
func vaults(plan *contract.Plan) []string {
	var all []string
	add := func(address string) {
		if address != "" && !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	if s := plan.Store; s != nil {
		add(s.Digest.Vault)
		add(s.Previous.Vault)
	}
	if k := plan.AssertionKey; k != nil {
		add(k.Vault)
	}
	add(plan.Audit.Secret.Vault)
	for _, api := range plan.APIs {
		if api.Backend.Auth != nil {
			add(api.Backend.Auth.Secret.Vault)
		}
	}
	return all
}
