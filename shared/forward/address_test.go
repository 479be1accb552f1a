package forward_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// outbound is what a delivery under an operation would send for a path and a query.
func outbound(t testing.TB, op contract.PlannedOperation, address, path, query string) *url.URL {
	t.Helper()
	c, a := &captured{}, api(t, address)
	a.Operations = []contract.PlannedOperation{op}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.URL = &url.URL{Path: path, RawPath: path, RawQuery: query}
	call := &pipeline.Call{Request: r, Path: path, Correlation: correlation}
	if refused := newFront(a, c).deliver(r.Context(), httptest.NewRecorder(), call); refused != nil {
		t.Fatalf("got %+v, want the call delivered", refused)
	}
	if c.out.Host != c.out.URL.Host {
		t.Errorf("got Host %q and %q in the address, want one", c.out.Host, c.out.URL.Host)
	}
	return c.out.URL
}

func literal(s string) contract.RewriteSegment { return contract.RewriteSegment{Literal: s} }

func TestARewrittenPathHoldsTheRequestsOwnBytes(t *testing.T) {
	id := contract.RewriteSegment{From: 1}
	for name, c := range map[string]struct {
		rewrite    []contract.RewriteSegment
		path, want string
	}{
		"a parameter":            {[]contract.RewriteSegment{literal("v2"), literal("items"), id}, "/orders/42", "/base/v2/items/42"},
		"its spelling":           {[]contract.RewriteSegment{literal("v2"), id}, "/orders/a%C3%a9b+c@d:e", "/base/v2/a%C3%a9b+c@d:e"},
		"an encoded slash":       {[]contract.RewriteSegment{literal("v2"), id}, "/orders/a%2Fb", "/base/v2/a%2Fb"},
		"one encoded twice":      {[]contract.RewriteSegment{literal("v2"), id}, "/orders/a%252fb", "/base/v2/a%252fb"},
		"all that remains":       {[]contract.RewriteSegment{literal("files"), {From: 1, Rest: true}}, "/orders/a/b/c%20d", "/base/files/a/b/c%20d"},
		"in another order":       {[]contract.RewriteSegment{{From: 2}, {From: 1}}, "/orders/x/y", "/base/y/x"},
		"twice is not a mistake": {[]contract.RewriteSegment{id, literal("of"), id}, "/orders/x", "/base/x/of/x"},
		"no parameter at all":    {[]contract.RewriteSegment{literal("status")}, "/orders/health", "/base/status"},
		"the root":               {nil, "/orders/health", "/base/"},
	} {
		t.Run(name, func(t *testing.T) {
			u := outbound(t, contract.PlannedOperation{Rewrite: &contract.Rewrite{Segments: c.rewrite}}, "http://backend.internal/base/", c.path, "")
			if u.EscapedPath() != c.want || u.Host != "backend.internal" {
				t.Errorf("got %s, want %s at the backend", u, c.want)
			}
		})
	}
}

func TestTheQueryFollowsTheRules(t *testing.T) {
	set := map[string]string{"api-version": "2024-05-01"}
	for name, c := range map[string]struct {
		rules     contract.QueryRules
		raw, want string
	}{
		"set":                           {contract.QueryRules{Set: set, Drop: []string{"api-version"}}, "a=1", "a=1&api-version=2024-05-01"},
		"set without any":               {contract.QueryRules{Set: set, Drop: []string{"api-version"}}, "", "api-version=2024-05-01"},
		"set over the caller's":         {contract.QueryRules{Set: set, Drop: []string{"api-version"}}, "api-version=1&a=1&api-version=2&Api-Version=3&api%2Dversion=4&api-version", "a=1&api-version=2024-05-01"},
		"set is encoded":                {contract.QueryRules{Set: map[string]string{"q": "a b&c=d+é;#"}, Drop: []string{"q"}}, "", "q=a%20b%26c%3Dd%2B%C3%A9%3B%23"},
		"remove":                        {contract.QueryRules{Drop: []string{"debug"}}, "debug=1&a=%zz&DEBUG&de%62ug=2&+debug=3&b=%2f", "a=%zz&b=%2f"},
		"remove behind a semicolon":     {contract.QueryRules{Drop: []string{"debug"}}, "a=1;debug=1", "a=1%3Bdebug=1"},
		"allow":                         {contract.QueryRules{Allow: []string{"page", "size"}, Closed: true}, "page=1&Page=2&size=%20&p%61ge=3&x=1&&=&page%zz=1&page[]=1", "page=1&size=%20&p%61ge=3"},
		"allow nothing":                 {contract.QueryRules{Closed: true}, "a=1&b", ""},
		"credentials are removed first": {contract.QueryRules{Drop: []string{"debug"}}, "code=s&a=1", "a=1"},
	} {
		t.Run(name, func(t *testing.T) {
			u := outbound(t, contract.PlannedOperation{Query: &c.rules}, "http://backend.internal", "/orders", c.raw)
			if u.RawQuery != c.want || u.ForceQuery {
				t.Errorf("got %q, want %q", u.RawQuery, c.want)
			}
		})
	}
}

