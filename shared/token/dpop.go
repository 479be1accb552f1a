package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

const (
	maxProof = 8 << 10 // bytes; the largest honest one, with a 4096-bit RSA key, has about 2 KiB
	maxJTI   = 256     // bytes
)

// proofs verifies DPoP proofs (RFC 9449) for one gateway and remembers those it
// has seen. They are remembered in this process only: each further instance
// would take the same proof once more.
type proofs struct {
	origin string
	window time.Duration
	now    func() time.Time
	seen   *replays
}

// newProofs takes the configured public URL ("https://api.contoso.example"):
// proofs name it in htu, never the Host header. window is how far iat may be
// from now, either way, both ends included.
func newProofs(origin string, window time.Duration, now func() time.Time) *proofs {
	return &proofs{strings.TrimSuffix(origin, "/"), window, now, newReplays(2*window, maxReplays)}
}

// badProof is RFC 9449 §7.1's invalid_dpop_proof.
func badProof(detail string) *refusal.Refusal {
	return unauthenticated("invalid_dpop_proof", detail).
		Challenging(refusal.Challenge{Scheme: "DPoP", Error: "invalid_dpop_proof", Algs: proofAlgorithms()})
}

// proofAlgorithms are those a proof may be signed with (RFC 9449 §4.2: asymmetric
// ones only), for the challenge's algs.
func proofAlgorithms() []string { return []string{"ES256", "RS256", "PS256", "EdDSA"} }

// check verifies the request's one DPoP header against the access token's text
// and the thumbprint the token is bound to (cnf.jkt). path is the raw path. No
// nonce is ever demanded, so none can be wrong (RFC 9449 §9 leaves it to us).
//
// What costs little comes first, the signature late, and last of all the proof
// is remembered: nobody fills that memory with proofs that don't verify.
func (p *proofs) check(r *http.Request, path, rawToken, jkt string) *refusal.Refusal {
	now := p.now()
	raw, refused := onlyProof(r.Header)
	if refused != nil {
		return refused
	}
	f, refused := readProof(raw)
	if refused != nil {
		return refused
	}
	// RFC 9449 §4.3 (12): the key of the proof is the key of the token.
	if subtle.ConstantTimeCompare([]byte(f.thumbprint), []byte(jkt)) != 1 {
		return badProof("The DPoP proof is signed with another key than the token is bound to.")
	}
	if refused := f.checkRequest(r.Method, p.origin, path); refused != nil {
		return refused
	}
	if refused := f.checkClaims(rawToken, now, p.window); refused != nil {
		return refused
	}
	if !f.signed() {
		return badProof("The DPoP proof's signature doesn't match.")
	}
	return p.seen.admit(now, f)
}

// onlyProof: RFC 9449 §4.3 (1) and (2), one DPoP header with one JWT in it.
func onlyProof(h http.Header) (string, *refusal.Refusal) {
	values := h.Values("DPoP")
	switch {
	case len(values) == 0:
		return "", badProof("The token is bound to a key: send a DPoP proof with it.")
	case len(values) > 1:
		return "", badProof("Send exactly one DPoP header.")
	case len(values[0]) > maxProof:
		return "", badProof("The DPoP proof is longer than 8 KiB.")
	}
	return values[0], nil
}

// proof is a DPoP proof, not believed yet.
type proof struct {
	raw        string
	alg        string
	key        any    // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
	thumbprint string // of key, RFC 7638
	claims     pipeline.Claims

	// filled in by the checks
	target string // htu, normalised
	jti    string
	iat    time.Time
}

