package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tollgate/shared/boot"
	"tollgate/shared/gateway"
)

func snapshotCommand() *cobra.Command {
	var contracts, environment, out string
	cmd := &cobra.Command{
		Use:   "snapshot --environment NAME",
		Short: "Save the issuers' key sets, for a start while an issuer is down",
		Long: `Fetches the key sets of every issuer that the contracts trust, and saves them in a
folder. A gateway that finds it (TOLLGATE_SNAPSHOT, by default snapshot beside
host.json) uses it only where it can't fetch keys, and only until the contract's
identity.keys.maxStale after they were saved: a snapshot made with each deployment
helps in the first day after it. ` + "`make package SNAPSHOT=NAME`" + ` puts one into the package.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if environment == "" {
				return errors.New("name the environment whose issuers are asked: --environment prod")
			}
			plan, err := boot.Plan(contracts, environment)
			if err != nil {
				return err
			}
			files, err := gateway.Compile(plan, boot.Parts(io.Discard, cmd.ErrOrStderr())).Snapshot(cmd.Context())
			if err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
					return err
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d key sets saved\n", out, len(files))
			return nil
		},
	}
	cmd.Flags().StringVar(&contracts, "contracts", "contracts", "folder of the contracts")
	cmd.Flags().StringVar(&environment, "environment", "", "environment whose issuers are asked")
	cmd.Flags().StringVar(&out, "out", "dist/azure/snapshot", "folder to write to")
	return cmd
}
