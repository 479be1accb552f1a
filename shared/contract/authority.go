package contract

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"time"
)

// authority binds a private certificate authority, as PEM.
func (b *binder) authority(d *document, name string) string {
	if name == "" {
		return ""
	}
	text := string(b.env.CA[name])
	b.used["ca."+name] = true
	if text == "" {
		d.fault("backend.ca", "%s binds no certificate authority %q%s; add it under ca:", b.env.doc.file, name, suggest(name, sortedKeys(b.env.CA)))
		return ""
	}
	if _, why := authorities(text); why != "" {
		b.envDoc.fault("ca."+name, "%s", why)
	}
	return text
}

// authorities are the certificates of a PEM text; why says what is wrong with it.
func authorities(text string) (certs []*x509.Certificate, why string) {
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, "holds a " + block.Type + "; only certificates belong here"
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			return nil, "holds a certificate that can't be parsed: " + err.Error()
		case !cert.IsCA:
			return nil, "the certificate of " + cert.Subject.String() + " is no authority's (basicConstraints); a server's own can't be trusted as one"
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 || strings.TrimSpace(string(rest)) != "" {
		return nil, "is not PEM text: -----BEGIN CERTIFICATE----- and the rest, one or more"
	}
	return certs, ""
}

// Outdated warns of certificate authorities that have expired: their backends
// will be unreachable, and nothing else is.
func (p *Plan) Outdated(now time.Time) Faults {
	var out Faults
	for _, api := range p.APIs {
		certs, _ := authorities(api.Backend.CA)
		for _, cert := range certs {
			if now.After(cert.NotAfter) {
				out = append(out, Fault{
					File: api.File, Line: api.lines["backend.ca"], Column: 1, Width: 1, Warning: true,
					Message: "the certificate authority " + cert.Subject.String() + " expired on " + cert.NotAfter.UTC().Format(time.DateOnly) + "; renew it in the environment's ca:",
				})
			}
		}
	}
	return out
}

func pemNames(values map[string]PEM) map[string]string {
	out := map[string]string{}
	for name, text := range values {
		out[name] = string(text)
	}
	return out
}
