package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

type matrixFlags struct {
	environment, check string
	asJSON             bool
}

func matrixCommand() *cobra.Command {
	var f matrixFlags
	cmd := &cobra.Command{
		Use:   "matrix [DIR]",
		Short: "Show who may call what: every operation for every kind of caller",
		Long: `Asks the compiled contracts of DIR (default: contracts) about every operation, for
anonymous callers, users and applications, holding nothing, each scope or role
that the API declares, and all of them. A cell is yes, or the refusal's code.

Nothing is read off the rules: tokens are minted by an issuer in this process and
go through every stage. A caller meets what the API asks of all its callers
(require, clients, guests: false, stepUp and the like); for each of those a
further column shows one that holds everything and doesn't meet it. Applications
hold no scopes, for Entra never gives them any.

Keep the table beside the contracts, so that a reviewer sees what a change opens:
with --check it is compared. Exits 1 if it differs, 2 if it can't be made.`,
		Example: `  tollgate matrix > contracts/matrix.golden
  tollgate matrix --check contracts/matrix.golden`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "contracts"
			if len(args) == 1 {
				dir = args[0]
			}
			return f.matrix(cmd, dir)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.environment, "environment", "", "bind to this environment (default: a made-up one, so that no real ids are needed)")
	fl.BoolVar(&f.asJSON, "json", false, "print the matrix as JSON, for machines")
	fl.StringVar(&f.check, "check", "", "compare with this file, and print how it differs")
	return verdictsOnly(cmd)
}

func (f *matrixFlags) matrix(cmd *cobra.Command, dir string) error {
	s, err := f.scene(cmd.ErrOrStderr(), dir)
	if err != nil {
		return err
	}
	m, err := matrixOf(cmd.Context(), s.plan)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := m.write(&out, f.asJSON); err != nil {
		return err
	}
	if f.check != "" {
		return f.compare(cmd, dir, out.String())
	}
	_, err = out.WriteTo(cmd.OutOrStdout())
	return err
}

func (f *matrixFlags) scene(info io.Writer, dir string) (*scene, error) {
	if f.environment != "" {
		return sceneOfFolder(info, dir, f.environment)
	}
	return sceneOfStandIns(info, dir, time.Now)
}

func (f *matrixFlags) compare(cmd *cobra.Command, dir, is string) error {
	was, err := os.ReadFile(f.check)
	if err != nil {
		return fmt.Errorf("--check: %w; make it with `%s`", err, f.regenerate(dir))
	}
	if string(was) == is {
		fmt.Fprintf(cmd.OutOrStdout(), "%s: up to date\n", f.check)
		return nil
	}
	changes := diff(string(was), is)
	if changes == "" {
		changes = "only the end of the file differs\n"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "--- %s\n+++ what %s grants now\n%s", f.check, dir, changes)
	fmt.Fprintf(cmd.ErrOrStderr(), "tollgate: who may call what has changed; if it is meant, renew the file with `%s`\n", f.regenerate(dir))
	return errSaid
}

func (f *matrixFlags) regenerate(dir string) string {
	more := ""
	if f.environment != "" {
		more += " --environment " + f.environment
	}
	if f.asJSON {
		more += " --json"
	}
	return fmt.Sprintf("tollgate matrix %s%s > %s", dir, more, f.check)
}

// matrix is who may call what.
type matrix struct {
	APIs []matrixAPI `json:"apis"`
}

type matrixAPI struct {
	API     string      `json:"api"`
	File    string      `json:"file"`
	Rows    []matrixRow `json:"operations"`
	callers []caller
}

// matrixRow is one operation.
type matrixRow struct {
	Operation string `json:"operation"`
	Match     string `json:"match"`
	Cells     []cell `json:"cells"`
}

// cell is what one caller gets of one operation.
type cell struct {
	Principal string `json:"principal"`       // anonymous, user or application
	Holds     string `json:"holds,omitempty"` // such as "nothing", "scope Orders.Read" or "all, guest"
	Verdict   string `json:"verdict"`         // granted or refused
	Code      string `json:"code"`            // granted, or the refusal's
}

func (c cell) String() string {
	if c.Verdict == audit.Granted {
		return "yes"
	}
	return c.Code
}

// matrixOf asks the compiled plan about every cell.
func matrixOf(ctx context.Context, plan *contract.Plan) (*matrix, error) {
	// How a token is signed, how its holder proves it, and where a call comes from
	// are not what this is about; the stand-in knows RSA and bearer tokens only.
	mine := *plan
	mine.Addresses = contract.AddressList{}
	mine.Algorithms, mine.APIs = []string{"RS256"}, slices.Clone(plan.APIs)
	for i := range mine.APIs {
		mine.APIs[i].Proof, mine.APIs[i].Addresses = contract.Proof{}, contract.AddressList{}
		withoutHeaders(&mine.APIs[i])
	}
	entra, keys, err := minter(ctx, &mine)
	if err != nil {
		return nil, err
	}
	source, good, err := madeUpKeys(ctx, &mine)
	if err != nil {
		return nil, fmt.Errorf("make up subscription keys: %w", err)
	}
	// How much a caller may is another matter than what: many are asked for here.
	gw := (&scene{plan: &mine, keys: keys, subscribed: source, unlimited: true}).gateway(time.Now)
	m := &matrix{APIs: []matrixAPI{}}
	for _, api := range mine.APIs {
		of := matrixAPI{API: api.Name, File: api.File, callers: callersOf(&mine, api)}
		for i, c := range of.callers {
			if of.callers[i].header, err = c.authorization(entra); err != nil {
				return nil, fmt.Errorf("a token of %s for %s: %w", c, api.Name, err)
			}
			if key, ok := good[api.Name]; ok && c.keyed {
				of.callers[i].header.Set(key[0], key[1])
			}
		}
		for _, op := range api.Operations {
			row, err := rowOf(ctx, gw, of, op)
			if err != nil {
				return nil, err
			}
			of.Rows = append(of.Rows, row)
		}
		m.APIs = append(m.APIs, of)
	}
	return m, nil
}

// withoutHeaders: any caller can send the headers that an API demands, so they
// say nothing about who may call.
func withoutHeaders(api *contract.PlannedAPI) {
	api.Headers, api.Operations = nil, slices.Clone(api.Operations)
	for i := range api.Operations {
		api.Operations[i].Headers = nil
	}
}

func (m *matrix) write(w io.Writer, asJSON bool) error {
	if !asJSON {
		return m.writeTable(w)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(m)
}
