package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"tollgate/localrun/issuer"
	"tollgate/localrun/storage"
	"tollgate/localrun/vault"
	"tollgate/shared/contract"
)

const (
	storageScope = storage.Resource + "/.default"
	vaultScope   = vault.Resource + "/.default"
	signInTime   = 30 * time.Second // az takes seconds
)

// signIn gives tokens of whoever runs the command, for real accounts.
type signIn struct {
	credential func() (azcore.TokenCredential, error)
}

func newSignIn() *signIn { return &signIn{sync.OnceValues(person)} }

// person is whoever the variables AZURE_… name, or else az's or azd's user. Not
// azidentity's default chain: a machine's identity is asked before those, and where its
// endpoint answers nonsense, as behind a proxy, the chain ends there.
func person() (azcore.TokenCredential, error) {
	var sources []azcore.TokenCredential
	if named, err := azidentity.NewEnvironmentCredential(nil); err == nil {
		sources = append(sources, named)
	}
	az, err := azidentity.NewAzureCLICredential(nil)
	if err != nil {
		return nil, err
	}
	azd, err := azidentity.NewAzureDeveloperCLICredential(nil)
	if err != nil {
		return nil, err
	}
	return azidentity.NewChainedTokenCredential(append(sources, az, azd), nil)
}

// Token is one for the scope. No command has another identity than the person's.
func (s *signIn) Token(ctx context.Context, _, scope string) (string, error) {
	credential, err := s.credential()
	if err != nil {
		return "", fmt.Errorf("sign in to Entra: %w", err)
	}
	token, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		return "", fmt.Errorf("sign in to Entra with `az login` or `azd auth login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and what proves it: %w", err)
	}
	return token.Token, nil
}

// ahead signs in before a request that has less time.
func (s *signIn) ahead(ctx context.Context, scope string) error {
	ctx, cancel := context.WithTimeout(ctx, signInTime)
	defer cancel()
	_, err := s.Token(ctx, "", scope)
	return err
}

// runTokens are of the local run's own stand-in for Entra.
type runTokens struct {
	run  run
	plan *contract.Plan
}

func (t runTokens) Token(ctx context.Context, _, scope string) (string, error) {
	return mint(ctx, t.run, issuer.Token{
		API: t.plan.APIs[0].Name, Lifetime: time.Hour, Undeclared: true, Claims: map[string]any{"aud": scope[:len(scope)-len("/.default")]},
	})
}
