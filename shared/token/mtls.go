package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"tollgate/shared/refusal"
)

// maxCertificate bounds the header, not the certificate: 32 KiB of text hold 8 KiB
// of DER even if every character is percent-encoded.
const maxCertificate = 32 << 10

// checkCertificate: the token's cnf["x5t#S256"] against the client certificate in
// header (RFC 8705 §3.1). The caller guarantees that the contract declared that
// header trustworthy: whoever ended the TLS connection wrote it, and nobody else can.
//
// The certificate isn't parsed. That its key was proved, and whatever else it had
// to fulfil, is the business of who ended TLS; the token names these very bytes.
func checkCertificate(h http.Header, header, thumbprint string) *refusal.Refusal {
	values := h.Values(header)
	switch {
	case len(values) == 0:
		return otherCertificate("The token is bound to a client certificate, and none came with this connection.")
	case len(values) > 1:
		return otherCertificate("More than one client certificate came with this request.")
	}
	der, ok := certificate(values[0])
	if !ok {
		return otherCertificate("The client certificate can't be read.")
	}
	sum := sha256.Sum256(der)
	got := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(got), []byte(thumbprint)) != 1 {
		return otherCertificate("The token is bound to another client certificate.")
	}
	return nil
}

// otherCertificate: RFC 8705 §3 wants 401 invalid_token, which New chooses.
func otherCertificate(detail string) *refusal.Refusal {
	return unauthenticated("certificate_mismatch", detail)
}

// certificate is the DER in the forms that front ends send: base64 on one line
// (Azure's X-ARR-ClientCert), PEM whose line breaks became white space, and
// either of them percent-encoded. More than one certificate isn't one.
func certificate(text string) ([]byte, bool) {
	if len(text) > maxCertificate {
		return nil, false
	}
	if strings.Contains(text, "%") {
		plain, err := url.PathUnescape(text) // not QueryUnescape: + is base64
		if err != nil {
			return nil, false
		}
		text = plain
	}
	text = strings.Trim(text, " \t\r\n")
	if inner, armoured := strings.CutPrefix(text, "-----BEGIN CERTIFICATE-----"); armoured {
		if text, armoured = strings.CutSuffix(inner, "-----END CERTIFICATE-----"); !armoured {
			return nil, false
		}
	}
	text = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(text)
	der, err := base64.StdEncoding.Strict().DecodeString(text)
	return der, err == nil && len(der) > 0
}
