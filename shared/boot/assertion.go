package boot

import (
	"tollgate/shared/assertion"
	"tollgate/shared/contract"
)

// assertionRoot is the key that certifies this instance's own; nil for a kind
// that this build doesn't have, and then assertions are refused.
func assertionRoot(key contract.PlannedAssertionKey) assertion.Root {
	if key.KeptIn == contract.KeptInProcess {
		return assertion.NewProcessRoot()
	}
	return nil
}
