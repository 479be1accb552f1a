package boot

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keyedEstate asks for a key, so it has a store.
func keyedEstate(t *testing.T) string {
	t.Helper()
	dir := estate(t, "http://127.0.0.1:1", "http://127.0.0.1:1")
	for file, more := range map[string]string{
		"gateway.yaml":           "products: { partner: { apis: [orders] } }\n",
		"environments/test.yaml": "vaults: { main: \"https://v.vault.azure.net\" }\nstore: { tables: \"https://s.table.core.windows.net\", keyDigest: { vault: main, current: keys } }\n",
	} {
		name := filepath.Join(dir, file)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, name, string(text)+more)
	}
	return dir
}

func TestAStoreThatCantBeOpenedStopsTheStartAndTellsNoSecret(t *testing.T) {
	for name, address := range map[string]string{
		"nonsense":            "s3cret",
		"no account":          "AccountKey=s3cretk=;EndpointSuffix=core.windows.net",
		"a key that isn't":    "AccountName=a;AccountKey=s3cret!;EndpointSuffix=core.windows.net",
		"no key":              "TableEndpoint=https://s3cret.example",
		"an unusable address": "https://s3cret example/%zz",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			child := start(t, settings(t, Contracts, keyedEstate(t), Tables, address))
			stdout, _ := io.ReadAll(child.out)
			code, stderr := child.exit(), child.stderr.String()
			if code != 1 || len(stdout) != 0 || !oneLine(stderr) || !strings.Contains(stderr, Tables) || strings.Contains(stderr, "s3cret") {
				t.Errorf("got exit code %d, %q and %q, want one line about %s that doesn't repeat it", code, stdout, stderr, Tables)
			}
		})
	}
}

func TestTheStoreIsOpenedWithoutANetwork(t *testing.T) {
	child := start(t, settings(t, Contracts, keyedEstate(t)))
	if address := ready(t, child.out); !strings.HasPrefix(address, "127.0.0.1:") {
		t.Errorf("got %s", address)
	}
	_ = child.Process.Kill()
	child.exit()
}
