package boot

import (
	"time"

	"tollgate/shared/assertion"
	"tollgate/shared/contract"
	"tollgate/shared/secret"
)

// assertionRoot is the key that certifies this instance's own. It does no network.
func assertionRoot(vaults secret.Vaults, now func() time.Time) func(contract.PlannedAssertionKey) assertion.Root {
	return func(key contract.PlannedAssertionKey) assertion.Root {
		switch key.KeptIn {
		case contract.KeptInProcess:
			return assertion.NewProcessRoot()
		case contract.KeptInVault:
			return secret.NewKey(vaults, key.Vault, key.Name, key.Identity, now)
		}
		return nil // none certifies nothing: calls that need an assertion are refused
	}
}
