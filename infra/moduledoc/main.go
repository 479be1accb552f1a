// Command moduledoc writes what is generated under infra/: the README of each
// module and environment, out of its own files, and what Terraform reads of the
// gateway's Go types. `make infra-docs` runs it; a test fails while a file on disk
// isn't what it would write.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"tollgate/infra/settings"
	"tollgate/shared/audit"
	"tollgate/shared/boot"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// file is one that is generated: its path from the repository's root, and what is in it.
type file struct {
	path string
	make func() ([]byte, error)
}

// fromTypes are those that follow from Go types.
func fromTypes() []file {
	return []file{
		{"infra/modules/observability/columns.json", func() ([]byte, error) { return columns(audit.Columns()), nil }},
		{"infra/modules/gateway/settings.json", settings.File},
		{"infra/modules/gateway-lambda/settings.json", func() ([]byte, error) { return lambdaSettings(boot.Settings()) }},
	}
}

// generated are all of them: fromTypes, and a README for each folder of Terraform files.
func generated(root string) ([]file, error) {
	all := fromTypes()
	for _, of := range []string{"infra/modules", "infra/environments"} {
		found, err := filepath.Glob(filepath.Join(root, of, "*", "*.tf"))
		if err != nil {
			return nil, err
		}
		var dirs []string
		for _, f := range found {
			dirs = append(dirs, of+"/"+filepath.Base(filepath.Dir(f)))
		}
		slices.Sort(dirs)
		for _, d := range slices.Compact(dirs) {
			all = append(all, file{d + "/README.md", func() ([]byte, error) { return readme(filepath.Join(root, d)) }})
		}
	}
	return all, nil
}

func write(root string) error {
	all, err := generated(root)
	if err != nil {
		return err
	}
	for _, f := range all {
		text, err := f.make()
		if err != nil {
			return fmt.Errorf("make %s: %w", f.path, err)
		}
		if err := os.WriteFile(filepath.Join(root, f.path), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
