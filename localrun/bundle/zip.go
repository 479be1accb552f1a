// Package bundle makes, opens and checks what is deployed: the app's folder and
// its zip.
package bundle

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// maxEntry bounds one unpacked file, so that a damaged or hostile zip can't fill the disk.
const maxEntry = 256 << 20

// epoch is the time of every entry: the oldest that a zip can say.
func epoch() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }

// Write zips the folder so that equal contents give equal bytes: names sorted,
// one time for all, modes reduced to 0755 and 0644.
//
// functions-host.md §6: the handler needs the Unix creator and an executable
// bit in its entry, for the package may be mounted read-only.
func Write(w io.Writer, root fs.FS) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return add(z, root, name, d)
	})
	if err != nil {
		return fmt.Errorf("zip the app: %w", err)
	}
	return z.Close()
}

func add(z *zip.Writer, root fs.FS, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file; a package holds nothing else", name)
	}
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch()}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	h.SetMode(mode) // also says that the creator is Unix
	entry, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(entry, f)
	return err
}

// Unpack lays the zip out below dir, with the modes that a host would give its
// files: those of the entries if their creator is Unix, else none executable.
func Unpack(file, dir string) error {
	z, err := zip.OpenReader(file)
	if err != nil {
		return fmt.Errorf("open %s: %w", file, err)
	}
	defer z.Close()
	for _, entry := range z.File {
		if err := unpack(entry, dir); err != nil {
			return fmt.Errorf("%s: entry %q: %w", file, entry.Name, err)
		}
	}
	return nil
}

func unpack(entry *zip.File, dir string) error {
	if !filepath.IsLocal(entry.Name) || strings.Contains(entry.Name, `\`) {
		return fmt.Errorf("its name leads out of the package, or isn't written with slashes")
	}
	at := filepath.Join(dir, filepath.FromSlash(entry.Name))
	if strings.HasSuffix(entry.Name, "/") {
		return os.MkdirAll(at, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	in, err := entry.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(at, os.O_CREATE|os.O_EXCL|os.O_WRONLY, modeOf(entry))
	if err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(in, maxEntry+1))
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err == nil && n > maxEntry {
		err = fmt.Errorf("it is larger than %d bytes", maxEntry)
	}
	return err
}

// creatorUnix is the high byte of an entry's "version made by" (APPNOTE §4.4.2).
const creatorUnix = 3

func modeOf(entry *zip.File) fs.FileMode {
	if entry.CreatorVersion>>8 != creatorUnix {
		return 0o644
	}
	return entry.Mode().Perm()
}

// inZip tells a zip from a folder by its name.
func inZip(name string) bool { return strings.EqualFold(path.Ext(filepath.ToSlash(name)), ".zip") }
