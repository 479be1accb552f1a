package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tollgate/localrun/bundle"
)

func packageCommand() *cobra.Command {
	var app, out string
	cmd := &cobra.Command{
		Use:   "package",
		Short: "Zip a staged app, for a Function App or AWS Lambda: the same contents give the same bytes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := bundle.Check(app); err != nil {
				return fmt.Errorf("%s can't be deployed:\n%w", app, err)
			}
			sum, err := writePackage(app, out)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s sha256:%x\n", out, sum)
			return nil
		},
	}
	cmd.Flags().StringVar(&app, "app", "dist/azure", "the staged app")
	cmd.Flags().StringVar(&out, "out", "dist/azure.zip", "the zip to write")
	return cmd
}

// writePackage replaces out only by a whole zip.
func writePackage(app, out string) (sum []byte, err error) {
	f, err := os.CreateTemp(filepath.Dir(out), ".package-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already after the rename
	digest := sha256.New()
	if err := bundle.Write(io.MultiWriter(f, digest), os.DirFS(app)); err != nil {
		_ = f.Close() // the first error counts
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return nil, err
	}
	return digest.Sum(nil), os.Rename(f.Name(), out)
}
