package contract

import (
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

// entraIssuers are the tenant's issuers, one for each accepted token version.
// entra-oauth.md §1: v1 ends with a slash, v2 doesn't, and each has its own metadata.
func (b *binder) entraIssuers() []TrustedIssuer {
	c := cloudOf(b.env.Cloud)
	if b.env.Authority != "" {
		// A stand-in can't sign for sts.windows.net; it issues v1 tokens under its own address.
		base := strings.TrimSuffix(b.env.Authority, "/")
		c = cloud{base, base}
	}
	tenant := strings.ToLower(b.env.Tenant)
	var out []TrustedIssuer
	for _, v := range b.estate.Gateway.Identity.TokenVersions {
		is := TrustedIssuer{Name: Entra, Tenant: tenant, TokenVersion: "2.0", Discovery: c.signIn + "/" + tenant + "/v2.0"}
		is.Issuer = is.Discovery
		if v == "v1" {
			is = TrustedIssuer{Name: Entra, Tenant: tenant, TokenVersion: "1.0", Discovery: c.signIn + "/" + tenant, Issuer: c.v1Issuer + "/" + tenant + "/"}
		}
		out = append(out, is)
	}
	return out
}

func (b *binder) otherIssuers(d *document) []TrustedIssuer {
	var out []TrustedIssuer
	seen := map[string]bool{}
	for _, is := range b.entraIssuers() {
		seen[is.Issuer] = true
	}
	for i, is := range b.estate.Gateway.Identity.Issuers {
		at := join(join("identity.issuers", strconv.Itoa(i)), "issuer")
		t := TrustedIssuer{Name: is.Name, Issuer: b.bind(d, at, is.Issuer)}
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
