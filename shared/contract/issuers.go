package contract

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// clouds are Entra's sign-in addresses and v1 issuers, by cloud. The discovery
// document must name the same issuer, or its keys are not used: a cloud that
// differs fails shut, with 503 and the reason in the event.
type cloud struct{ signIn, v1Issuer string }

func cloudOf(name string) cloud {
	switch name {
	case "usgov":
		return cloud{"https://login.microsoftonline.us", "https://sts.windows.net"}
	case "china":
		return cloud{"https://login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn"}
	default:
		return cloud{"https://login.microsoftonline.com", "https://sts.windows.net"}
	}
}

// cloud is where this environment's Entra signs in and issues.
func (b *binder) cloud() cloud {
	if b.env.Authority == "" {
		return cloudOf(b.env.Cloud)
	}
	// A stand-in can't sign for sts.windows.net; it issues v1 tokens under its own address.
	base := strings.TrimSuffix(b.env.Authority, "/")
	return cloud{base, base}
}

// entraIssuers are the issuers of the tenants that an API accepts, one for each
// accepted token version. Each tenant has metadata and keys of its own
// (entra-oauth.md §1: keys may diverge), so no template is ever filled in from a token.
func (b *binder) entraIssuers(d *document, a *API) []TrustedIssuer {
	var out []TrustedIssuer
	for i, name := range a.Tenants {
		tenant := b.env.Tenants[name]
		b.used["tenants."+name] = true
		if name == Home {
			tenant = b.env.Tenant
		}
		if tenant == "" {
			d.fault("tenants."+strconv.Itoa(i), "%s binds no tenant %q%s", b.env.doc.file, name, suggest(name, append(sortedKeys(b.env.Tenants), Home)))
			continue
		}
		out = append(out, b.issuersOf(strings.ToLower(tenant), a)...)
	}
	return out
}

// issuersOf: entra-oauth.md §1: v1 ends with a slash, v2 doesn't, and each has its own metadata.
func (b *binder) issuersOf(tenant string, a *API) []TrustedIssuer {
	c := b.cloud()
	var out []TrustedIssuer
	for _, v := range b.estate.Gateway.Identity.TokenVersions {
		is := TrustedIssuer{Name: Entra, Profile: ProfileEntra, Tenant: tenant, TokenVersion: "2.0", Discovery: c.signIn + "/" + tenant + "/v2.0"}
		is.Issuer = is.Discovery
		if v == "v1" {
			is.TokenVersion, is.Discovery, is.Issuer = "1.0", c.signIn+"/"+tenant, c.v1Issuer+"/"+tenant+"/"
		}
		if a.SigningKeys == "application" {
			is.AppID = b.env.ClientID[a.Name]
		}
		out = append(out, is)
	}
	return out
}

// entraAddresses are all issuers of the environment's tenants, which no other issuer may pose as.
func (b *binder) entraAddresses() map[string]bool {
	out := map[string]bool{}
	c := b.cloud()
	for _, tenant := range append(slices.Collect(maps.Values(b.env.Tenants)), b.env.Tenant) {
		tenant = strings.ToLower(tenant)
		out[c.signIn+"/"+tenant+"/v2.0"], out[c.v1Issuer+"/"+tenant+"/"] = true, true
	}
	return out
}

func (b *binder) otherIssuers(d *document) []TrustedIssuer {
	var out []TrustedIssuer
	seen := b.entraAddresses()
	for i, is := range b.estate.Gateway.Identity.Issuers {
		at := join(join("identity.issuers", strconv.Itoa(i)), "issuer")
		t := TrustedIssuer{Name: is.Name, Profile: is.Profile, Issuer: b.bind(d, at, is.Issuer)}
		checkURL(d, at, t.Issuer, plainLoopback)
		if seen[t.Issuer] {
			d.fault(at, "%q is trusted already", t.Issuer)
		}
		seen[t.Issuer] = true
		t.Discovery = t.Issuer
		if is.Discovery != "" {
			at = strings.TrimSuffix(at, "issuer") + "discovery"
			t.Discovery = b.bind(d, at, is.Discovery)
			checkURL(d, at, t.Discovery, plainLoopback)
		}
		t.Discovery = strings.TrimSuffix(t.Discovery, "/")
		out = append(out, t)
	}
	return out
}
