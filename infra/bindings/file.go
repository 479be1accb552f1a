package bindings

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tollgate/shared/contract"
)

// ErrMoved says that somebody edited the file meanwhile.
var ErrMoved = errors.New("the file has changed meanwhile; nothing was written to it")

// File is an environment's file as it was when it was read.
type File struct {
	contracts string // the folder
	rel       string // of the file in it
	name      string // of the file, links followed
	mode      os.FileMode
	text      []byte
}

// Read reads the file of an environment, before anything is applied.
func Read(contracts, environment string) (*File, error) {
	f := &File{contracts: contracts}
	for _, ext := range []string{".yaml", ".yml"} {
		f.rel = filepath.Join("environments", environment+ext)
		name, err := filepath.EvalSymlinks(filepath.Join(contracts, f.rel))
		if err != nil {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		f.name, f.mode = name, info.Mode().Perm()
		if f.text, err = os.ReadFile(name); err != nil {
			return nil, err
		}
		return f, nil
	}
	return nil, fmt.Errorf("there is no environment %q in %s", environment, filepath.Join(contracts, "environments"))
}

// Text is the file as it was read, or as Write left it.
func (f *File) Text() string { return string(f.text) }

// Write puts the bindings in, whole or not at all, and tells what changed. It
// refuses if the file isn't what was read, or if contracts wouldn't load with it.
func (f *File) Write(b Bindings) ([]Changed, error) {
	text, changed, err := Edit(f.text, b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	if len(changed) == 0 {
		return nil, nil
	}
	if err := f.loads(text); err != nil {
		return nil, fmt.Errorf("%s would no longer be a contract with what was created; nothing was written to it:\n%s%w", f.name, lines(changed), err)
	}
	if err := f.swap(text); err != nil {
		return nil, fmt.Errorf("%s: %w. To be written:\n%s", f.name, err, lines(changed))
	}
	f.text = text
	return changed, nil
}

// loads reads all contracts as they will be, from a copy.
func (f *File) loads(text []byte) error {
	dir, err := os.MkdirTemp("", "tollgate-contracts-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	copied := filepath.Join(dir, "contracts")
	if err := os.CopyFS(copied, os.DirFS(f.contracts)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(copied, f.rel), text, 0o600); err != nil {
		return err
	}
	_, faults := contract.Load(os.DirFS(copied))
	return faults.Err()
}

// swap replaces the file by a whole new one.
func (f *File) swap(text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(f.name), ".bindings-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already after the rename
	_, err = temp.Write(text)
	if err = errors.Join(err, temp.Chmod(f.mode), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	now, err := os.ReadFile(f.name)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, f.text) {
		return ErrMoved
	}
	return os.Rename(temp.Name(), f.name)
}
