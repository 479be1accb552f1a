// Package credentials surrounds a local run with what the gateway proves itself
// by: a vault with made-up secrets and certificates, the identity endpoint, and
// a backend that demands a certificate. All of it is new at each start.
package credentials

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"tollgate/localrun/backend"
	"tollgate/localrun/estate"
	"tollgate/localrun/identity"
	"tollgate/localrun/issuer"
	"tollgate/localrun/lambda"
	"tollgate/localrun/storage"
	"tollgate/localrun/sts"
	"tollgate/localrun/vault"
	"tollgate/shared/contract"
)

// Around is those stand-ins.
type Around struct {
	Vault     *vault.Vault
	Identity  *identity.Identity
	Header    string   // of the identity endpoint
	STS       *sts.STS // what gives a function's role on AWS its proof
	Authority *Authority
	TLS       *tls.Config // of the backend that demands a certificate

	Storage    *storage.Storage // tables, for whatever is kept
	StorageKey string           // its account's, in base64

	entra *issuer.Issuer
	plan  *contract.Plan
}

// certificateLife is that of a client's certificate.
const certificateLife = 24 * time.Hour

// New makes them, before their addresses are known. The vault is empty until Fill.
func New(now func() time.Time) (*Around, error) {
	ca, err := NewAuthority(now)
	if err != nil {
		return nil, fmt.Errorf("the local run's certificates: %w", err)
	}
	own, err := ca.Server()
	if err != nil {
		return nil, fmt.Errorf("the local run's certificates: %w", err)
	}
	a := &Around{Header: rand.Text(), Authority: ca, TLS: backend.MutualTLS(own, ca.Pool()), StorageKey: base64.StdEncoding.EncodeToString([]byte(rand.Text()))}
	a.Storage = storage.New(storage.Options{Key: a.StorageKey, Authority: "https://login.microsoftonline.com/" + estate.Tenant(), Now: now})
	a.Vault = vault.New(vault.Options{Authority: "https://login.microsoftonline.com/" + estate.Tenant(), Now: now})
	a.Identity = identity.New(identity.Options{Header: a.Header, Known: a.known, Mint: a.mint, Now: now})
	a.STS = sts.New(sts.Options{KeyID: lambda.KeyID, Session: lambda.Session, Mint: a.state, Now: now})
	return a, nil
}

// Fill makes up each secret that the plan names, and tells the stand-in for
// Entra those by which registrations prove themselves.
func (a *Around) Fill(plan *contract.Plan, entra *issuer.Issuer) error {
	a.plan, a.entra = plan, entra
	if plan.Store != nil && plan.Store.Digest.Name != "" {
		a.Vault.Put(plan.Store.Digest.Name, rand.Text()+rand.Text(), "") // 260 bits
	}
	if plan.Audit.Secret.Name != "" {
		a.Vault.Put(plan.Audit.Secret.Name, rand.Text()+rand.Text(), "")
	}
	for _, api := range plan.APIs {
		if err := a.Rotate(api); err != nil {
			return fmt.Errorf("make up the secret of %s: %w", api.Name, err)
		}
	}
	return nil
}

// Rotate gives the API's secret, if it has one, a new version.
func (a *Around) Rotate(api contract.PlannedAPI) error {
	auth := api.Backend.Auth
	if auth == nil || auth.Secret.Name == "" {
		return nil
	}
	if auth.Kind != contract.AuthCertificate && auth.Proof != contract.ByCertificate {
		value := "secret-" + rand.Text()
		a.Vault.Put(auth.Secret.Name, value, "")
		if auth.Proof == contract.BySecret {
			a.entra.Prove(api.Name, value, nil)
		}
		return nil
	}
	c, err := a.Authority.Client("gateway to "+api.Name, certificateLife, auth.Proof == contract.ByCertificate)
	if err != nil {
		return err
	}
	a.Vault.Put(auth.Secret.Name, c.PKCS12, vault.PKCS12)
	if auth.Proof == contract.ByCertificate {
		a.entra.Prove(api.Name, "", c.Certificate)
	}
	return nil
}

// known: the user-assigned identities are those that the plan names.
func (a *Around) known(id string) bool {
	return id == estate.GUID("identity", contract.GatewayIdentity) || slices.ContainsFunc(a.plan.APIs, func(api contract.PlannedAPI) bool {
		return api.Backend.Auth != nil && api.Backend.Auth.Identity == id
	})
}

// mint is a token of a managed identity: an application's, for any resource.
func (a *Around) mint(id, resource string) (string, error) {
	if id == "" {
		id = estate.GUID("identity", "system-assigned")
	}
	return a.entra.Mint(issuer.Token{
		API: a.plan.APIs[0].Name, Client: id, Lifetime: identity.Lifetime, Undeclared: true, Claims: map[string]any{"aud": resource},
	})
}

// state is what AWS says of the function's role. Here the stand-in for Entra
// signs it too: it trusts what it signed, as a registration trusts AWS's issuer.
func (a *Around) state(audience string, life time.Duration) (string, error) {
	return a.entra.Mint(issuer.Token{
		API: a.plan.APIs[0].Name, Client: estate.Role(), Lifetime: life, Undeclared: true, Claims: map[string]any{"aud": audience},
	})
}

// OnLambda are those of a function of AWS Lambda, with the stand-in for STS at address.
func OnLambda(address string) map[string]string {
	return map[string]string{"AWS_ENDPOINT_URL_STS": address}
}

// Settings are what the platform would set for the handler, with the identity endpoint at address.
func Settings(address, header string) map[string]string {
	return map[string]string{"IDENTITY_ENDPOINT": address + "/msi/token", "IDENTITY_HEADER": header}
}

// StoreAddress is that of the account whose tables are served at address.
func StoreAddress(address string) string { return address + "/" + storage.DefaultAccount }

// Connection is a connection string for it.
func (a *Around) Connection(address string) string {
	return "DefaultEndpointsProtocol=http;AccountName=" + storage.DefaultAccount + ";AccountKey=" + a.StorageKey + ";TableEndpoint=" + StoreAddress(address)
}
