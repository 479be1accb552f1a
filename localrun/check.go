package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/localrun/bundle"
	"tollgate/shared/contract"
)

func checkCommand() *cobra.Command {
	var environment, pack string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Report everything that is wrong with a folder of contracts",
		Long: `Reads the contracts of DIR (default: contracts) as the gateway would, binds
them to every environment, or to the one named, and reports all faults at once.
Exits 1 if there is an error; warnings alone don't stop the gateway.

With --package it checks what is deployed instead, a folder or a zip: that a real
Functions host would load it, and call the handler the way it was tested.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if pack != "" {
				return checkPackage(cmd, pack, args)
			}
			dir := "contracts"
			if len(args) == 1 {
				dir = args[0]
			}
			faults, err := faultsIn(dir, environment)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), dir, faults)
			}
			writeFaults(cmd.ErrOrStderr(), dir, faults)
			if len(faults.Errors()) > 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "mend these first: what spans files, or an environment binds, is checked once each file is whole")
				return errSaid
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: no errors%s\n", dir, counted(len(faults), ", ", "warning"))
			return nil
		},
	}
	cmd.Flags().StringVar(&pack, "package", "", "check this app, a folder or a zip, instead of contracts")
	cmd.Flags().StringVar(&environment, "environment", "", "bind to this environment only")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the faults as JSON, for machines")
	return cmd
}

func checkPackage(cmd *cobra.Command, pack string, args []string) error {
	if len(args) > 0 || cmd.Flags().Changed("environment") || cmd.Flags().Changed("json") {
		return errors.New("--package stands alone: it takes no folder, --environment or --json")
	}
	if err := bundle.Check(pack); err != nil {
		return fmt.Errorf("%s can't be deployed:\n%w", pack, err)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: a Functions host would load it\n", pack)
	return nil
}

// faultsIn loads the folder and binds it to each environment.
func faultsIn(dir, environment string) (contract.Faults, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no folder of contracts at %s", dir)
	}
	estate, faults := contract.Load(os.DirFS(dir))
	if estate == nil {
		return faults, nil
	}
	environments := estate.Environments()
	if environment != "" {
		environments = []string{environment}
	}
	for _, e := range environments {
		plan, more := estate.Plan(e)
		if faults = append(faults, more...); plan != nil {
			faults = append(faults, plan.Outdated(time.Now())...)
		}
		if !estate.BindsIdentity(e) {
			continue // what Entra holds is made by hand there, or by other means
		}
		registrations, more := estate.Registrations(e)
		if faults = append(faults, more...); registrations != nil {
			faults = append(faults, registrations.Outdated(time.Now())...)
		}
	}
	if len(environments) == 0 {
		faults = append(faults, contract.Fault{File: "environments", Warning: true, Message: "there is no environment; nothing that an environment binds was checked"})
	}
	return unique(faults), nil
}

// unique drops what two environments found alike.
func unique(faults contract.Faults) contract.Faults {
	var out contract.Faults
	for _, f := range faults {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

func writeJSON(w io.Writer, dir string, faults contract.Faults) error {
	out := make(contract.Faults, len(faults)) // [] rather than null
	copy(out, faults)
	for i := range out {
		out[i].File = filepath.Join(dir, out[i].File)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return err
	}
	if len(faults.Errors()) > 0 {
		return errSaid
	}
	return nil
}

// writeFaults prints each fault with its line of the source, marked.
func writeFaults(w io.Writer, dir string, faults contract.Faults) {
	for _, f := range faults {
		file := filepath.Join(dir, f.File)
		line := sourceLine(file, f.Line)
		f.File = file
		fmt.Fprintln(w, f)
		if line != "" {
			number := fmt.Sprintf("%5d", f.Line)
			fmt.Fprintf(w, "%s | %s\n%s | %s%s\n", number, line, strings.Repeat(" ", len(number)), indent(line, f.Column-1), strings.Repeat("^", max(f.Width, 1)))
		}
	}
	errs := len(faults.Errors())
	if len(faults) > 0 {
		fmt.Fprintf(w, "%s: %d error(s)%s\n", dir, errs, counted(len(faults)-errs, ", ", "warning"))
	}
}

// indent is as wide as the first n characters of line, whatever tabs are in it.
func indent(line string, n int) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string([]rune(line)[:min(n, len([]rune(line)))]))
}

func sourceLine(file string, n int) string {
	text, err := os.ReadFile(file)
	if err != nil || n == 0 {
		return ""
	}
	lines := strings.Split(string(text), "\n")
	if n > len(lines) {
		return ""
	}
	return strings.TrimRight(lines[n-1], "\r")
}

func counted(n int, before, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s%d %s(s)", before, n, what)
}
