package azurite_test

import (
	"testing"

	"tollgate/localrun/storage/storagetest"
	"tollgate/tests/azurite"
)

// What the stand-in is held to in localrun/storage, Azurite is held to here.
func TestAzuriteIsATableService(t *testing.T) {
	url, account, key := azurite.Start(t)
	storagetest.Run(t, storagetest.Service{URL: url, Account: account, Key: key, Azurite: true})
}
