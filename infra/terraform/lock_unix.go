//go:build unix

package terraform

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// lock keeps other processes out of a work folder. The system lets go of it when
// the process ends, however it does.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who, _ := io.ReadAll(io.LimitReader(f, 32)) // without it the message says less
		_ = f.Close()
		return nil, &Error{
			Kind: Locked, What: fmt.Sprintf("another tollgate infra (process %s) works on this environment in this folder", strings.TrimSpace(string(who))),
			Hint: "wait until it has ended, or press Ctrl-C there",
		}
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0) // for the message only
	}
	return func() { _ = f.Close() }, nil
}
