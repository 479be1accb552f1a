package token

import (
	"encoding/base64"
	"net/http"
	"strings"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// MaxLength is the longest token that is read: 32 KiB. An Entra token with the
// 200 groups that fit before overage is about 12 KiB.
const MaxLength = 32 << 10

// maxKid bounds a key id; Entra's are 27 characters. It is used as a map key and nothing else.
const maxKid = 256

// credential takes the one credential out of the request (RFC 6750 §2.1, RFC
// 9449 §7.1). dpop: that scheme is taken too, and was used if it is returned true.
func credential(h http.Header, dpop bool) (raw string, underDPoP bool, refused *refusal.Refusal) {
	values := h.Values("Authorization")
	switch {
	case len(values) == 0:
		return "", false, missing("Send an access token in the Authorization header.")
	case len(values) > 1:
		// RFC 6750 §3.1: more than one way of sending a token is invalid_request.
		return "", false, refusal.New(refusal.Malformed, "multiple_credentials", "Send exactly one Authorization header.").
			Challenging(refusal.Challenge{Error: "invalid_request"})
	}
	scheme, raw, _ := strings.Cut(values[0], " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return raw, false, nil
	case strings.EqualFold(scheme, "DPoP") && dpop:
		return raw, true, nil
	case len(scheme) > 6 && strings.EqualFold(scheme[:6], "Bearer") && !letter(scheme[6]):
		return "", false, malformed("The token isn't separated from the scheme by one space.")
	}
	return "", false, missing("This API doesn't take credentials in that scheme.")
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// missing is RFC 6750 §3.1: no credentials, or another scheme: a bare challenge.
func missing(detail string) *refusal.Refusal {
	return refusal.New(refusal.Unauthenticated, "token_missing", detail).Challenging(refusal.Challenge{})
}

func malformed(detail string) *refusal.Refusal {
	return refusal.New(refusal.Unauthenticated, "malformed", detail)
}

// text is a token whose exact text is strict: one text, one meaning.
type text struct {
	raw    string
	alg    string
	kid    string
	typ    string
	claims pipeline.Claims
}

// read takes a token apart without believing any of it yet.
func read(raw string, algorithms map[string]bool) (*text, *refusal.Refusal) {
	if len(raw) > MaxLength {
		return nil, malformed("The token is longer than 32 KiB.")
	}
	parts, refused := split(raw)
	if refused != nil {
		return nil, refused
	}
	header, err := segment(parts[0])
	if err != nil {
		return nil, malformed("The token's header can't be read.").Because(err)
	}
	t := &text{raw: raw}
	if refused := t.readHeader(header, algorithms); refused != nil {
		return nil, refused
	}
	if t.claims, err = segment(parts[1]); err != nil {
		return nil, malformed("The token's payload can't be read.").Because(err)
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(parts[2]); err != nil {
		return nil, malformed("The token's signature can't be read.")
	}
	return t, nil
}

// split cuts the compact serialisation (RFC 7515 §7.1) into its three parts.
func split(raw string) (parts [3]string, refused *refusal.Refusal) {
	if strings.IndexFunc(raw, outsideToken) >= 0 {
		return parts, malformed("The token holds characters that a token can't hold.")
	}
	dots := strings.Count(raw, ".")
	if dots == 4 {
		return parts, refusal.New(refusal.Unauthenticated, "not_jws", "Encrypted tokens are not accepted.")
	}
	if dots != 2 {
		return parts, malformed("The token doesn't have three parts.")
	}
	header, rest, _ := strings.Cut(raw, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	parts = [3]string{header, payload, signature}
	// An empty signature is left to the algorithm check: "none" deserves its own answer.
	if header == "" || payload == "" {
		return parts, malformed("The token has an empty part.")
	}
	return parts, nil
}

// outsideToken: base64url and dots. It is checked first because Go's decoder skips line breaks.
func outsideToken(r rune) bool {
	return !(r < 0x80 && letter(byte(r)) || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.')
}

// segment decodes one part. Strict refuses set bits after the last whole byte,
// which would give one token several texts.
func segment(part string) (pipeline.Claims, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, err
	}
	return parseObject(data)
}

// readHeader checks the JOSE header. RFC 8725 §3: pin the algorithm, never
// follow what the token itself says about keys.
func (t *text) readHeader(h pipeline.Claims, algorithms map[string]bool) *refusal.Refusal {
	alg, isText := h["alg"].(string)
	if !isText || !algorithms[alg] {
		return refusal.New(refusal.Unauthenticated, "alg_not_allowed", "The token is not signed with an accepted algorithm.")
	}
	for _, name := range []string{"jwk", "jku", "x5c", "x5u"} {
		if _, there := h[name]; there {
			return refusal.New(refusal.Unauthenticated, "embedded_key", "The token brings its own key.")
		}
	}
	for _, name := range []string{"crit", "b64", "zip", "enc"} {
		if _, there := h[name]; there {
			return malformed("The token's header asks for something that is not supported.")
		}
	}
	if _, there := h["nonce"]; there {
		// Entra signs tokens for Microsoft Graph so that nobody else can verify them.
		return refusal.New(refusal.Unauthenticated, "graph_style_token", "The token was issued for Microsoft Graph; ask for one with this API's scope.")
	}
	t.alg = alg
	if typ, there := h["typ"]; there {
		if t.typ, isText = typ.(string); !isText {
			return malformed("The token's typ is not text.")
		}
	}
	if t.kid, isText = h["kid"].(string); !isText || t.kid == "" || len(t.kid) > maxKid {
		return malformed("The token doesn't name its key.")
	}
	return nil
}
