package parity_test

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate/localrun/issuer"
	"tollgate/localrun/lambda"
	"tollgate/tests/lab"
	"tollgate/tests/parity"
	"tollgate/tests/scenarios"
)

func TestEveryScenarioIsAnsweredAlikeBehindEveryFront(t *testing.T) {
	l := lab.Surrounded(t, filepath.Join(lab.Root(t), "contracts"))
	f := parity.InProcess(t, l, lab.StageApp(t))
	all := scenarios.Requests(t, l, "../scenarios")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) { f.Play(t, parity.Case{Name: name, Request: all[name]}) })
	}
	f.Report(t)
}

func TestEveryScenarioUnderEveryVariantOfTheFronts(t *testing.T) {
	for name, v := range map[string]lambda.Variants{
		"an HTTP API that keeps the path":          {EncodedPath: true},
		"a REST API that takes bodies for texts":   {MangledBinary: true},
		"fronts that drop a caller's chain before": {DropForwarded: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := lab.Surrounded(t, contracts(t))
			f := parity.Varied(t, l, v)
			for name, request := range scenarios.Requests(t, l, "../scenarios") {
				f.Play(t, parity.Case{Name: name, Request: request})
			}
		})
	}
}

// A body that a front has spoilt is refused, not handed on.
func TestABodyThatIsNoTextIsRefusedWhereAFrontTakesItForOne(t *testing.T) {
	l := lab.Surrounded(t, contracts(t))
	f := parity.Varied(t, l, lambda.Variants{MangledBinary: true})
	token := l.Token(t, issuer.Token{API: "orders", Roles: []string{"DataWriter"}})
	for _, way := range f.Transports {
		l.Backend.Reset()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, way.URL+"/orders", strings.NewReader("\xff\xfe\x00"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		seen := l.Backend.Requests()
		if way.Name == string(lambda.REST) {
			if resp.StatusCode != http.StatusBadRequest || len(seen) != 0 {
				t.Errorf("%s: got %d and %d calls of the backend, want 400 and none", way.Name, resp.StatusCode, len(seen))
			}
		} else if resp.StatusCode != http.StatusOK || len(seen) != 1 || string(seen[0].Body) != "\xff\xfe\x00" {
			t.Errorf("%s: got %d and %v, want 200 and the bytes at the backend", way.Name, resp.StatusCode, seen)
		}
	}
}

// docs/fronts.md is what people read of the table.
func TestTheTableOfDifferencesIsTheDocuments(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(lab.Root(t), "docs/fronts.md"))
	if err != nil || !strings.Contains(string(text), parity.Table()) {
		t.Errorf("docs/fronts.md (%v) doesn't have this table:\n%s", err, parity.Table())
	}
}
