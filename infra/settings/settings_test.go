package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestTheModuleReadsTheSettingsThatTheGatewayReads(t *testing.T) {
	want, err := file()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "modules", "gateway", "settings.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the file isn't what the gateway's table says; go run ./infra/settings > infra/modules/gateway/settings.json")
	}
}

func TestWhatTheHostOrThePlatformSetsIsNobodyElses(t *testing.T) {
	all, err := table()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Must && s.SetBy == Operator {
			t.Errorf("%s must be set, and nothing but the operator's memory sets it", s.Name)
		}
		if s.Secret && s.Default != "" {
			t.Errorf("%s holds a secret, and has the default %q", s.Name, s.Default)
		}
	}
}
