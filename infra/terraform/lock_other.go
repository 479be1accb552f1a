//go:build !unix

package terraform

import "os"

// lock is left to Terraform's own lock of the state; the file says whose folder it is.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}
