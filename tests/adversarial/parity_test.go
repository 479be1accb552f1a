package adversarial

import (
	"os"
	"slices"
	"testing"

	"tollgate/tests/lab"
	"tollgate/tests/parity"
)

// Every attack that is one request, behind every front that there is: the
// adapters in this process, or with TOLLGATE_PARITY=processes the bootstrap in
// processes of its own under the stand-in for Lambda.
func TestEveryAttackIsAnsweredAlikeBehindEveryFront(t *testing.T) {
	b := &bench{t: t, forge: newForge(t)}
	b.Lab = lab.Surrounded(t, contracts(t, "contracts", b.forge, nil))
	b.meet()
	var f *parity.Fleet
	if os.Getenv("TOLLGATE_PARITY") == "processes" {
		f = parity.Processes(t, b.Lab, lab.StageApp(t), lab.StageLambda(t))
	} else {
		f = parity.InProcess(t, b.Lab, lab.StageApp(t))
	}
	for _, r := range slices.Concat(table(b), paths(b), headers(b)) {
		f.Play(t, parity.Case{Name: r.id + " " + r.name, Request: r.request})
	}
	f.Report(t)
}
