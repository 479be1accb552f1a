package boot

import (
	"net/http"
	"time"

	"tollgate/shared/assertion"
	"tollgate/shared/contract"
	"tollgate/shared/credential"
	"tollgate/shared/secret"
)

// vaults are reached with the platform's managed identity, whose endpoint may
// change while we run. The connections are apart from those for issuers' keys.
func vaults(getenv func(string) string) secret.Vaults {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	identity := credential.NewIdentity(func() (endpoint, header string) { return getenv("IDENTITY_ENDPOINT"), getenv("IDENTITY_HEADER") }, transport, time.Now)
	return secret.Vaults{Tokens: identity, Transport: transport}
}

// assertionRoot is the key that certifies this instance's own. It does no network.
func assertionRoot(vaults secret.Vaults) func(contract.PlannedAssertionKey) assertion.Root {
	return func(key contract.PlannedAssertionKey) assertion.Root {
		switch key.KeptIn {
		case contract.KeptInProcess:
			return assertion.NewProcessRoot()
		case contract.KeptInVault:
			return secret.NewKey(vaults, key.Vault, key.Name, key.Identity, time.Now)
		}
		return nil // none certifies nothing: calls that need an assertion are refused
	}
}
