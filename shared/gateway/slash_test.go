package gateway

import (
	"strings"
	"testing"
)

// files are operations with the word, beside others without it.
var files = apiText("files", `  - { id: read, match: "GET /{name}", public: true, encodedSlash: allow }
  - { id: write, match: "PUT /{name}", public: true }
  - { id: parts, match: "GET /{name}/parts", public: true }
  - { id: part, match: "GET /{name}/parts/{part}", public: true, encodedSlash: allow }
  - { id: index, match: "GET /index", public: true }`)

var trees = apiText("trees", `  - { id: tree, match: "GET /{path...}", public: true, encodedSlash: allow }
  - { id: keys, match: "GET /own/keys", public: true }`)

func TestAnEncodedSlashInsideAParameterIsForwardedByteForByte(t *testing.T) {
	s := newStand(t, echo(), "files.yaml", files, "trees.yaml", trees)
	for _, target := range []string{
		"/files/a%2Fb", "/files/a%2fb", "/files/a%2Fb%2fc", "/files/a%252Fb", "/files/a%252fb%252Fc", "/files/a%2Fb?x=%2F", "/files/a%2F.b", "/files/a%2F...", "/files/%25%2Fa",
		"/files/a%2Fb/parts/c", "/files/a/parts/b%2Fc", "/files/a%2Fb/parts/c%2Fd",
		"/trees/a%2Fb/c", "/trees/a/b%252Fc", "/trees/parts%2Fc", "/files/a%2Findex", "/trees/a%2Findex",
	} {
		if _, seen := s.granted(t, request(t, "GET", target)); seen.Target != target {
			t.Errorf("got %q at the backend, want %q", seen.Target, target)
		}
	}
	s.granted(t, request(t, "HEAD", "/files/a%2Fb"))
}

func TestAnEncodedSlashIsRefusedEverywhereElse(t *testing.T) {
	s := newStand(t, echo(), "files.yaml", files, "trees.yaml", trees)
	for name, targets := range map[string][]string{
		"an operation without the word": {"/public/a%2Fb", "/public/a%252Fb", "/files/a%2Fb/parts", "/open/a%2Fb"},
		"outside a parameter":           {"/files%2Fa", "/files%252Fa", "/files/a%2Fparts%2F", "/files/index%2F", "/trees%2Fa", "/%2Ffiles/a", "/files/%2Findex"},
		"no operation":                  {"/nowhere/a%2Fb", "/files/a%2Fb/none", "/files/a%2Fb/"},
		"nothing between the slashes":   {"/files/%2F", "/files/%2Fa", "/files/a%2F", "/files/a%2F%2Fb", "/files/%252F%252F", "/files/a%252F", "/files/a%2F/parts/b", "/trees/a%2F/b", "/trees/a/%2Fb"},
		"a dot segment between them":    {"/files/..%2Fadmin", "/files/..%2fadmin", "/files/a%2F..", "/files/a%2F.%2Fb", "/files/.%252Fa", "/files/a%252F..%252Fb", "/trees/a/..%2Fb"},
		"both spellings at once":        {"/files/a%2Fb%252Fc", "/files/a%2Fb/parts/c%252fd"},
		"no other relaxation":           {"/files/a%2Fb%5Cc", "/files/a%2F%2e%2e", "/files/a%2F%252e%252e%252Fb", "/files/a%2Fb;c", "/files/a%25252Fb", "/files/a%2Fb%3Bc", "/files/a%2F%25%32%46b", "/files/a%2Fb//c", "/files/%c0%2F", "/files/a%255Cb%2Fc"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range targets {
				s.refused(t, request(t, "GET", target), 400, "path_not_canonical")
			}
		})
	}
	t.Run("another method", func(t *testing.T) {
		s.refused(t, request(t, "PUT", "/files/a%2Fb"), 400, "path_not_canonical")
		s.refused(t, request(t, "DELETE", "/files/a%2Fb"), 400, "path_not_canonical")
	})
}

// A backend that decodes before it routes would run another operation than the
// one whose rule was asked.
func TestAPathThatOpensToAnotherOperationIsRefused(t *testing.T) {
	s := newStand(t, echo(), "files.yaml", files, "trees.yaml", trees)
	for _, target := range []string{"/files/a%2Fparts", "/files/a%252Fparts", "/files/a%2FPARTS", "/files/a%2Fparts%2Fb", "/trees/own%2Fkeys", "/trees/own%252Fkeys", "/trees/Own%2FKeys"} {
		s.refused(t, request(t, "GET", target), 400, "path_not_canonical")
	}
}

// The backend may tell case apart or not: under neither reading may another
// operation run. To one that does, /sets/a/LOCK/lock/z is below all of /sets.
func TestAPathThatOpensToAnotherOperationOnlyByItsCaseIsRefused(t *testing.T) {
	s := newStand(t, echo(), "sets.yaml", apiText("sets", `  - { id: locked, match: "GET /{set}/lock/{path...}", public: true, encodedSlash: allow }
  - { id: all, match: "GET /{path...}", public: true, encodedSlash: allow }`))
	s.granted(t, request(t, "GET", "/sets/a%2Flock/lock/z"))
	s.refused(t, request(t, "GET", "/sets/a%2FLOCK/lock/z"), 400, "path_not_canonical")
}

func TestWithoutTheWordAnAPIsPathsStayAsTheyWere(t *testing.T) {
	s := newStand(t, echo(), "files.yaml", strings.ReplaceAll(files, ", encodedSlash: allow", ""), "trees.yaml", strings.ReplaceAll(trees, ", encodedSlash: allow", ""))
	for _, target := range []string{"/files/a%2Fb", "/files/a%252Fb", "/trees/a%2Fb"} {
		s.refused(t, request(t, "GET", target), 400, "path_not_canonical")
	}
}
