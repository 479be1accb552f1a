package contract

import (
	"strings"
	"time"
)

// DefaultTry is how long one request to the store may take, and maxTry the longest that it can be told to.
const (
	DefaultTry = 250 * time.Millisecond
	maxTry     = 5 * time.Second
)

// DefaultRevocationStale is how long the list of revocations is used while the store can't be asked.
const DefaultRevocationStale = 5 * time.Minute

// store binds where things are kept, once APIs and products are. A contract that
// needs it stops the start without it.
func (b *binder) store(p *Plan, faults *Faults) {
	said, g := b.env.Store, b.view(b.estate.gateway, faults)
	if said == nil {
		b.needsStore(p, g, faults)
		return
	}
	checkURL(b.envDoc, "store.tables", said.Tables, plainLoopback)
	p.Store = &PlannedStore{Tables: strings.TrimSuffix(said.Tables, "/"), Identity: b.env.Identities[GatewayIdentity], Try: time.Duration(said.Try)}
	if p.Store.Try > maxTry {
		b.envDoc.fault("store.try", "is over %s; a slow store would make a slow gateway", maxTry)
	}
	p.Revocation = &PlannedRevocation{MaxStale: DefaultRevocationStale}
	if r := b.estate.Gateway.Revocation; r != nil && r.MaxStale > 0 {
		p.Revocation.MaxStale = time.Duration(r.MaxStale)
	}
	b.keyDigest(p, said.KeyDigest, g)
}

func (b *binder) needsStore(p *Plan, g *document, faults *Faults) {
	const without = "needs a store, and %s has none; add store: there"
	if b.estate.Gateway.Revocation != nil {
		g.fault("revocation", without, b.env.doc.file)
	}
	if len(p.Products) > 0 {
		g.fault("products", without, b.env.doc.file)
	}
	for i, api := range b.estate.APIs {
		d := b.view(b.estate.apis[i], faults)
		if len(api.Limits) > 0 {
			d.fault("limits", without, b.env.doc.file)
		}
		for j, op := range api.Operations {
			if len(op.Limits) > 0 {
				d.fault(operationAt(j)+".limits", without, b.env.doc.file)
			}
			if op.Allow != nil && op.Allow.Key != "" {
				d.fault(operationAt(j)+".allow.key", without, b.env.doc.file)
			}
		}
	}
}

// keyDigest binds the secret behind keys' digests.
func (b *binder) keyDigest(p *Plan, said *KeyDigest, g *document) {
	used := len(p.Products) > 0
	for _, api := range p.APIs {
		for _, op := range api.Operations {
			used = used || op.Key != KeyUnused
		}
	}
	switch {
	case said == nil && used:
		g.fault("products", "subscription keys are told by a digest under a secret, and %s names none; add keyDigest: to its store:", b.env.doc.file)
	case said == nil:
	case !used:
		b.envDoc.warn("store.keyDigest", "no contract uses subscription keys")
		b.used["vaults."+said.Vault] = true
	default:
		p.Store.Digest = b.stored(said, "current", said.Current)
		if said.Previous != "" {
			p.Store.Previous = b.stored(said, "previous", said.Previous)
		}
		if said.Previous == said.Current {
			b.envDoc.fault("store.keyDigest.previous", "is the current one; remove the line")
		}
	}
}

func (b *binder) stored(said *KeyDigest, word, name string) SecretRef {
	address := b.env.Vaults[said.Vault]
	b.used["vaults."+said.Vault] = true
	if address == "" && word == "current" {
		b.envDoc.fault("store.keyDigest.vault", "there is no vault %q under vaults:%s", said.Vault, suggest(said.Vault, sortedKeys(b.env.Vaults)))
	}
	return SecretRef{Vault: strings.TrimSuffix(address, "/"), Name: name, Identity: b.env.Identities[GatewayIdentity]}
}
