package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// maxTokenInput bounds what is read of standard input: a little over the longest token, 32 KiB.
const maxTokenInput = 64 << 10

type explainFlags struct {
	tokenFlags
	raw, contracts, environment, jwks, run, at string
	headers                                    []string
	anonymous, asJSON, withClaims              bool
	minting                                    []string // the flags given that describe a token to mint
	runGiven                                   bool
}

func explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain METHOD PATH [--token TOKEN | --role ROLE | --scope SCOPE]...",
		Short: "Show what each stage says of a call, and which line of which contract decides",
		Long: `Judges a call by the compiled contracts, without making it: nothing is forwarded.
Shows each stage's verdict, for a refusal its private cause and the line of the
contract that decided, and for a granted call what the backend would hear.

Contracts and issuer are those of the local run if there is one. Otherwise the
folder is bound to its environment if you bring a token, and else to a made-up
environment with an issuer in this process, which mints the token you describe.
With --jwks a token is checked without any network. Who was cut off (tollgate
revoke) stands in the store, not in the contracts, and isn't looked at.

A token is a secret: whoever has it is its owner until it expires. Rather than on
the command line, where it stays in the shell's history, hand it in with
--token - on standard input. It is never printed; its claims only with --claims.

Exits 0 if the call is granted, 1 if it is refused, 2 if it could not be judged.`,
		Example: `  tollgate explain POST /orders --role DataReader
  tollgate explain GET /orders/42 --token - --environment prod < token.txt
  tollgate explain GET /orders/42 --token - --jwks keys.json --at 2026-03-01T09:30:00Z < token.txt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("got %d arguments, want METHOD and PATH, such as GET /orders/42", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.explain(cmd, strings.ToUpper(args[0]), args[1])
		},
	}
	f.add(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.raw, "token", "", "the token to judge, or - to read it from standard input")
	fl.BoolVar(&f.anonymous, "anonymous", false, "judge a call without a token")
	fl.StringArrayVar(&f.headers, "header", nil, `request header, "Name: value"; repeat for several`)
	fl.StringVar(&f.contracts, "contracts", "", "folder of the contracts (default: the local run's if there is one, else contracts)")
	fl.StringVar(&f.environment, "environment", "", "bind to this environment (default: the local run's, or the only one)")
	fl.StringVar(&f.jwks, "jwks", "", "file with the issuer's key set; nothing is asked of the network")
	fl.StringVar(&f.at, "at", "", "judge as at this time (RFC 3339), such as a token's from a log that has expired since")
	fl.BoolVar(&f.withClaims, "claims", false, "also show the token's claims, which name a person or a program")
	fl.BoolVar(&f.asJSON, "json", false, "print the explanation as JSON, for machines")
	addRunFlag(cmd, &f.run)
	return verdictsOnly(cmd)
}

// mintingFlags are those of tokenFlags.
func mintingFlags() []string {
	return []string{"api", "role", "scope", "user", "client", "tenant", "token-version", "lifetime", "claim", "jose", "undeclared"}
}

func (f *explainFlags) explain(cmd *cobra.Command, method, path string) error {
	f.runGiven = cmd.Flags().Changed("run")
	f.minting = slices.DeleteFunc(mintingFlags(), func(name string) bool { return !cmd.Flags().Changed(name) })
	now, err := f.clock()
	if err != nil {
		return err
	}
	req, err := f.request(cmd.Context(), method, path)
	if err != nil {
		return err
	}
	if err := f.check(req, cmd.Flags().Changed("token")); err != nil {
		return err
	}
	s, err := f.scene(cmd.ErrOrStderr(), req, now)
	if err != nil {
		return err
	}
	if err := f.authorize(cmd, s, req, path); err != nil {
		return err
	}
	gw := s.gateway(now)
	call := gw.NewCall(req)
	api, operation, steps := gw.Explain(cmd.Context(), call)
	a := s.account(call, api, operation, steps)
	a.At, a.offline = now().UTC().Format(time.RFC3339), s.keys != nil
	if f.withClaims {
		a.addClaims(req, call.Identity != nil)
	}
	return a.show(cmd.OutOrStdout(), f.asJSON)
}

func (f *explainFlags) clock() (func() time.Time, error) {
	if f.at == "" {
		return time.Now, nil
	}
	at, err := time.Parse(time.RFC3339, f.at)
	if err != nil {
		return nil, fmt.Errorf("--at %q is not a time; write it as 2026-03-01T09:30:00Z", f.at)
	}
	return func() time.Time { return at }, nil
}

var methodName = regexp.MustCompile(`^[A-Z]{1,20}$`)

// request is the call as the gateway would receive it, without a minted token.
// Its errors repeat nothing that was typed: a token lands in the wrong place easily.
func (f *explainFlags) request(ctx context.Context, method, path string) (*http.Request, error) {
	if !methodName.MatchString(method) {
		return nil, errors.New("METHOD comes first, such as GET")
	}
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("PATH comes second, from the root, such as /orders/42")
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://gateway.invalid/", nil)
	if err != nil {
		return nil, err
	}
	req.RequestURI = path // as typed: what the gateway makes of an odd path is the point
	if u, err := url.ParseRequestURI(path); err == nil {
		req.URL = u
	}
	for i, h := range f.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return nil, fmt.Errorf(`--header number %d has no colon; write "Name: value"`, i+1)
		}
		req.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return req, nil
}

// check refuses flags that contradict each other: one of them would be ignored.
func (f *explainFlags) check(req *http.Request, tokenGiven bool) error {
	var ways []string
	if tokenGiven {
		ways = append(ways, "--token")
	}
	if len(req.Header.Values("Authorization")) > 0 {
		ways = append(ways, "--header Authorization")
	}
	if f.anonymous {
		ways = append(ways, "--anonymous")
	}
	if len(f.minting) > 0 {
		ways = append(ways, "--"+strings.Join(f.minting, " --"))
	}
	switch {
	case len(ways) > 1:
		return fmt.Errorf("%s contradict each other; say in one way who calls", strings.Join(ways, " and "))
	case tokenGiven && f.raw == "":
		return errors.New("--token is empty; give the token, or - to read it from standard input")
	case f.jwks != "" && (len(ways) == 0 || f.anonymous || len(f.minting) > 0):
		return errors.New("--jwks is for a token that you bring; give it with --token")
	}
	return nil
}

// scene finds the contracts, and the keys and the issuer that go with them.
func (f *explainFlags) scene(info io.Writer, req *http.Request, now func() time.Time) (*scene, error) {
	r, up, err := f.localRun()
	if err != nil {
		return nil, err
	}
	dir := f.contracts
	if dir == "" {
		dir = "contracts"
	}
	brought := f.raw != "" || len(req.Header.Values("Authorization")) > 0
	var s *scene
	switch {
	case up && f.contracts == "":
		s, err = sceneOfRun(r, f.environment)
	case brought || f.environment != "":
		s, err = sceneOfFolder(info, dir, f.environment)
	default:
		s, err = sceneOfStandIns(info, dir, now)
	}
	if err != nil || f.jwks == "" {
		return s, err
	}
	jwks, err := readKeySet(f.jwks)
	if err != nil {
		return nil, err
	}
	s.keys, err = newOffline(s.plan, jwks)
	return s, err
}

// localRun is the one that is up. A file that a dead one left behind counts only if it was named.
func (f *explainFlags) localRun() (r run, up bool, err error) {
	if _, missing := os.Stat(f.run); missing != nil && !f.runGiven {
		return r, false, nil
	}
	r, err = readRun(f.run)
	return r, err == nil && (f.runGiven || alive(r.PID)), err
}

// authorize puts the token into the request, if there is to be one.
func (f *explainFlags) authorize(cmd *cobra.Command, s *scene, req *http.Request, path string) error {
	raw := f.raw
	switch {
	case f.anonymous || len(req.Header.Values("Authorization")) > 0:
		return nil
	case raw == "-":
		var err error
		if raw, err = pasted(cmd, maxTokenInput); err != nil {
			return err
		}
		if raw == "" {
			return errors.New("standard input is empty; --token - reads the token from there")
		}
	case raw == "":
		var err error
		if raw, err = f.fresh(cmd.Context(), s, path); err != nil || raw == "" {
			return err
		}
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	return nil
}

// fresh mints the token that the flags describe; "" where no API has the path,
// for then no stage looks at a token.
func (f *explainFlags) fresh(ctx context.Context, s *scene, path string) (string, error) {
	if s.mint == nil {
		return "", fmt.Errorf("tokens of the environment %s come from its own issuer; bring one with --token, leave out --environment, or call with --anonymous", s.plan.Environment)
	}
	t, err := f.token()
	if err != nil {
		return "", err
	}
	if t.API == "" {
		t.API = apiAt(s.plan, path)
	}
	if t.API == "" {
		return "", nil
	}
	return s.mint(ctx, t)
}