// readProof takes a proof apart, as strictly as a token.
func readProof(raw string) (*proof, *refusal.Refusal) {
	parts, refused := split(raw)
	if refused != nil {
		return nil, badProof("The DPoP proof is not a compact JWS.").Because(errors.New(refused.Detail))
	}
	header, err := segment(parts[0])
	if err != nil {
		return nil, badProof("The DPoP proof's header can't be read.").Because(err)
	}
	f := &proof{raw: raw}
	if refused := f.readHeader(header); refused != nil {
		return nil, refused
	}
	if f.claims, err = segment(parts[1]); err != nil {
		return nil, badProof("The DPoP proof's payload can't be read.").Because(err)
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(parts[2]); err != nil {
		return nil, badProof("The DPoP proof's signature can't be read.")
	}
	return f, nil
}

func (f *proof) readHeader(h pipeline.Claims) *refusal.Refusal {
	// RFC 9449 §4.3 (4). typ is a media type: case doesn't matter, and the text
	// stands for application/dpop+jwt, which may be written out (RFC 7515 §4.1.9).
	typ, _ := h["typ"].(string)
	if !strings.EqualFold(typ, "dpop+jwt") && !strings.EqualFold(typ, "application/dpop+jwt") {
		return badProof("The DPoP proof's typ is not dpop+jwt.")
	}
	alg, _ := h["alg"].(string)
	if !slices.Contains(proofAlgorithms(), alg) {
		return badProof("The DPoP proof is not signed with an accepted algorithm.")
	}
	// RFC 9449 §4.2 has the key in jwk; nothing else may name one, or change what is signed.
	for _, name := range []string{"jku", "x5u", "x5c", "crit", "b64", "zip", "enc"} {
		if _, there := h[name]; there {
			return badProof("The DPoP proof's header asks for something that is not supported.")
		}
	}
	jwk, _ := h["jwk"].(map[string]any)
	key, thumbprint, err := publicKey(jwk, alg)
	if err != nil {
		return badProof("The DPoP proof's jwk is not a public key for its algorithm.").Because(err)
	}
	f.alg, f.key, f.thumbprint = alg, key, thumbprint
	return nil
}

// publicKey is the key in a proof's jwk and its RFC 7638 thumbprint. The members
// that make the key are written anew, in the one form that is hashed; the same
// text is then parsed, so that key and thumbprint can't be of different keys.
func publicKey(jwk map[string]any, alg string) (key any, thumbprint string, err error) {
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", "x5u", "x5c"} {
		if _, there := jwk[name]; there { // RFC 9449 §4.3 (7)
			return nil, "", errors.New("it is not a public key alone")
		}
	}
	if !meantFor(jwk, alg) {
		return nil, "", errors.New("it is meant for something else")
	}
	canonical := map[string]string{}
	for name, want := range keyMembers(alg) {
		v, _ := jwk[name].(string)
		octets, err := base64.RawURLEncoding.Strict().DecodeString(v)
		switch {
		case want != "" && v != want:
			return nil, "", errors.New("its kty or crv doesn't fit the algorithm")
		case want == "" && (err != nil || len(octets) == 0 || strings.ContainsAny(v, "\r\n")):
			return nil, "", errors.New("it lacks a member, or one isn't base64url")
		case (name == "n" || name == "e") && octets[0] == 0: // RFC 7518 §6.3.1: no more octets than needed
			return nil, "", errors.New("one key would have two thumbprints")
		}
		canonical[name] = v
	}
	text, err := json.Marshal(canonical) // RFC 7638 §3: names in order, no white space; nothing in it needs escaping
	if err != nil {
		return nil, "", err
	}
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON(text); err != nil {
		return nil, "", errors.New("it isn't a valid key") // go-jose's error may repeat the caller's text
	}
	if weak(parsed) {
		return nil, "", errors.New("it is a weak key")
	}
	sum := sha256.Sum256(text)
	return parsed.Key, base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// keyMembers are the members that RFC 7638 §3.2 counts, with the value that the
// algorithm demands; "" is base64url (RFC 7518 §3.1, RFC 8037 §3.1).
func keyMembers(alg string) map[string]string {
	switch alg {
	case "ES256":
		return map[string]string{"kty": "EC", "crv": "P-256", "x": "", "y": ""}
	case "EdDSA":
		return map[string]string{"kty": "OKP", "crv": "Ed25519", "x": ""}
	default: // RS256, PS256
		return map[string]string{"kty": "RSA", "n": "", "e": ""}
	}
}

// meantFor: where a key says what it is for (RFC 7517 §4.2–4.4), it is for this.
func meantFor(jwk map[string]any, alg string) bool {
	for name, want := range map[string]string{"alg": alg, "use": "sig"} {
		if v, there := jwk[name]; there && v != want {
			return false
		}
	}
	ops, there := jwk["key_ops"]
	return !there || slices.Contains(strictTexts(ops), "verify")
}

// checkRequest: the proof was made for this method and this address.
func (f *proof) checkRequest(method, origin, path string) *refusal.Refusal {
	if htm, _ := f.claims["htm"].(string); htm == "" || htm != method { // RFC 9110 §9.1: methods are case-sensitive
		return badProof("The DPoP proof's htm is not the method of this request.")
	}
	htu, _ := f.claims["htu"].(string)
	named, readable := normalURI(htu)
	target, ok := normalURI(origin + path)
	// Without the slash the path would go on with the host's name.
	if !readable || !ok || !strings.HasPrefix(path, "/") || named != target {
		return badProof("The DPoP proof's htu is not the address of this request, without its query.")
	}
	f.target = target
	return nil
}

// checkClaims: the proof is fresh, has a name, and was made for this token.
func (f *proof) checkClaims(rawToken string, now time.Time, window time.Duration) *refusal.Refusal {
	iat, err := seconds(f.claims["iat"])
	if err != nil {
		return badProof("The DPoP proof's iat is not a time in whole seconds.").Because(err)
	}
	if iat.Before(now.Add(-window)) || iat.After(now.Add(window)) {
		return badProof("The DPoP proof was not made just now.")
	}
	jti, _ := f.claims["jti"].(string)
	if jti == "" || len(jti) > maxJTI {
		return badProof("The DPoP proof's jti is not a text of 1 to 256 bytes.")
	}
	ath, _ := f.claims["ath"].(string)
	sum := sha256.Sum256([]byte(rawToken))
	if subtle.ConstantTimeCompare([]byte(ath), []byte(base64.RawURLEncoding.EncodeToString(sum[:]))) != 1 {
		return badProof("The DPoP proof was made for another token.")
	}
	f.jti, f.iat = jti, iat
	return nil
}

// signed: by its own key, with the algorithm that the key was read for.
func (f *proof) signed() bool {
	jws, err := jose.ParseSignedCompact(f.raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(f.alg)})
	if err != nil {
		return false
	}
	_, err = jws.Verify(f.key)
	return err == nil && saltAsDemanded(f.alg, f.key, f.raw, jws.Signatures[0].Signature)
}
