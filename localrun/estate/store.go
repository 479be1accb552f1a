package estate

import (
	"cmp"

	"tollgate/shared/contract"
)

// digestVault and digestSecret are where the local run keeps the secret for keys' digests.
const (
	digestVault  = "local"
	digestSecret = "subscription-keys"

	pseudonymSecret = "audit-pseudonyms"
)

// store is where the contracts' counters, subscriptions and revocations are kept.
func (a Addresses) store(source *contract.Estate, groups map[string]map[string]string) map[string]any {
	store := map[string]any{"tables": cmp.Or(a.Tables, "https://tables.invalid")}
	if source.UsesKeys() {
		groups["vaults"][digestVault] = cmp.Or(a.Vault, "https://vault.invalid")
		store["keyDigest"] = map[string]string{"vault": digestVault, "current": digestSecret}
	}
	return store
}
