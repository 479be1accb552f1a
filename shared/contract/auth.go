package contract

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The kinds of PlannedAuth.
const (
	AuthManagedIdentity = "managedIdentity"
	AuthFederated       = "federated"
	AuthCertificate     = "certificate"
	AuthHeader          = "header"
	AuthBasic           = "basic"
	AuthOnBehalfOf      = "onBehalfOf"
)

// GatewayIdentity is the name, under an environment's identities, of the one that
// the gateway uses where a contract names none, and for Key Vault.
const GatewayIdentity = "gateway"

// SecretRef names one secret; the newest version of it is meant.
type SecretRef struct {
	Vault    string // the vault's address, without a slash at the end
	Name     string
	Identity string // client id of the managed identity that reads it; "" for the system-assigned
}

func (r SecretRef) String() string { return r.Vault + "/secrets/" + r.Name }

// PlannedAuth is Authenticate, bound.
type PlannedAuth struct {
	Kind     string
	Identity string      // managedIdentity, federated, onBehalfOf: client id of the managed identity; "" for the system-assigned
	Scope    string      // of the token that is asked for
	Endpoint string      // federated: the token endpoint
	ClientID string      // federated, onBehalfOf: the registration that asks
	SignIn   string      // onBehalfOf: where tenants' token endpoints are, TENANT/oauth2/v2.0/token below it
	Header   string      // header
	Username string      // basic
	Proof    ClientProof // onBehalfOf
	Secret   SecretRef   // certificate, header, basic, onBehalfOf by a secret or a certificate
}

// ClientProof is how a registration proves itself to Entra.
type ClientProof int

// The proofs of a registration.
const (
	BySecret ClientProof = iota + 1
	ByCertificate
	ByIdentity // the managed identity's token is the assertion
)

var secretPattern = regexp.MustCompile(`^\$\{secret:([a-z][a-z0-9-]{0,62})/([0-9a-zA-Z-]{1,127})\}$`)

// literalSecret is the answer to anything else. It doesn't repeat what stands
// there: that may be a secret, and faults are printed and kept.
const literalSecret = "is not a reference to a secret; put the secret into Key Vault and write \"${secret:VAULT/NAME}\" (VAULT stands under vaults: in the environments, NAME is letters, digits and hyphens)"

const misplacedSecret = "${secret:…} stands only where the gateway needs a secret: in backend.authenticate"

// parts are the vault's name and the secret's.
func (s Secret) parts() (vault, name string) {
	if m := secretPattern.FindStringSubmatch(string(s)); m != nil {
		return m[1], m[2]
	}
	return "", ""
}

func (a *Authenticate) setDefaults() {
	if a != nil && a.Federated != nil {
		orElseText(&a.Federated.Tenant, Home)
	}
}

