package contract

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// exchangeAudience is the one audience that Entra takes of another platform's token (entra-oauth.md §4); each cloud has its own.
func exchangeAudience(cloud string) string {
	return "api://AzureADTokenExchange" + map[string]string{"usgov": "USGov", "china": "China"}[cloud]
}

// GitHubIssuer issues the tokens of GitHub Actions.
const GitHubIssuer = "https://token.actions.githubusercontent.com"

// Federated is another platform's identity that Entra takes for a client.
type Federated struct{ Issuer, Subject, Audience string }

// kinds are the kinds of credential that are given, by where they stand.
func (c *Credentials) kinds() map[string]string {
	out := map[string]string{}
	for at, there := range map[string]bool{"github": c.GitHub != nil, "kubernetes": c.Kubernetes != nil, "aws": c.AWS != nil} {
		if there {
			out[at] = CredentialFederated
		}
	}
	if len(c.Certificates) > 0 {
		out["certificates"] = CredentialCertificate
	}
	return out
}

// federated are the platforms' identities, by platform.
func (c *Credentials) federated(cloud string) map[string]Federated {
	out, audience := map[string]Federated{}, exchangeAudience(cloud)
	if g := c.GitHub; g != nil {
		subject := "repo:" + g.Repository + ":"
		switch {
		case g.Environment != "":
			subject += "environment:" + g.Environment
		case g.Branch != "":
			subject += "ref:refs/heads/" + g.Branch
		default:
			subject += "ref:refs/tags/" + g.Tag
		}
		out["github"] = Federated{GitHubIssuer, subject, audience}
	}
	if k := c.Kubernetes; k != nil {
		out["kubernetes"] = Federated{k.Issuer, "system:serviceaccount:" + k.Namespace + ":" + k.ServiceAccount, audience}
	}
	if a := c.AWS; a != nil {
		out["aws"] = Federated{a.Issuer, a.Subject, audience}
	}
	return out
}

// checkCredentials: they must be of the kind that the client's contract promises.
func (b *binder) checkCredentials(at, kind string, c Credentials) {
	kinds := c.kinds()
	for _, word := range sortedKeys(kinds) {
		if kinds[word] != kind {
			b.envDoc.fault(at+"."+word+"#", "the client's credential is of kind %s, and this is for kind %s; change one of them", kind, kinds[word])
		}
	}
	if g := c.GitHub; g != nil {
		if n := count(g.Environment != "", g.Branch != "", g.Tag != ""); n != 1 {
			b.envDoc.fault(at+".github", "needs exactly one of environment, branch and tag: without it any job of the repository would be the client")
		}
		if !strings.Contains(g.Repository, "@") { // github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens
			b.envDoc.warn(at+".github.repository", "a name may be somebody else's one day, and for repositories made since July 2026 this never matches; let the repository use immutable subjects, and write OWNER@ID/NAME@ID")
		}
	}
	if c.Kubernetes != nil {
		b.checkIssuer(at+".kubernetes.issuer", c.Kubernetes.Issuer)
	}
	if c.AWS != nil {
		b.checkIssuer(at+".aws.issuer", c.AWS.Issuer)
	}
	for i, text := range c.Certificates {
		if _, why := clientCertificate(string(text)); why != "" {
			b.envDoc.fault(fmt.Sprintf("%s.certificates.%d", at, i), "%s", why)
		}
	}
}

func (b *binder) checkIssuer(at, issuer string) {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		b.envDoc.fault(at, "%q is not an https URL without query and fragment; Entra reads the issuer's keys from there", issuer)
	case b.entraAddresses()[issuer]:
		b.envDoc.fault(at, "%q is Entra's own: it takes no token of its own as another platform's", issuer)
	}
}

func count(flags ...bool) (n int) {
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n
}

// clientCertificate is the one certificate of a PEM text; why says what is
// wrong with it, and never what stands there: that may be a key.
func clientCertificate(text string) (cert *x509.Certificate, why string) {
	block, rest := pem.Decode([]byte(text))
	switch {
	case strings.Contains(text, "PRIVATE KEY"):
		return nil, "holds a private key, which belongs to the client alone; remove it, and since others may have read it by now, replace the certificate too"
	case block == nil || strings.TrimSpace(string(rest)) != "" || !strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN"):
		return nil, "is not one certificate as PEM text: -----BEGIN CERTIFICATE----- and the rest"
	case block.Type != "CERTIFICATE":
		return nil, "holds a " + block.Type + "; only a certificate belongs here"
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, "holds a certificate that can't be parsed: " + err.Error()
	}
	if key, ok := cert.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() < 2048 {
		return nil, "Entra verifies what clients sign by RSA keys of 2048 bits or more; this certificate's is another"
	}
	return cert, ""
}

// fingerprint names a certificate where it stands among others.
func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:8])
}

// RedirectURIs are a client's, by the platform that Entra files them under.
type RedirectURIs struct{ SPA, Web, Public []string }

// platforms: a client without a credential is a page (https) or a program on the
// user's machine; any other keeps its credential on a server.
func platforms(kind string, uris []string) (out RedirectURIs) {
	for _, uri := range slices.Sorted(slices.Values(uris)) {
		switch {
		case kind != CredentialNone:
			out.Web = append(out.Web, uri)
		case strings.HasPrefix(strings.ToLower(uri), "https://"):
			out.SPA = append(out.SPA, uri)
		default:
			out.Public = append(out.Public, uri)
		}
	}
	return out
}

// unredirectable says why Entra takes no such redirect URI, "" if it does.
func unredirectable(uri, kind string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "" || len(uri) > 256:
		return "is not a URI of at most 256 characters"
	case strings.ContainsAny(uri, "*#") || u.User != nil:
		return "must hold no *, no fragment and no user name: it is compared exactly"
	case u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1":
		return "is plain http, where the answer to a sign-in can be read on its way; use https, or http://localhost on the user's machine"
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host == "":
		return "has no host"
	case (u.Scheme == "https" || u.Scheme == "http") && u.Path == "":
		return "has no path; write at least the slash at its end"
	case u.Scheme != "https" && u.Scheme != "http" && kind != CredentialNone:
		return "is a scheme of a program on the user's machine, where a client of this kind can't keep its credential"
	case slices.Contains([]string{"javascript", "data", "file", "vbscript"}, u.Scheme):
		return "is a scheme that browsers act on themselves"
	}
	return ""
}
