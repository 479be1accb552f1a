package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"tollgate/localrun/issuer"
	"tollgate/shared/contract"
)

// sample is one call worth showing.
type sample struct {
	token        issuer.Token
	method, path string
	want         int
}

// samples are an allowed and a refused call of the estate: the first operation
// that an application's role opens, and the first that it doesn't.
func samples(plan *contract.Plan) (allowed, refused *sample) {
	if !plan.Addresses.Empty() {
		return nil, nil // every call comes from this machine, which no list lets in
	}
	for _, api := range plan.APIs {
		for _, op := range api.Operations {
			if op.Allow == nil || len(op.Allow.Roles) == 0 || len(op.Headers) > 0 || op.Key == contract.KeyAnd || !openToAll(api) {
				continue
			}
			s := &sample{issuer.Token{API: api.Name, Roles: op.Allow.Roles[:1]}, op.Template.Method, example(op.Template), 200}
			if allowed == nil {
				allowed = s
			}
			if no := closed(api, op.Allow.Roles[0]); no != nil && refused == nil {
				refused = &sample{s.token, no.Template.Method, example(no.Template), 403}
				allowed = s
				return allowed, refused
			}
		}
	}
	return allowed, refused
}

// openToAll: the API asks nothing of a caller beyond an operation's rule.
func openToAll(api contract.PlannedAPI) bool {
	return len(api.Require)+len(api.Headers) == 0 && api.Addresses.Empty() && api.Callers.Clients == nil && !api.Callers.Certificate &&
		api.Callers.Principals != "users" && api.Proof.DPoP != "required"
}

// closed is an operation of the API that the role alone doesn't open.
func closed(api contract.PlannedAPI, role string) *contract.PlannedOperation {
	for i, op := range api.Operations {
		if op.Allow != nil && op.Key != contract.KeyAnd && op.Key != contract.KeyAlone && len(op.Headers) == 0 && !slices.Contains(op.Allow.Roles, role) {
			return &api.Operations[i]
		}
	}
	return nil
}

// example is a path that the template matches.
func example(t contract.Template) string {
	var b strings.Builder
	for _, s := range t.Segments {
		if s.Literal != "" {
			b.WriteString("/" + s.Literal)
		} else {
			b.WriteString("/42")
		}
	}
	return b.String()
}

// greet says what runs, and what to try.
func (s *stage) greet(out io.Writer) {
	r := s.run
	fmt.Fprintf(out, `
The gateway is up.

  gateway   %s  (process %d%s)
  inspector %s  (requests as they arrive: open it in a browser)
  issuer    %s  (stand-in for Entra ID)
  backend   %s  (echoes what it gets)
  vault     %s  (stand-in for Key Vault)
  identity  %s  (stand-in for the managed identity's endpoint)
  tables    %s
  events    %s
  contracts %s

`, r.Gateway, r.PID, s.before(), r.Inspector, r.Issuer, r.Backend, r.Vault, r.Identity, s.where(), r.Events, r.Source)
	allowed, refused := samples(s.local.Plan)
	for _, c := range []struct {
		what string
		s    *sample
	}{{"Allowed", allowed}, {"Refused", refused}} {
		if c.s != nil {
			fmt.Fprintf(out, "%s:\n  %s\n\n", c.what, s.curl(c.s))
		}
	}
	if text := s.keyed(); text != "" {
		fmt.Fprintf(out, "With a key, until its limit is reached:\n%s\n", text)
	}
	fmt.Fprint(out, "In another terminal: bin/tollgate watch, bin/tollgate who, bin/tollgate token --help, bin/tollgate call --help\nStop with Ctrl-C.\n")
}

// before says what the gateway runs behind, where that isn't the usual.
func (s *stage) before() string {
	if s.flags.lambda == "" {
		return ""
	}
	return "; on the stand-in for AWS Lambda, behind " + map[string]string{
		"rest": "a REST API", "http": "an HTTP API", "url": "a function URL", "url-stream": "a function URL that streams",
		"alb": "a load balancer", "alb-multi": "a load balancer with multi-value headers",
	}[s.flags.lambda]
}

// at is what other commands need to find this run.
func (s *stage) at() string {
	if s.flags.run == defaultRunFile {
		return ""
	}
	return " --run " + s.flags.run
}

// where says which tables, but not how to get into them.
func (s *stage) where() string {
	if s.tables == "" {
		return "those that --tables names"
	}
	return s.tables + "  (stand-in for Table Storage)"
}

// keyed are commands that use up a limit of a product, "" if no product has an
// operation that a key opens by itself.
func (s *stage) keyed() string {
	for _, p := range s.local.Plan.Products {
		for _, api := range s.local.Plan.APIs {
			for _, op := range api.Operations {
				if op.Key == contract.KeyAlone && op.Template.Method == http.MethodGet && len(p.Limits) > 0 && slices.Contains(p.APIs, api.Name) {
					return fmt.Sprintf("  KEY=$(bin/tollgate keys create --product %s --owner me%s)\n  bin/tollgate call GET %s --anonymous --key $KEY%[2]s\n  bin/tollgate usage%[2]s\n",
						p.Name, s.at(), example(op.Template))
				}
			}
		}
	}
	return ""
}

func (s *stage) curl(c *sample) string {
	method := ""
	if c.method != http.MethodGet {
		method = "-X " + c.method + " "
	}
	return fmt.Sprintf(`curl -i %s-H "Authorization: Bearer $(bin/tollgate token --api %s --role %s%s)" %s%s`,
		method, c.token.API, c.token.Roles[0], s.at(), s.run.Gateway, c.path)
}

// once makes the two sample calls and checks their answers.
func (s *stage) once(ctx context.Context, out io.Writer) error {
	allowed, refused := samples(s.local.Plan)
	if allowed == nil || refused == nil {
		return fmt.Errorf("--once needs an operation that a role opens and one that it doesn't; %s has no such pair", s.flags.contracts)
	}
	for _, c := range []*sample{allowed, refused} {
		status, err := s.try(ctx, c)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s %s as %s: %d\n", c.method, c.path, c.token.Roles[0], status)
		if status != c.want {
			return fmt.Errorf("%s %s answered %d, want %d", c.method, c.path, status, c.want)
		}
	}
	return nil
}

func (s *stage) try(ctx context.Context, c *sample) (int, error) {
	raw, err := mint(ctx, s.run, c.token)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, c.method, s.run.Gateway+c.path, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