// FuzzTheAddress: whatever a caller writes, the host and the beginning of the path
// are the contract's, and who parses the query gets just what the rules say.
func FuzzTheAddress(f *testing.F) {
	for _, seed := range [][2]string{{"42", "a=1"}, {"@evil.example", "page=1&debug=1"}, {"%2f%2fevil", "api-version=1;page=2"}, {"..%2f", "p%61ge=%zz&DEBUG"}, {":80", "?&#"}, {"\\evil", "a=b=c&&page"}} {
		f.Add(seed[0], seed[1])
	}
	op := contract.PlannedOperation{
		Rewrite: &contract.Rewrite{Segments: []contract.RewriteSegment{literal("v2"), {From: 1}, literal("end")}},
		Query:   &contract.QueryRules{Set: map[string]string{"api-version": "x y"}, Drop: []string{"api-version", "debug"}, Allow: []string{"page"}, Closed: true},
	}
	f.Fuzz(func(t *testing.T, id, query string) {
		if strings.ContainsAny(id, "/?") || strings.ContainsFunc(id+query, func(r rune) bool { return r <= ' ' || r > '~' || r == '#' }) {
			return // no segment of a path, or no target that is taken
		}
		u := outbound(t, op, "http://backend.internal:8080/base", "/orders/"+id, query)
		again, err := url.Parse("http://" + u.Host + u.RequestURI())
		if err != nil && strings.Contains(id, "%") {
			return // a broken encoding; no path that is taken
		}
		if err != nil || again.Host != "backend.internal:8080" || u.Host != "backend.internal:8080" || !strings.HasPrefix(u.EscapedPath(), "/base/v2/") {
			t.Fatalf("%q: got %s (%v), want the contract's host and path", id, u, err)
		}
		got, err := url.ParseQuery(u.RawQuery)
		want := url.Values{"api-version": {"x y"}}
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if n, err := url.QueryUnescape(name); err == nil && n == "page" {
				v, err := url.QueryUnescape(value)
				if err != nil {
					continue // a broken value is dropped by this reader, and others keep it
				}
				want.Add("page", v)
			}
		}
		if err == nil && !slices.Equal(got["page"], want["page"]) || got.Get("api-version") != "x y" || len(got) > 2 {
			t.Errorf("%q: got %v of %q (%v), want %v", query, got, u.RawQuery, err, want)
		}
	})
}

// No part of a request chooses a host: only the contract's are ever asked.
func TestNoPartOfARequestChoosesAHost(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"evil.example", "@", "//", "\\", ":80", "%40", "%2f", "%5c", "..", ".", "http:", "https://", "#", "?", "a", "[::1]", "%00", ";", "\t"}
	some := func() string {
		var b strings.Builder
		for range random.IntN(5) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		return b.String()
	}
	s := &script{}
	a := several(t, 1, 2)
	a.Operations = []contract.PlannedOperation{{WebSocket: true, Rewrite: &contract.Rewrite{Segments: []contract.RewriteSegment{literal("v2"), {From: 1, Rest: true}}}}}
	f := newFront(a, s)
	for range 5000 {
		path := "/orders/" + some()
		r := &http.Request{
			Method: "GET", Host: some(), RequestURI: some() + path, URL: &url.URL{Scheme: some(), Host: some(), User: url.User(some()), Opaque: some(), Path: path, RawPath: some(), RawQuery: some(), Fragment: some()},
			Header: http.Header{"X-Forwarded-Host": {some()}, "Forwarded": {"host=" + some()}, "X-Original-Url": {some()}, "X-Host": {some()}, "Host": {some()}, "Connection": {"upgrade"}, "Upgrade": {"websocket"}},
		}
		s.answer = func(out *http.Request) (*http.Response, error) {
			if out.URL.Scheme != "http" || out.URL.User != nil || out.URL.Opaque != "" || out.Host != out.URL.Host || out.URL.Host != "a" && out.URL.Host != "b" {
				t.Errorf("%+v: got %s asked as %s, want the contract's hosts alone", r, out.URL, out.Host)
			}
			if !strings.HasPrefix(out.URL.EscapedPath(), "/v2/") {
				t.Errorf("%+v: got the path %s, want it below the contract's", r, out.URL.EscapedPath())
			}
			return status(200), nil
		}
		_ = f.deliver(t.Context(), httptest.NewRecorder(), &pipeline.Call{Request: r, Path: path, Correlation: correlation})
	}
}
