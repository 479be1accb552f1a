package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
)

// tokenFlags describe a token; token and call share them.
type tokenFlags struct {
	issuer.Token
	claims, headers []string
}

func (f *tokenFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.API, "api", "", "API that the token is for, by its name")
	fl.StringSliceVar(&f.Roles, "role", nil, "app role the caller holds; repeat for several")
	fl.StringSliceVar(&f.Scopes, "scope", nil, "scope a user has granted: makes it a user's token")
	fl.StringVar(&f.User, "user", "", "object id of the user: makes it a user's token (without --scope, by idtyp alone)")
	fl.StringVar(&f.Client, "client", "", "calling client: an app id, or the name of a kind: Client contract")
	fl.StringVar(&f.Tenant, "tenant", "", "tenant that issues it (default: the local run's own)")
	fl.StringVar(&f.Version, "token-version", "", "v1 or v2 (default v2)")
	fl.DurationVar(&f.Lifetime, "lifetime", 75*time.Minute, "how long it lives; negative: already expired")
	fl.StringArrayVar(&f.claims, "claim", nil, `adds or replaces a claim: name=JSON, such as idtyp='"app"'; name=null removes it`)
	fl.StringArrayVar(&f.headers, "jose", nil, `adds or replaces a member of the token's header: name=JSON, such as alg='"none"'`)
	fl.BoolVar(&f.Undeclared, "undeclared", false, "allow roles and scopes that the API doesn't declare")
}

// token is what the flags ask for.
func (f *tokenFlags) token() (issuer.Token, error) {
	t := f.Token
	var err error
	if t.Claims, err = members("--claim", f.claims); err != nil {
		return t, err
	}
	if _, said := t.Claims["idtyp"]; t.User != "" && len(t.Scopes) == 0 && !said {
		t.Claims["idtyp"] = "user" // Entra's own always have a scope; without one nothing else would show a user
	}
	if t.Client != "" && strings.Count(t.Client, "-") != 4 {
		t.Client = estate.GUID("client", t.Client)
	}
	t.Header, err = members("--jose", f.headers)
	return t, err
}

func members(flag string, pairs []string) (map[string]any, error) {
	out := map[string]any{}
	for _, p := range pairs {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%s %q: write name=JSON", flag, p)
		}
		var v any
		dec := json.NewDecoder(strings.NewReader(value))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			return nil, fmt.Errorf("%s %s: %q is not JSON (text needs quotes inside quotes: '\"text\"')", flag, name, value)
		}
		out[name] = v
	}
	return out, nil
}

func tokenCommand() *cobra.Command {
	var file string
	var flags tokenFlags
	cmd := &cobra.Command{
		Use:   "token --api NAME [--role ROLE | --scope SCOPE]...",
		Short: "Mint a token of the local stand-in for Entra ID",
		Long: `Prints an access token as Entra would issue it, of the local run's issuer. With
--scope or --user it is a user's token, without them an application's. It can be
made wrong in any way, to see it refused.`,
		Example: `  tollgate token --api orders --role DataReader
  tollgate token --api orders --scope Orders.Read --token-version v1
  tollgate token --api orders --role DataReader --lifetime -1h     # expired`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := readRun(file)
			if err != nil {
				return err
			}
			if flags.API == "" {
				return errors.New("name the API that the token is for: --api orders")
			}
			t, err := flags.token()
			if err != nil {
				return err
			}
			raw, err := mint(cmd.Context(), r, t)
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), raw)
			return nil
		},
	}
	flags.add(cmd)
	addRunFlag(cmd, &file)
	return cmd
}

// mint asks the local run's issuer for a token.
func mint(ctx context.Context, r run, t issuer.Token) (string, error) {
	body, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Issuer+"/_control/token", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("the local run doesn't answer (%w); start it with `make run`", err)
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
		Description string `json:"error_description"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("the issuer answered %s, which can't be read: %w", resp.Status, err)
	}
	if answer.AccessToken == "" {
		return "", fmt.Errorf("the issuer refused: %s", answer.Description)
	}
	return answer.AccessToken, nil
}
