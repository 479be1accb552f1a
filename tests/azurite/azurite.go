// Package azurite runs Azurite's table service for a test: an emulator that isn't
// ours, as a second opinion on localrun/storage.
package azurite

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"tollgate/tests/need"
)

// Account and Key are Azurite's, as its documentation prints them: no secret.
const (
	Account = "devstoreaccount1"
	Key     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// Start runs one, empty and in memory, until the test ends, and tells the address
// of its account. Without Node or the module the test is skipped.
func Start(t testing.TB) (url, account, key string) {
	t.Helper()
	_, out := need.NodeIn(t, filepath.Join(need.Root(t), "tests/azurite"), "azurite")
	var said struct{ Address string }
	for said.Address == "" && out.Scan() {
		_ = json.Unmarshal(out.Bytes(), &said) // other lines are not for us
	}
	if said.Address == "" {
		t.Fatal("Azurite didn't start")
	}
	return said.Address + "/" + Account, Account, Key
}
