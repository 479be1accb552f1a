package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// defaultRunFile is where up says what is running, and where the other commands look.
const defaultRunFile = ".tollgate/run.json"

// run is what other commands must know of a local run.
type run struct {
	PID         int    `json:"pid"`
	Gateway     string `json:"gateway"`
	Issuer      string `json:"issuer"`
	Backend     string `json:"backend"`
	Vault       string `json:"vault"`
	Identity    string `json:"identity"`
	Tables      string `json:"tables"`    // a connection string
	Contracts   string `json:"contracts"` // the copy that the gateway enforces
	Source      string `json:"source"`    // the folder it was copied from
	Environment string `json:"environment"`
	Events      string `json:"events"`
	Inspector   string `json:"inspector"` // address of the live page
}

// write leaves the file for this user only: whoever reads it can have tokens minted.
func (r run) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o600)
}

func addRunFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "run", defaultRunFile, "file that describes the local run")
}

func readRun(file string) (run, error) {
	var r run
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("no local run found (%s doesn't exist); start one with `make run`, or name its file with --run", file)
	}
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s is damaged (%w); stop the local run and start it again", file, err)
	}
	return r, nil
}
