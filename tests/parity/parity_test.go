package parity_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

// docs/fronts.md is what people read of the table.
func TestTheTableOfDifferencesIsTheDocuments(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(lab.Root(t), "docs/fronts.md"))
	if err != nil || !strings.Contains(string(text), parity.Table()) {
		t.Errorf("docs/fronts.md (%v) doesn't have this table:\n%s", err, parity.Table())
	}
}
