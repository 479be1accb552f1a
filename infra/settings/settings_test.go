package settings_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"tollgate/infra/settings"
)

func TestTheModuleReadsTheSettingsThatTheGatewayReads(t *testing.T) {
	want, err := settings.JSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(settings.File)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s isn't what the gateway's table says; go run ./infra/settings/print > %[1]s", settings.File)
	}
}

func TestWhatTheHostOrThePlatformSetsIsNobodyElses(t *testing.T) {
	table, err := settings.Table()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range table {
		if s.Must && s.SetBy == settings.Operator {
			t.Errorf("%s must be set, and nothing but the operator's memory sets it", s.Name)
		}
		if s.Secret && s.Default != "" {
			t.Errorf("%s holds a secret, and has the default %q", s.Name, s.Default)
		}
	}
}
