package parity_test

import (
	"maps"
	"path/filepath"
	"slices"
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
