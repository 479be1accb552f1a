package forward

import (
	"net/http"
	"strings"

	"tollgate/shared/contract"
)

// filter drops headers by what a lenient receiver takes their names for.
type filter struct {
	names    map[string]bool // folded
	prefixes []string
}

func (f filter) drops(name string) bool {
	var room [64]byte // longer names cost an allocation
	folded := contract.AppendFold(room[:0], name)
	if f.names[string(folded)] || misspelt(name, folded) {
		return true
	}
	for _, p := range f.prefixes {
		if len(folded) >= len(p) && string(folded[:len(p)]) == p {
			return true
		}
	}
	return false
}

// misspelt: Content_Length frames nothing here, but it may for a backend that
// turns names into variables.
func misspelt(name string, folded []byte) bool {
	const family = "content-"
	return len(folded) >= len(family) && string(folded[:len(family)]) == family && strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
}

// cleaner removes what one side must not hear from the other, in headers and in trailers.
type cleaner struct {
	toBackend filter
	toCaller  filter
}

// newCleaner takes the claims contract, and what the API says itself in answers.
func newCleaner(claims []contract.Header, api contract.PlannedAPI) cleaner {
	names := func() map[string]bool {
		m := map[string]bool{}
		for _, n := range contract.RemovedHeaders() {
			m[n] = true
		}
		for _, h := range claims {
			m[contract.FoldHeader(h.Name)] = true
		}
		for _, n := range api.KeyNames.Headers { // of every API: a caller may send its key to the wrong one
			m[n] = true
		}
		if h := api.Proof.CertificateHeader; h != "" { // the front end's word on the client's certificate
			m[contract.FoldHeader(h)] = true
		}
		if auth := api.Backend.Auth; auth != nil && auth.Header != "" { // what proves the gateway; a backend must not hand it on either
			m[contract.FoldHeader(auth.Header)] = true
		}
		return m
	}
	c := cleaner{filter{names(), contract.RemovedPrefixes()}, filter{names(), contract.RemovedPrefixes()}}
	for _, n := range []string{"server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version"} { // what runs behind the gateway
		c.toCaller.names[n] = true
	}
	// Where the gateway speaks for an API, the backend doesn't: two voices would be
	// two policies, and a browser refuses two values of Access-Control-Allow-Origin
	// (Fetch, "CORS check").
	for n := range api.Answer {
		c.toCaller.names[contract.FoldHeader(n)] = true
	}
	if api.CORS != nil {
		c.toCaller.prefixes = append(c.toCaller.prefixes, "access-control-")
	}
	return c
}

// request copies what a caller may say to a backend. The names that Connection
// lists are dropped from this copy, before the gateway adds its own headers, so
// a caller can't have those removed (peers.md §3, CVE-2021-33197).
func (c cleaner) request(in http.Header) http.Header {
	out := make(http.Header, len(in)+12)
	c.toBackend.copy(in, out)
	return out
}

// answer copies what a backend may say to a caller.
func (c cleaner) answer(in, out http.Header) { c.toCaller.copy(in, out) }

func (f filter) copy(in, out http.Header) {
	named := contract.ConnectionNames(in)
	for name, values := range in {
		if f.drops(name) || len(named) > 0 && named[contract.FoldHeader(name)] {
			continue
		}
		if said := out[name]; said != nil {
			values = append(said, values...)
		}
		out[name] = values
	}
}
