package contract_test

import (
	"os"
	"testing"

	"tollgate/shared/contract"
)

// BenchmarkStart is what each start of an instance reads: the example estate,
// bound to an environment.
func BenchmarkStart(b *testing.B) {
	dir := os.DirFS("../../contracts")
	for b.Loop() {
		estate, _ := contract.Load(dir)
		if _, faults := estate.Plan("prod"); len(faults.Errors()) > 0 {
			b.Fatal(faults)
		}
	}
}
