package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/localrun/target"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

type callFlags struct {
	tokenFlags
	run, raw, data, key string
	headers             []string
	anonymous           bool
}

func callCommand() *cobra.Command {
	var f callFlags
	cmd := &cobra.Command{
		Use:   "call METHOD PATH [--role ROLE | --scope SCOPE]...",
		Short: "Call an API of the local run, and see what the backend saw or why it was refused",
		Long: `Mints a token for the API that has PATH, calls the gateway with it and shows the
answer: the body on standard output, everything else on standard error. For a
refusal it shows the reason and the line of the contract that decided.
Exits 1 if the answer's status is 400 or above.`,
		Example: `  tollgate call GET /orders/42 --role DataReader
  tollgate call POST /orders --role DataWriter --data '{"item": 1}'
  tollgate call GET /orders/health --anonymous`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.call(cmd, strings.ToUpper(args[0]), args[1])
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.raw, "token", "", "send this token instead of a fresh one; - reads it from standard input")
	cmd.Flags().BoolVar(&f.anonymous, "anonymous", false, "send no token")
	cmd.Flags().StringVar(&f.key, "key", "", "subscription key to send, as tollgate keys create printed it")
	cmd.Flags().StringVar(&f.data, "data", "", "request body")
	cmd.Flags().StringArrayVar(&f.headers, "header", nil, `request header, "Name: value"; repeat for several`)
	addRunFlag(cmd, &f.run)
	return cmd
}

func (f *callFlags) call(cmd *cobra.Command, method, path string) error {
	r, err := readRun(f.run)
	if err != nil {
		return err
	}
	plan, err := planOf(r)
	if err != nil {
		return err
	}
	req, err := f.request(cmd.Context(), r, plan, method, path)
	if err != nil {
		return err
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // no redirects followed: what the gateway said is shown
	if err != nil {
		return fmt.Errorf("the local run doesn't answer (%w); start it with `make run`", err)
	}
	defer resp.Body.Close()
	return f.show(cmd, r, plan, resp)
}

func planOf(r run) (*contract.Plan, error) {
	estate, faults := contract.Load(os.DirFS(r.Contracts))
	if err := faults.Err(); err != nil {
		return nil, fmt.Errorf("read the local run's contracts: %w", err)
	}
	plan, faults := estate.Plan(r.Environment)
	if err := faults.Err(); err != nil {
		return nil, fmt.Errorf("read the local run's contracts: %w", err)
	}
	return plan, nil
}

func (f *callFlags) request(ctx context.Context, r run, plan *contract.Plan, method, path string) (*http.Request, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("%q is not a path; write it from the root, such as /orders/42", path)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.Gateway, strings.NewReader(f.data))
	if err != nil {
		return nil, err
	}
	if err := target.Set(req, path); err != nil {
		return nil, err
	}
	if f.data == "" {
		req.Body, req.ContentLength = nil, 0
	}
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return nil, fmt.Errorf(`--header %q: write "Name: value"`, h)
		}
		req.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if f.key != "" {
		req.Header.Set(keyHeader(plan, path), f.key)
	}
	if f.anonymous {
		return req, nil
	}
	raw := f.raw
	if raw == "-" {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
		if err != nil {
			return nil, fmt.Errorf("read the token from standard input: %w", err)
		}
		raw = strings.TrimSpace(string(text))
	}
	if raw == "" {
		if raw, err = f.fresh(ctx, r, plan, path); err != nil {
			return nil, err
		}
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	return req, nil
}

// fresh mints a token for the API whose path it is.
func (f *callFlags) fresh(ctx context.Context, r run, plan *contract.Plan, path string) (string, error) {
	t, err := f.token()
	if err != nil {
		return "", err
	}
	if t.API == "" {
		t.API = apiAt(plan, path)
	}
	if t.API == "" {
		return "", fmt.Errorf("no API has the path %s; say whose token to send with --api, or send none with --anonymous", path)
	}
	return mint(ctx, r, t)
}

// keyHeader is where the API of the path looks for keys.
func keyHeader(plan *contract.Plan, path string) string {
	name := apiAt(plan, path)
	for _, api := range plan.APIs {
		if api.Name == name {
			return api.Keys.Header
		}
	}
	return contract.DefaultKeyHeader
}

func apiAt(plan *contract.Plan, path string) string {
	for _, api := range plan.APIs {
		below := ""
		for _, s := range api.Segments {
			below += "/" + s.Literal
		}
		if path == below || strings.HasPrefix(path, below+"/") || strings.HasPrefix(path, below+"?") {
			return api.Name
		}
	}
	return ""
}

// show prints the answer, and for a refusal who decided.
func (f *callFlags) show(cmd *cobra.Command, r run, plan *contract.Plan, resp *http.Response) error {
	out, info := cmd.OutOrStdout(), cmd.ErrOrStderr()
	fmt.Fprintf(info, "%s %s\n", resp.Proto, resp.Status)
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		fmt.Fprintf(info, "%s: %s\n", name, strings.Join(resp.Header[name], ", "))
	}
	fmt.Fprintln(info)
	if err := writeBody(out, resp); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode < 400 {
		return nil
	}
	if e := awaitEvent(cmd.Context(), r, resp.Header.Get("X-Correlation-Id")); e != nil && e.Verdict == audit.Refused {
		explain(info, r, plan, e)
	}
	return errSaid
}

// writeBody indents JSON; anything else, a stream too, goes out as it comes.
func writeBody(w io.Writer, resp *http.Response) error {
	if !strings.Contains(resp.Header.Get("Content-Type"), "json") {
		_, err := io.Copy(w, resp.Body)
		return err
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, text, "", "  ") != nil {
		pretty.Reset()
		pretty.Write(text)
	}
	_, err = fmt.Fprintln(w, strings.TrimRight(pretty.String(), "\n"))
	return err
}

// explain names the rule that decided, with its line.
func explain(w io.Writer, r run, plan *contract.Plan, e *audit.Event) {
	fmt.Fprintf(w, "\nrefused: %s", e.Code)
	if e.Rule != "" {
		file, line := plan.Place(e.API, e.Rule)
		fmt.Fprintf(w, " by %s (%s:%d)", e.Rule, filepath.Join(r.Source, file), line)
	}
	fmt.Fprintln(w)
	if e.Cause != "" {
		fmt.Fprintf(w, "cause (private, from the event): %s\n", e.Cause)
	}
}

// awaitEvent gives the event a moment: it is written after the answer was sent.
func awaitEvent(ctx context.Context, r run, correlation string) *audit.Event {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for {
		if e := eventOf(r, correlation); e != nil || correlation == "" {
			return e
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// eventOf finds the call's event in the local run's file; nil if it isn't there.
func eventOf(r run, correlation string) *audit.Event {
	text, err := os.ReadFile(r.Events)
	if err != nil || correlation == "" {
		return nil
	}
	for line := range bytes.Lines(text) {
		if !bytes.Contains(line, []byte(correlation)) {
			continue
		}
		if e, err := audit.Parse(line); err == nil && e.Correlation == correlation && e.Event != audit.Started {
			return &e
		}
	}
	return nil
}
