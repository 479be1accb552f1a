package bundle

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Bootstrap is what AWS Lambda runs in a package for provided.al2023.
const Bootstrap = "bootstrap"

// checkLambda: a bootstrap for one of the two machines, contracts, perhaps a snapshot.
func checkLambda(dir string) error {
	file := filepath.Join(dir, Bootstrap)
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	faults := []error{checkContracts(filepath.Join(dir, "contracts")), checkProgram(file, info.Mode(), "AWS Lambda runs arm64 and x86-64", elf.EM_AARCH64, elf.EM_X86_64)}
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if parts := strings.Split(name, "/"); name != Bootstrap && parts[0] != "contracts" && (parts[0] != "snapshot" || len(parts) != 2) {
			faults = append(faults, fmt.Errorf("%s: doesn't belong into the package; it holds the bootstrap, contracts and a snapshot", name))
		}
		return nil
	})
	return errors.Join(append(faults, err)...)
}
