package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tollgate/shared/contract"
	"tollgate/shared/sdk"
	"tollgate/shared/secret"
	"tollgate/shared/subscription"
	"tollgate/shared/tables"
)

// storeTry is how long one request to a store may take: a person waits longer than a call may.
const storeTry = 10 * time.Second

// storeFlags find the store that a command works on: the local run's, that of an
// environment of the contracts, or one by its address.
type storeFlags struct {
	run, tables, environment, contracts, digestFile string
}

func (f *storeFlags) add(cmd *cobra.Command) {
	fl := cmd.PersistentFlags()
	fl.StringVar(&f.run, "run", defaultRunFile, "file that describes the local run, whose store is used unless another is named")
	fl.StringVar(&f.environment, "environment", "", "use the store of this environment of the contracts, signed in to Entra as az or azd is, or as the variables AZURE_… say")
	fl.StringVar(&f.contracts, "contracts", "contracts", "folder of the contracts that --environment is of")
	fl.StringVar(&f.tables, "tables", "", "use the tables at this address: an https address (signed in), one with a SAS, or a connection string; - reads it from $"+tablesVariable)
	fl.StringVar(&f.digestFile, "digest-secret", "", "file with the secret for keys' digests, where no environment says which vault has it")
}

// tablesVariable keeps a connection string out of the list of processes.
const tablesVariable = "TOLLGATE_TABLES"

// openStore is a store, and the contracts that go with it.
type openStore struct {
	account *tables.Account
	plan    *contract.Plan // nil: only the address is known
	secrets subscription.Secrets
	digest  contract.SecretRef
	local   bool
}

// open finds the store. It does no network but for the sign-in.
func (f *storeFlags) open(cmd *cobra.Command) (*openStore, error) {
	s, address, tokens := &openStore{}, f.tables, sdk.Tokens(nil)
	if address == "-" {
		if address = os.Getenv(tablesVariable); address == "" {
			return nil, fmt.Errorf("--tables - reads the address from $%s, which is not set", tablesVariable)
		}
	}
	switch {
	case f.environment != "":
		plan, err := planIn(f.contracts, f.environment)
		if err != nil {
			return nil, err
		}
		if s.plan, tokens = plan, newSignIn(); plan.Store == nil {
			return nil, fmt.Errorf("the environment %s has no store, and its contracts need none", f.environment)
		}
		address, s.digest = cmp.Or(address, plan.Store.Tables), plan.Store.Digest
	case address == "":
		r, err := readRun(f.run)
		if err != nil {
			return nil, fmt.Errorf("%w. For another store, say --environment or --tables", err)
		}
		if !alive(r.PID) {
			return nil, fmt.Errorf("the local run of %s (process %d) is gone, and its store with it; start one with `make run`", f.run, r.PID)
		}
		if s.plan, err = planOf(r); err != nil {
			return nil, err
		}
		if s.plan.Store == nil || r.Tables == "" {
			return nil, errors.New("the local run keeps nothing: its contracts have no products, limits or revocation")
		}
		address, s.digest, s.local, tokens = r.Tables, s.plan.Store.Digest, true, runTokens{r, s.plan}
	default:
		tokens = newSignIn()
	}
	return s, f.connect(cmd.Context(), s, address, tokens)
}

// connect opens the account, and finds whoever reads the secret for digests.
func (f *storeFlags) connect(ctx context.Context, s *openStore, address string, tokens sdk.Tokens) (err error) {
	if in, ok := tokens.(*signIn); ok && strings.HasPrefix(address, "https://") && !strings.Contains(address, "?") {
		if err := in.ahead(ctx, storageScope); err != nil {
			return err
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	s.account, err = tables.Open(tables.Options{Address: address, Tokens: tokens, Transport: transport, Now: time.Now, Try: storeTry})
	if err != nil {
		return err
	}
	if f.digestFile != "" {
		s.digest = contract.SecretRef{Vault: "file", Name: f.digestFile}
		s.secrets = secretFile(f.digestFile)
		return nil
	}
	s.secrets = vaultSecrets{secret.NewSource(secret.Vaults{Tokens: tokens, Transport: transport}, time.Now), tokens}
	return nil
}

// mints tells whether keys can be made.
func (s *openStore) mints() error {
	if s.digest == (contract.SecretRef{}) {
		return errors.New("a key's digest is made under a secret, and which vault has it isn't known; say --environment, or --digest-secret FILE")
	}
	return nil
}

// office is where subscriptions of this store are kept.
func (s *openStore) office(chance interface{ Read([]byte) (int, error) }) *subscription.Office {
	return subscription.NewOffice(s.account.Table(subscription.Table), s.account.Clock(), s.secrets, s.digest, chance)
}

func planIn(dir, environment string) (*contract.Plan, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no folder of contracts at %s; name one with --contracts", dir)
	}
	read, faults := contract.Load(os.DirFS(dir))
	if err := faults.Err(); err != nil {
		return nil, fmt.Errorf("read the contracts in %s: %w", dir, err)
	}
	plan, faults := read.Plan(environment)
	if err := faults.Err(); err != nil {
		return nil, fmt.Errorf("bind the contracts in %s to %s: %w", dir, environment, err)
	}
	return plan, nil
}

// secretFile is a secret in a file, without the line's end.
type secretFile string

func (f secretFile) Read(context.Context, contract.SecretRef) (string, error) {
	text, err := os.ReadFile(string(f))
	return strings.TrimRight(string(text), "\r\n"), err
}

// vaultSecrets signs in first: that can take longer than a vault may.
type vaultSecrets struct {
	source *secret.Source
	tokens sdk.Tokens
}

func (v vaultSecrets) Read(ctx context.Context, ref contract.SecretRef) (string, error) {
	if in, ok := v.tokens.(*signIn); ok {
		_ = in.ahead(ctx, vaultScope) // another cloud's vaults have another scope; the read itself tells
	}
	return v.source.Read(ctx, ref)
}

// runKeys are the subscriptions of the local run, for a gateway in this process.
func runKeys(r run) func(contract.PlannedStore) subscription.Source {
	return func(contract.PlannedStore) subscription.Source {
		s := &openStore{}
		f := &storeFlags{}
		plan, err := planOf(r)
		if err == nil {
			err = f.connect(context.Background(), s, r.Tables, runTokens{r, plan})
		}
		if err != nil {
			return subscription.Source{} // the refusal says that there is no store
		}
		return subscription.Source{Rows: s.account.Table(subscription.Table), Clock: s.account.Clock(), Secrets: s.secrets}
	}
}
