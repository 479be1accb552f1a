package terraform

import (
	"strings"
	"testing"
)

// What the clouds and Terraform really say, shortened.
var said = []struct {
	summary, detail, address string
	want                     Kind
	hint                     string
}{
	{"Error acquiring the state lock", "Error message: state blob is already locked\nLock Info:\n  ID:        1a2b\n  Path:      state/prod\n  Operation: OperationTypeApply\n  Who:       ann@desk\n  Version:   1.11.4\n  Created:   2026-11-26 19:00:00.123456 +0000 UTC\n  Info:      \n", "", Locked, "force-unlock 1a2b"},
	{"Error releasing the state lock", "Error message: failed to retrieve lock info: blob metadata \"terraformlockid\" was empty", "", LockLost, "force-unlock"},
	{"Error saving state", "unexpected status 412 (412 There is currently a lease on the blob) with LeaseLost", "", LockLost, "plan again"},
	{"Failed to save state", "Error saving state: Put \"https://state.blob.core.windows.net\": dial tcp: lookup: no such host", "", StateUnsaved, ""},
	{"building account: could not acquire access token to parse claims", "running Azure CLI: exit status 1: ERROR: AADSTS70043: The refresh token has expired or is invalid due to sign-in frequency checks. Please run: az login", "", Credentials, "az login"},
	{"unable to build authorizer for Resource Manager API", "could not configure AzureCli Authorizer: could not parse Azure CLI version", "", Credentials, "az login"},
	{"creating Application", "unexpected status 401 (401 Unauthorized) with error: InvalidAuthenticationToken: Lifetime validation failed, the token is expired.", "azuread_application.this", Credentials, "az login"},
	{"Could not create application", "unexpected status 403 (403 Forbidden) with error: Authorization_RequestDenied: Insufficient privileges to complete the operation.", "module.api[\"orders\"].azuread_application.this", Forbidden, "Application Administrator"},
	{"creating Role Assignment", "unexpected status 403 (403 Forbidden) with error: AuthorizationFailed: The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/write' over scope '/subscriptions/z'", "azurerm_role_assignment.tables", Forbidden, "Role Based Access Control Administrator"},
	{"creating Key Vault", "unexpected status 403 (403 Forbidden) with error: AuthorizationFailed: The client does not have authorization to perform action 'Microsoft.KeyVault/vaults/write'", "azurerm_key_vault.this", Forbidden, "Contributor on the resource group"},
	{"creating Conditional Access Policy", "unexpected status 403 (403 Forbidden) with error: AccessDenied: You cannot perform the requested operation", "azuread_conditional_access_policy.mfa", Forbidden, "Conditional Access Administrator"},
	{"Error refreshing state", "Failed to get existing workspaces: containers.Client#ListBlobs: Failure responding to request: StatusCode=403 -- Original Error: autorest/azure: Service returned an error. Status=403 Code=\"AuthorizationPermissionMismatch\"", "", Forbidden, "Storage Blob Data Contributor"},
	{"Failed to query available provider packages", "Could not retrieve the list of available versions for provider hashicorp/azurerm: could not connect to registry.terraform.io: failed to request discovery document: dial tcp: lookup registry.terraform.io: no such host", "", Registry, "TF_CLI_CONFIG_FILE"},
	{"creating Key Vault", "unexpected status 409 (409 Conflict) with error: VaultAlreadyExists: The vault name 'x' is already in use.", "azurerm_key_vault.this", Provider, "recover"},
	{"Saved plan is stale", "The given plan file can no longer be applied because the state was changed by another operation after the plan was created.", "", Stale, "plan again"},
	{"retrieving Storage Account", "Get \"https://management.azure.com\": dial tcp 1.2.3.4:443: i/o timeout", "azurerm_storage_account.this", Unreachable, "network"},
}

func TestWhatCloudsSayIsToldWithWhatToDo(t *testing.T) {
	w := &Work{root: "/work"}
	for _, s := range said {
		e := w.explain(Diagnostic{Severity: "error", Summary: s.summary, Detail: s.detail, Address: s.address})
		if e.Kind != s.want || !strings.Contains(e.Hint, s.hint) {
			t.Errorf("%s / %.80s: got %s with %q, want %s with %q", s.summary, s.detail, e.Kind, e.Hint, s.want, s.hint)
		}
		t.Log(e)
	}
}
