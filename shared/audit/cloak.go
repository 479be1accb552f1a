package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"tollgate/shared/contract"
)

// Secrets reads the secret behind a reference; secret.Source is one.
type Secrets interface {
	Read(ctx context.Context, ref contract.SecretRef) (string, error)
}

const (
	minSecret = 32 // a shorter one could be guessed from a pseudonym and the value it stands for
	// domains keep a pseudonym from being another digest under the same secret.
	domain  = "tollgate pseudonym 1\x00"
	version = "tollgate pseudonym version 1\x00"
)

// Cloak takes out of events what the contract keeps out of them. A nil Cloak does nothing.
type Cloak struct {
	omit, pseudonymise []string
	ref                contract.SecretRef
	secrets            Secrets
	leeway             *leeway
}

// NewCloak is nil where the contract keeps nothing out.
func NewCloak(p contract.PlannedAudit, secrets Secrets, now func() time.Time) *Cloak {
	if len(p.Omit)+len(p.Pseudonymise) == 0 {
		return nil
	}
	return &Cloak{p.Omit, p.Pseudonymise, p.Secret, secrets, &leeway{now: now}}
}

// Apply changes the event. What was to become a pseudonym and can't, because the
// secret can't be had, is left out: never in clear.
func (k *Cloak) Apply(ctx context.Context, e *Event) {
	if k == nil {
		return
	}
	for _, name := range k.omit {
		k.each(e, name, &e.Omitted, func(string, string) string { return "" })
	}
	if len(k.pseudonymise) == 0 {
		return
	}
	told, with := &e.Pseudonyms, func(string, string) string { return "" }
	secret, err := k.secret(ctx)
	if err != nil {
		told = &e.Omitted
	} else {
		with = func(kind, value string) string { return pseudonym(secret, kind, value) }
	}
	for _, name := range k.pseudonymise {
		k.each(e, name, told, with)
	}
	if len(e.Pseudonyms) > 0 {
		e.PseudonymKey = k.ref.Name + "/" + digest(secret, version, "")[:8]
	}
}

// each replaces what goes by the name, wherever the event holds it.
func (k *Cloak) each(e *Event, name string, told *[]string, with func(kind, value string) string) {
	found := false
	replace := func(at *string) {
		if *at != "" {
			e.hideCause(*at)
			*at, found = with(name, *at), true
		}
	}
	switch name {
	case "user":
		replace(&e.User)
	case "client":
		replace(&e.App)
	case "tenant":
		replace(&e.Tenant)
		if e.Issuer != "" { // its address holds the tenant's id, or stands for it
			e.hideCause(e.Issuer)
			e.Issuer, found = "", true
		}
	case "session":
		replace(&e.Session)
	case "address":
		replace(&e.Client)
	case "path":
		replace(&e.Path)
	case "subscription":
		replace(&e.Subscription)
		if strings.HasPrefix(e.Code, "key_") && e.Cause != "" { // it names the subscription, of a key that isn't good
			e.dropCause()
			found = true
		}
	}
	if found && e.Cause != "" && name != "address" && name != "path" && (e.Code == "token_revoked" || e.Code == "key_revoked") {
		e.dropCause() // it names an entry of the list: a digest of whom it is about that needs no secret
	}
	for i := range e.Claims {
		if c := &e.Claims[i]; name == "claim:"+c.Name || slices.Contains(covered(name), c.Name) {
			c.Values = slices.Clone(c.Values) // they may be the token's own
			for j := range c.Values {
				replace(&c.Values[j])
			}
			// An empty value has no pseudonym, and what is kept out is empty now.
			c.Values = slices.DeleteFunc(c.Values, func(v string) bool { return v == "" })
			if len(c.Values) == 0 {
				c.Name = "" // left out
			}
		}
	}
	e.Claims = slices.DeleteFunc(e.Claims, func(c Claim) bool { return c.Name == "" })
	if found {
		*told = append(*told, name)
	}
}

// hideCause leaves the cause out if it tells the value, in any case: why a token
// is revoked names the user, for one.
func (e *Event) hideCause(value string) {
	if e.Cause != "" && strings.Contains(strings.ToLower(e.Cause), strings.ToLower(value)) {
		e.dropCause()
	}
}

func (e *Event) dropCause() { e.Cause, e.Omitted = "", append(e.Omitted, "cause") }

// covered are the claims that say the same.
func covered(name string) []string {
	switch name {
	case "user":
		return []string{"oid", "sub"}
	case "client":
		return []string{"azp", "appid", "client_id"}
	case "tenant":
		return []string{"tid", "iss"}
	case "session":
		return []string{"uti", "jti"}
	}
	return nil
}

// pseudonym is 128 bits of a keyed digest: one value has one under one secret,
// whatever event it stands in.
func pseudonym(secret, kind, value string) string {
	return "p-" + digest(secret, domain+kind+"\x00", value)[:22]
}

func digest(secret, domain, value string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(domain))
	h.Write([]byte(value))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
