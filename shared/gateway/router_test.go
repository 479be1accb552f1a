package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
)

// templates are operations of one API at /a, read as contracts are. Each is its own id.
func templates(t *testing.T, matches ...string) []contract.PlannedOperation {
	t.Helper()
	var lines []string
	for i, m := range matches {
		lines = append(lines, fmt.Sprintf("  - { id: op%d, match: %q, public: true }", i, m))
	}
	p := plan(t, "http://127.0.0.1:1", "a.yaml", apiText("a", strings.Join(lines, "\n")))
	for _, api := range p.APIs {
		if api.Name == "a" {
			return api.Operations
		}
	}
	t.Fatal("the plan lost its API")
	return nil
}

func tree(ops []contract.PlannedOperation, matches []string) *node {
	root := &node{}
	for i, op := range ops {
		root.add(op.Template, &route{operation: matches[i]})
	}
	return root
}

// found is the match that a request leads to, "" for none.
func found(root *node, method, path string) (string, []string) {
	rt, allow := root.find(method, path)
	if rt == nil {
		return "", allow
	}
	return rt.operation, allow
}

func TestEachPathLeadsToItsNarrowestOperation(t *testing.T) {
	for name, c := range map[string]struct {
		matches []string
		want    map[string]string // method and path → match
	}{
		"a literal wins over a parameter, and both over the rest": {
			[]string{"GET /{rest...}", "GET /{id}", "GET /health"},
			map[string]string{"GET /a/health": "GET /health", "GET /a/1": "GET /{id}", "GET /a/1/2": "GET /{rest...}", "GET /a/health/x": "GET /{rest...}"},
		},
		"deep backtracking": {
			[]string{"GET /x/y/z", "GET /x/{b}/w", "GET /{a}/{b}/v", "GET /{rest...}"},
			map[string]string{"GET /a/x/y/z": "GET /x/y/z", "GET /a/x/y/w": "GET /x/{b}/w", "GET /a/x/y/v": "GET /{a}/{b}/v", "GET /a/x/y/u": "GET /{rest...}", "GET /a/x/y": "GET /{rest...}", "GET /a/x/y/z/z": "GET /{rest...}"},
		},
		"a rest takes one segment or more": {
			[]string{"GET /files/{path...}", "GET /"},
			map[string]string{"GET /a/files/x": "GET /files/{path...}", "GET /a/files/x/y/z": "GET /files/{path...}", "GET /a/files": "", "GET /a/files/": "", "GET /a/files/x/": "", "GET /a": "GET /", "GET /a/": ""},
		},
		"a slash at the end is another path": {
			[]string{"GET /{id}", "GET /health"},
			map[string]string{"GET /a/health/": "", "GET /a/1/": "", "GET /a/": "", "GET /": ""},
		},
		"HEAD follows GET's rule, or its own": {
			[]string{"GET /x", "HEAD /y", "GET /y", "HEAD /{id}", "POST /z"},
			map[string]string{"HEAD /a/x": "GET /x", "HEAD /a/y": "HEAD /y", "GET /a/y": "GET /y", "HEAD /a/1": "HEAD /{id}", "HEAD /a/z": "HEAD /{id}", "GET /a/1": ""},
		},
		"methods are not folded": {
			[]string{"GET /x", "POST /{id}"},
			map[string]string{"get /a/x": "", "Get /a/x": "", "POST /a/x": "POST /{id}", "TRACE /a/x": "", "CONNECT /a/x": "", "FOO /a/x": ""},
		},
		"a parameter takes a whole segment, encoded or not": {
			[]string{"GET /{id}/x"},
			map[string]string{"GET /a/%C3%A9/x": "GET /{id}/x", "GET /a/:/x": "GET /{id}/x", "GET /a/{id}/x": "GET /{id}/x", "GET /a//x": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(templates(t, c.matches...), c.matches)
			for call, want := range c.want {
				method, path, _ := strings.Cut(call, " ")
				if got, _ := found(root, method, path); got != want {
					t.Errorf("%s: got %q, want %q", call, got, want)
				}
			}
		})
	}
}

