package scenarios_test

import (
	"path/filepath"
	"testing"

	"tollgate/tests/lab"
	"tollgate/tests/scenarios"
)

func TestInProcess(t *testing.T) {
	scenarios.Run(t, lab.InProcess(t, filepath.Join(lab.Root(t), "contracts")), ".")
}