// chosen are the words of authenticate that are written.
func (a *Authenticate) chosen() (kinds []string) {
	for kind, there := range map[string]bool{
		AuthManagedIdentity: a.ManagedIdentity != nil, AuthFederated: a.Federated != nil, AuthCertificate: a.Certificate != "",
		AuthHeader: a.Header != nil, AuthBasic: a.Basic != nil, AuthOnBehalfOf: a.OnBehalfOf != nil,
	} {
		if there {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// secrets are the references that authenticate holds, by where they stand.
func (a *Authenticate) secrets() map[string]Secret {
	out := map[string]Secret{}
	add := func(at string, s Secret) {
		if s != "" {
			out["backend.authenticate."+at] = s
		}
	}
	add("certificate", a.Certificate)
	if a.Header != nil {
		add("header.value", a.Header.Value)
	}
	if a.Basic != nil {
		add("basic.password", a.Basic.Password)
	}
	if a.OnBehalfOf != nil {
		add("onBehalfOf.clientSecret", a.OnBehalfOf.ClientSecret)
		add("onBehalfOf.certificate", a.OnBehalfOf.Certificate)
	}
	return out
}

// decodeSecret takes a reference and nothing else.
func (d *document) decodeSecret(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || !secretPattern.MatchString(n.Value) {
		d.fault(path, "%s", literalSecret)
		return
	}
	v.SetString(n.Value)
}

// allTexts are texts, in no order.
func (a *Authenticate) allTexts() []Text {
	if a == nil {
		return nil
	}
	return slices.Collect(maps.Values(a.texts()))
}

// texts are those in which ${…} may stand, by where they stand.
func (a *Authenticate) texts() map[string]Text {
	out := map[string]Text{}
	if m := a.ManagedIdentity; m != nil {
		out["managedIdentity.resource"], out["managedIdentity.clientId"] = m.Resource, m.ClientID
	}
	if f := a.Federated; f != nil {
		out["federated.resource"], out["federated.clientId"] = f.Resource, f.ClientID
	}
	if o := a.OnBehalfOf; o != nil {
		out["onBehalfOf.resource"] = o.Resource
	}
	return out
}

// checkAuthenticate checks what needs no environment.
func (c *apiCheck) checkAuthenticate() {
	a, at := c.api.Backend.Authenticate, "backend.authenticate"
	if a == nil {
		return
	}
	if kinds := a.chosen(); len(kinds) > 1 {
		c.fault(at, "names %s; a call is proved in one way, so keep one of them", strings.Join(kinds, " and "))
	}
	for _, name := range sortedKeys(a.texts()) {
		c.placeholders(at+"."+name, a.texts()[name])
		if strings.HasSuffix(string(a.texts()[name]), "/.default") {
			c.fault(at+"."+name, "is a scope; write the resource alone, without /.default")
		}
	}
	if a.Header != nil {
		c.checkAuthHeader(at+".header.name", a.Header.Name)
	}
	if a.OnBehalfOf != nil {
		c.checkOnBehalfOf(a.OnBehalfOf, at+".onBehalfOf")
	}
}

// checkAuthHeader: names of credentials may be the backend's own (a Functions
// key, a subscription key); every other name that never passes the gateway stays refused.
func (c *apiCheck) checkAuthHeader(at, name string) {
	folded := FoldHeader(name)
	credential := folded != "dpop" && slices.Contains(credentialHeaders(), folded)
	why := ""
	switch {
	case c.gateway.claimed(folded):
		why = "the gateway sends a claim under it"
	case folded == FoldHeader(c.api.Proof.CertificateHeader):
		why = "the front end sets it"
	case credential:
	case Removed(folded) != "":
		why = Removed(folded)
	default:
		why = unforwardable(name)
	}
	if why != "" {
		c.fault(at, "%s can't carry a secret: %s", name, why)
	}
	for _, h := range slices.Concat(required("", c.api.Headers), c.operationHeaders()) {
		if FoldHeader(h.Name) == folded {
			c.fault(at, "%s is demanded of callers too; a caller must not send what proves the gateway", name)
			return
		}
	}
}

func (c *apiCheck) operationHeaders() (out []RequiredHeader) {
	for _, op := range c.api.Operations {
		out = append(out, required("", op.Headers)...)
	}
	return out
}

func (c *apiCheck) checkOnBehalfOf(o *ByOnBehalfOf, at string) {
	ways := 0
	for _, there := range []bool{o.ClientSecret != "", o.Certificate != "", o.Federated != nil} {
		if there {
			ways++
		}
	}
	if ways != 1 {
		c.fault(at, "needs exactly one of clientSecret, certificate and federated: true, by which the API's registration proves itself")
	}
	if o.Federated != nil && !*o.Federated {
		c.fault(at+".federated", "false says nothing; remove the line")
	}
	if !slices.Equal(c.api.Issuers, []string{Entra}) {
		c.fault(at, "Entra exchanges its own tokens only; the API must accept no other issuer")
	}
	if c.api.Proof != (Proof{}) {
		c.fault(at, "a token that is bound to a key can't be exchanged; remove proof:")
	}
	if c.api.SigningKeys == "application" {
		c.fault(at, "Entra exchanges no token that was signed with an application's own keys (signingKeys)")
	}
	if c.api.Principals == "applications" {
		c.fault(at, "there is no user to act for: the API lets only applications in")
		return
	}
	for i, op := range c.api.Operations {
		if op.Reply == nil { // the others never call it
			c.checkActsForUser(fmt.Sprintf("operations.%d", i), &op)
		}
	}
}

// checkActsForUser: what no user can call would always be refused.
func (c *apiCheck) checkActsForUser(at string, op *Operation) {
	switch {
	case op.Allow == nil:
		c.fault(at, "%q is public, but the backend is called on behalf of a user, so nobody could call it; move it to an API without onBehalfOf", op.ID)
	case len(op.Allow.Scopes)+len(op.Allow.UserRoles) == 0:
		c.fault(at, "%q lets no user in, but the backend is called on behalf of one, so nobody could call it", op.ID)
	case len(op.Allow.Roles) > 0 && c.api.Principals != "users":
		c.warn(at+".allow.roles", "an application's call will be refused (user_required): the backend is called on behalf of a user; write principals: users")
	}
}
