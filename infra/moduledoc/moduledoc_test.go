package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/audit"
	"tollgate/tests/lab"
)

func TestWhatIsGeneratedIsWhatStandsOnDisk(t *testing.T) {
	root := lab.Root(t)
	all, err := generated(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		want, err := f.make()
		if err != nil {
			t.Errorf("%s: %v", f.path, err)
			continue
		}
		got, err := os.ReadFile(filepath.Join(root, f.path))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s isn't what its sources say (%v); make infra-docs writes it anew", f.path, err)
		}
	}
}

func TestTheTableInAzureHasTheColumnsThatEventsHave(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(lab.Root(t), "infra/modules/observability/columns.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got []audit.Column
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(audit.Columns(), got); diff != "" {
		t.Errorf("columns.json (-audit.Columns +file):\n%s", diff)
	}
}

func TestAReadmeSaysWhatTheFilesSayTheSameEachTime(t *testing.T) {
	want, err := os.ReadFile("testdata/shed.md")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		got, err := readme("testdata/shed")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func TestAModuleThatIsAddedIsNotForgotten(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"infra/modules/b", "infra/modules/a", "infra/environments/dev", "infra/modules/empty"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"main.tf", "outputs.tf"} {
			if strings.HasSuffix(dir, "empty") {
				name = "notes.txt"
			}
			if err := os.WriteFile(filepath.Join(root, dir, name), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	all, err := generated(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range all[len(fromTypes()):] {
		got = append(got, f.path)
	}
	want := []string{"infra/modules/a/README.md", "infra/modules/b/README.md", "infra/environments/dev/README.md"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFileThatCannotBeReadIsNamedWithItsLine(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte("locals {\n  a = = 1\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readme(dir); err == nil || !strings.Contains(err.Error(), "main.tf:2") {
		t.Errorf("got %v, want main.tf and its second line", err)
	}
}