// D73: to a backend that ignores case the variant is the literal, so the rule of
// a parameter must not let it in.
func TestD73ACaseVariantOfALiteralNeverFallsToAParameter(t *testing.T) {
	for name, c := range map[string]struct {
		matches []string
		paths   []string
	}{
		"beside it":                        {[]string{"GET /{id}", "GET /admin"}, []string{"/a/Admin", "/a/ADMIN", "/a/adMin", "/A/admin"}},
		"beside a rest":                    {[]string{"GET /{rest...}", "GET /admin"}, []string{"/a/Admin"}},
		"above it":                         {[]string{"GET /{id}/keys", "GET /admin/keys"}, []string{"/a/Admin/keys", "/a/ADMIN/keys"}},
		"below a literal, beside a rest":   {[]string{"GET /{rest...}", "GET /admin/keys"}, []string{"/a/admin/Keys", "/a/Admin/keys", "/a/Admin/Keys"}},
		"below a literal, beside its twin": {[]string{"GET /{id}/{what}", "GET /admin/keys"}, []string{"/a/admin/Keys", "/a/admin/KEYS"}},
		"deep below":                       {[]string{"GET /{x}/{y}/{z}", "GET /admin/{y}/keys"}, []string{"/a/admin/1/Keys", "/a/Admin/1/keys"}},
		"a rest below a literal":           {[]string{"GET /{rest...}", "GET /admin/{rest...}"}, []string{"/a/Admin/x", "/a/Admin/x/y"}},
		"letters that fold to ASCII: ſ, K": {[]string{"GET /{id}", "GET /keys"}, []string{"/a/%E2%84%AAeys", "/a/key%C5%BF", "/a/%e2%84%aaey%c5%bf"}},
		"method by method":                 {[]string{"GET /{id}", "GET /admin", "HEAD /{id}"}, []string{"/a/Admin"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(templates(t, c.matches...), c.matches)
			for _, path := range c.paths {
				for _, method := range []string{"GET", "HEAD"} {
					if got, _ := found(root, method, path); got != "" {
						t.Errorf("%s %s: got the rule of %q, want none", method, path, got)
					}
				}
			}
		})
	}
}

func TestA405NamesTheMethodsThatThePathTakes(t *testing.T) {
	matches := []string{"GET /x", "POST /x", "DELETE /{id}", "PUT /{rest...}", "OPTIONS /x/y"}
	root := tree(templates(t, matches...), matches)
	for call, want := range map[string][]string{
		"PATCH /a/x":   {"DELETE", "GET", "HEAD", "POST", "PUT"},
		"GET /a/1":     {"DELETE", "PUT"},
		"GET /a/x/y":   {"OPTIONS", "PUT"},
		"GET /a/x/y/z": {"PUT"},
		"TRACE /a/x":   {"DELETE", "GET", "HEAD", "POST", "PUT"},
		"GET /a":       nil,
		"GET /b":       nil,
		"GET /a/x/":    nil,
	} {
		method, path, _ := strings.Cut(call, " ")
		got, allow := found(root, method, path)
		if diff := cmp.Diff(want, allow); got != "" || diff != "" {
			t.Errorf("%s: got %q and allow (-want +got):\n%s", call, got, diff)
		}
	}
}

// A path that almost matches again and again costs no more than its length: a
// caller must not be able to choose how long routing takes.
func TestRoutingCostsNoMoreThanThePathIsLong(t *testing.T) {
	const depth = 18
	matches := []string{"GET " + strings.Repeat("/x", depth), "GET /{rest...}"}
	root := tree(templates(t, matches...), matches)
	path := "/a" + strings.Repeat("/x", depth-1) + "/y"
	if allocs := testing.AllocsPerRun(1, func() { found(root, "GET", path) }); allocs > 2000 {
		t.Errorf("got %.0f allocations for %d segments, want some for each", allocs, depth)
	}
}
