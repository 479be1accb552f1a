// Package issuer is a stand-in for Microsoft Entra ID on one machine: it serves
// discovery and keys, answers the client-credentials grant and mints whatever
// token a test or a person asks for, in the two shapes that Entra really issues.
//
// It is an http.Handler and an object at once. A test calls Mint, Rotate and
// Fail; a person on a laptop reaches the same through POST /_control/….
//
// Where it differs from Entra, on purpose:
//
//   - Everything lives under one BaseURL. A v1 token's iss is BaseURL/{tid}/
//     where Entra's is https://sts.windows.net/{tid}/; a v2 token's is
//     BaseURL/{tid}/v2.0 where Entra's is https://login.microsoftonline.com/{tid}/v2.0.
//   - The endpoint a client calls picks the token's version. At Entra the
//     resource's manifest does (requestedAccessTokenVersion).
//   - Every token lives 75 minutes, the mean of Entra's 60 to 90.
//   - Discovery names the authorization, logout and device endpoints that Entra
//     names, but nobody signs in here: they answer 404.
//   - Each tenant has keys of its own. Entra's tenants share most of theirs.
package issuer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tollgate/localrun/faults"
)

// API is one app registration of a resource.
type API struct {
	Name     string   // what Token.API and Client.Roles call it
	AppIDURI string   // aud of a v1 token; "" means the ClientID stands in, as at Entra
	ClientID string   // aud of a v2 token: a GUID at Entra
	Scopes   []string // delegated permissions it declares
	Roles    []string // app roles it declares

	// How it proves itself when it asks for tokens: it exchanges those of users.
	Secret      string
	Certificate *x509.Certificate
	Trusts      []string // client ids of managed identities (federated credentials)
}

// Client is one app registration of a caller: what an administrator assigned to it, by API name.
type Client struct {
	Name   string
	ID     string
	Secret string // "" means it can't use the token endpoint
	Roles  map[string][]string
	Trusts []string // client ids of managed identities that may ask in its name
}

// Options says whom the stand-in knows.
type Options struct {
	Tenants []string // GUIDs; the first is the home tenant. At least one.
	APIs    []API
	Clients []Client
	Foreign []string         // resources outside the estate that tokens are asked for: backends' Application ID URIs
	Now     func() time.Time // nil = time.Now
	BaseURL string           // e.g. http://127.0.0.1:4001; may be set later with SetBaseURL, before the first request
}

// Issuer is the stand-in. It is safe for concurrent use.
type Issuer struct {
	tenants []string
	keys    map[string]*keyring // by tenant; filled by New, never changed
	apis    []API
	clients []Client
	Tokens  faults.Set // of the token endpoint

	resources []string
	complain  atomic.Pointer[Complaint]
	proofs    map[string]proof // by API, where it was changed; guarded by mu

	now  func() time.Time
	base atomic.Pointer[string]
	mux  *http.ServeMux

	mu      sync.Mutex
	faults  []*Fault // the newest first
	fetches map[string]int
}

// New makes an issuer. It makes no key yet: each tenant's first use does.
func New(o Options) (*Issuer, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("issuer options: %w", err)
	}
	i := &Issuer{
		keys:    map[string]*keyring{},
		apis:    slices.Clone(o.APIs),
		clients: slices.Clone(o.Clients),
		now:     o.Now,

		resources: slices.Clone(o.Foreign), proofs: map[string]proof{},
		fetches: map[string]int{},
	}
	if i.now == nil {
		i.now = time.Now
	}
	for _, tenant := range o.Tenants {
		tenant = strings.ToLower(tenant)
		i.tenants = append(i.tenants, tenant)
		i.keys[tenant] = &keyring{now: i.now}
	}
	i.SetBaseURL(o.BaseURL)
	i.mux = i.routes()
	return i, nil
}

// SetBaseURL says where the issuer is reached, which every iss and every
// address in discovery is built from.
func (i *Issuer) SetBaseURL(u string) {
	u = strings.TrimRight(u, "/")
	i.base.Store(&u)
}

// ServeHTTP answers as Entra's endpoints do, and as the control endpoints.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) { i.mux.ServeHTTP(w, r) }

// Fetches counts the requests so far: "discovery", "keys" and "token", and
// "redirected" for those that followed a redirect fault.
func (i *Issuer) Fetches() map[string]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	counts := map[string]int{"discovery": 0, "keys": 0, "token": 0}
	maps.Copy(counts, i.fetches)
	return counts
}

func (i *Issuer) counted(what string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fetches[what]++
}

// Rotate gives a tenant ("" = the home tenant) a new signing key. With keepOld
// the earlier keys stay published; without, they leave the published set at
// once, though Token.Key can still name them: that is a token signed with a
// withdrawn key.
func (i *Issuer) Rotate(tenant string, keepOld bool) (kid string, err error) {
	_, ring, err := i.tenant(tenant)
	if err != nil {
		return "", err
	}
	return ring.rotate(keepOld)
}

// tenant finds a tenant by its GUID in either case; "" is the home tenant.
func (i *Issuer) tenant(name string) (string, *keyring, error) {
	if name == "" {
		name = i.tenants[0]
	}
	name = strings.ToLower(name)
	ring, known := i.keys[name]
	if !known {
		return "", nil, fmt.Errorf("tenant %q is unknown; known: %s", name, strings.Join(i.tenants, ", "))
	}
	return name, ring, nil
}

func (i *Issuer) api(name string) (API, error) {
	at := slices.IndexFunc(i.apis, func(a API) bool { return a.Name == name })
	if at < 0 {
		return API{}, fmt.Errorf("api %q is unknown; known: %s", name, list(names(i.apis)))
	}
	return i.apis[at], nil
}

func (i *Issuer) client(id string) (Client, bool) {
	at := slices.IndexFunc(i.clients, func(c Client) bool { return strings.EqualFold(c.ID, id) })
	if at < 0 {
		return Client{}, false
	}
	return i.clients[at], true
}

func names(apis []API) []string {
	var all []string
	for _, a := range apis {
		all = append(all, a.Name)
	}
	return all
}

// list renders what is known for a message, also when nothing is.
func list(known []string) string {
	if len(known) == 0 {
		return "none"
	}
	return strings.Join(known, ", ")
}

// issuer is the iss of a tenant's tokens, which is also the issuer that its discovery names.
func (i *Issuer) issuer(tenant string, v version) (string, error) {
	base := *i.base.Load()
	if base == "" {
		return "", errors.New("no base URL is set: give Options.BaseURL or call SetBaseURL")
	}
	if v == v1 {
		return base + "/" + tenant + "/", nil // with the slash, as https://sts.windows.net/{tid}/ has
	}
	return base + "/" + tenant + "/v2.0", nil
}
