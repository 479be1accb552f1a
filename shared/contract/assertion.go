package contract

import (
	"net/url"
	"strings"
	"time"
)

// Bounds of an assertion's lifetime: long enough for two clocks that differ a
// little, short enough that a stolen one is soon worth nothing.
const (
	minAssertion     = 5 * time.Second
	maxAssertion     = 5 * time.Minute
	DefaultAssertion = 60 * time.Second
)

// Where the key that certifies the instances' keys is kept.
const (
	KeptInVault   = "vault"
	KeptInProcess = "process"
)

// Assertion is the signed statement that goes with every call to a backend.
type Assertion struct {
	Audience Text     `field:"audience,required" doc:"Whom the assertion is for, its aud: one text for each backend, such as \"${backend.orders}\". The backend compares it exactly."`
	Lifetime Duration `field:"lifetime" doc:"How long an assertion may be presented, from 5s to 5m." default:"60s"`
}

// AssertionKey is where the key that certifies the instances' keys is kept.
type AssertionKey struct {
	KeptIn string `field:"keptIn,required" doc:"vault: in Key Vault, which signs with it. process: in the memory of each process, for one instance alone, as on a laptop." enum:"vault,process"`
	Vault  string `field:"vault" doc:"The vault, by its name under vaults." pattern:"^[a-z][a-z0-9-]{0,62}$"`
	Name   string `field:"name" doc:"The key's name in the vault: EC, P-256, with sign among its operations." pattern:"^[0-9a-zA-Z-]{1,127}$"`
}

// PlannedAssertion is Assertion, bound.
type PlannedAssertion struct {
	Audience string
	Lifetime time.Duration // whole seconds
}

// PlannedAssertionKey is AssertionKey, bound.
type PlannedAssertionKey struct {
	KeptIn      string // one of the above
	Vault, Name string // the vault's address, without a slash at the end, and the key's name in it
	Identity    string // client id of the managed identity that signs; "" for the system-assigned
}

func (c *apiCheck) checkAssertion() {
	a := c.api.Backend.Assertion
	if a == nil {
		return
	}
	c.placeholders("backend.assertion.audience", a.Audience)
	if life := time.Duration(a.Lifetime); life != 0 && (life < minAssertion || life > maxAssertion || life%time.Second != 0) {
		c.fault("backend.assertion.lifetime", "must be whole seconds, from 5s to 5m")
	}
}

func (b *binder) assertion(d *document, a *API) *PlannedAssertion {
	said := a.Backend.Assertion
	if said == nil {
		return nil
	}
	const at = "backend.assertion"
	if b.env.PublicURL == "" {
		d.fault(at, "an assertion names the gateway by its public address, and %s has no publicURL", b.env.doc.file)
	}
	if b.env.AssertionKey == nil {
		d.fault(at, "assertions need a key, and %s has no assertionKey", b.env.doc.file)
	}
	return &PlannedAssertion{Audience: b.bind(d, at+".audience", said.Audience), Lifetime: time.Duration(said.Lifetime)}
}

// assertionKey binds the key, once the APIs are. It is nil where none of them asks for assertions.
func (b *binder) assertionKey(p *Plan, faults *Faults) *PlannedAssertionKey {
	key := b.env.AssertionKey
	audiences := map[string]PlannedAPI{}
	for i, api := range p.APIs {
		a := api.Backend.Assertion
		if a == nil {
			continue
		}
		first, taken := audiences[a.Audience]
		if taken && host(first) != host(api) {
			b.view(b.estate.apis[i], faults).warn("backend.assertion.audience", "%q is also the audience of %s, whose backend is another; what proves a call to one would prove it to the other", a.Audience, first.Name)
		}
		audiences[a.Audience] = api
	}
	switch u, err := url.Parse(b.env.PublicURL); {
	case key == nil:
		return nil
	case len(audiences) == 0:
		b.envDoc.warn("assertionKey", "no API asks for assertions")
		return nil
	case key.KeptIn == KeptInProcess && err == nil && u.Host != "" && !loopback(u):
		b.envDoc.warn("assertionKey.keptIn", "each process makes its own key, so with more than one instance backends refuse what the others sign")
	}
	return b.rootKey(key)
}

// rootKey says where the key is, which takes a vault and a name, or neither.
func (b *binder) rootKey(key *AssertionKey) *PlannedAssertionKey {
	out := &PlannedAssertionKey{KeptIn: key.KeptIn}
	switch address := b.env.Vaults[key.Vault]; {
	case key.KeptIn != KeptInVault && key.Vault+key.Name != "":
		b.envDoc.fault("assertionKey", "vault and name are about a key that is kept in a vault; remove them, or write keptIn: vault")
	case key.KeptIn != KeptInVault:
	case key.Vault == "" || key.Name == "":
		b.envDoc.fault("assertionKey", "a key that is kept in a vault needs vault: and name:")
	case address == "":
		b.envDoc.fault("assertionKey.vault", "there is no vault %q under vaults:%s", key.Vault, suggest(key.Vault, sortedKeys(b.env.Vaults)))
	default:
		b.used["vaults."+key.Vault] = true
		out.Vault, out.Name, out.Identity = strings.TrimSuffix(address, "/"), key.Name, b.env.Identities[GatewayIdentity]
	}
	return out
}

func host(api PlannedAPI) string {
	if targets := api.Backend.Targets; len(targets) > 0 && targets[0].URL != nil {
		return targets[0].URL.Host
	}
	return ""
}
