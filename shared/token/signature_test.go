package token

import (
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"tollgate/shared/contract"
)

func signed(token string, signature []byte) string {
	return altered(token, 2, base64.RawURLEncoding.EncodeToString(signature))
}

func signatureOf(t *testing.T, token string) []byte {
	t.Helper()
	sig, err := base64.RawURLEncoding.DecodeString(token[strings.LastIndexByte(token, '.')+1:])
	must(err)
	return sig
}

func TestAnAlgorithmThatTheSignatureOrTheKeyDoesNotHaveIsRefused(t *testing.T) {
	k := rsaK1()
	claims := claimsText()
	bound := newIDP(k.jwk("alg", "RS256"), ecK().jwk("alg", "ES256"), rsaK2().jwk("alg", "RS512")).stage("RS256", "RS512", "PS256", "ES256", "EdDSA")
	free := newIDP(k.jwk(), ecK().jwk(), ec384().jwk(), edK().jwk()).stage("RS256", "RS512", "PS256", "ES256", "EdDSA")
	lying := func(alg string, by signer) string { return by.token(t, k.named(by.kid).as(alg).header(), claims) }

	for name, c := range map[string][2]string{
		"RS256 by a key without alg":       {presentToken(t, free, k.valid(t)), "granted"},
		"PS256 by a key without alg":       {presentToken(t, free, k.as("PS256").valid(t)), "granted"},
		"ES256 by an EC key":               {presentToken(t, free, ecK().valid(t)), "granted"},
		"EdDSA by an Ed25519 key":          {presentToken(t, free, edK().valid(t)), "granted"},
		"RS256 by a key of that alg":       {presentToken(t, bound, k.valid(t)), "granted"},
		"RS512 by a key of that alg":       {presentToken(t, bound, rsaK2().as("RS512").valid(t)), "granted"},
		"A4 PS256 with an RS256 signature": {presentToken(t, free, lying("PS256", k)), "401 bad_signature"},
		"A4 RS256 with a PS256 signature":  {presentToken(t, free, k.as("PS256").token(t, k.header(), claims)), "401 bad_signature"},
		"A4 RS512 with an RS256 signature": {presentToken(t, free, lying("RS512", k)), "401 bad_signature"},
		"A4 ES256 with an RSA key":         {presentToken(t, free, lying("ES256", k)), "401 bad_signature"},
		"A4 RS256 with an EC key":          {presentToken(t, free, lying("RS256", ecK())), "401 bad_signature"},
		"A4 ES256 with a P-384 key":        {presentToken(t, free, ec384().valid(t)), "401 bad_signature"},
		"A4 EdDSA with an EC key":          {presentToken(t, free, lying("EdDSA", ecK())), "401 bad_signature"},
		"A5 RS512 by a key of RS256":       {presentToken(t, bound, k.as("RS512").valid(t)), "401 bad_signature"},
		"A5 PS256 by a key of RS256":       {presentToken(t, bound, k.as("PS256").valid(t)), "401 bad_signature"},
		"A5 RS256 by a key of RS512":       {presentToken(t, bound, rsaK2().valid(t)), "401 bad_signature"},
	} {
		t.Run(name+": "+c[1], func(t *testing.T) { assertVerdict(t, c[0], c[1]) })
	}
}

func TestA26AKidIsOnlyAName(t *testing.T) {
	p := newIDP(rsaK1().jwk())
	stage := p.stage()
	assertVerdict(t, presentToken(t, stage, rsaK1().valid(t)), "granted")
	for _, kid := range []string{`../../etc/passwd`, `' or 1=1--`, `k1\u0000`, `K1`, ` k1`, `k1 `, `k1\n`, `${jndi:ldap://x}`, `k\u0301`, `https://login.idp.example/keys`} {
		t.Run(kid+" is refused: 401 unknown_key", func(t *testing.T) {
			token := rsaK1().token(t, `{"typ":"JWT","alg":"RS256","kid":"`+kid+`"}`, claimsText())
			assertVerdict(t, presentToken(t, stage, token), "401 unknown_key")
			_, refused := send(t.Context(), stage, "Bearer "+token)
			if text := refused.Detail + refused.Cause(); strings.Contains(text, "passwd") || strings.Contains(text, "jndi") {
				t.Errorf("got %q, want no kid in it", text)
			}
		})
	}
	if got := p.fetches("keys"); got != 2 {
		t.Errorf("got %d fetches of keys, want 2: the first, and one for all the unknown kids", got)
	}
}

func TestA26AnEscapedKidIsTheSameName(t *testing.T) {
	stage := newIDP(rsaK1().jwk()).stage()
	assertVerdict(t, presentToken(t, stage, rsaK1().token(t, `{"typ":"JWT","alg":"RS256","\u006bid":"\u006b1"}`, claimsText())), "granted")
}

func TestA28AnECDSASignatureOfAnotherShapeIsRefused(t *testing.T) {
	stage := newIDP(ecK().jwk()).stage("ES256")
	valid := ecK().valid(t)
	assertVerdict(t, presentToken(t, stage, valid), "granted")
	sig := signatureOf(t, valid)
	n := ecK().key.(*ecdsa.PrivateKey).Params().N
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	must(err)
	pair := func(r, s []byte) []byte { return append(append([]byte{}, r...), s...) }
	over := func(v *big.Int) []byte { return new(big.Int).Add(v, n).Bytes() } // may need a 33rd byte
	zero, order := make([]byte, 32), n.Bytes()
	for name, bad := range map[string][]byte{
		"r and s are 0":        pair(zero, zero),
		"r is 0":               pair(zero, sig[32:]),
		"s is 0":               pair(sig[:32], zero),
		"r is n":               pair(order, sig[32:]),
		"s is n":               pair(sig[:32], order),
		"r and s are n":        pair(order, order),
		"r is over n":          pair([]byte(strings.Repeat("\xff", 32)), sig[32:]),
		"s is over n":          pair(sig[:32], []byte(strings.Repeat("\xff", 32))),
		"s is s + n":           pair(sig[:32], over(s)),
		"DER":                  der,
		"one byte short":       sig[:63],
		"one byte long":        append(append([]byte{}, sig...), 0),
		"a zero byte in front": append([]byte{0}, sig...),
		"twice":                pair(sig, sig),
		"r and s exchanged":    pair(sig[32:], sig[:32]),
	} {
		t.Run("A28 "+name+" is refused: 401 bad_signature", func(t *testing.T) {
			assertVerdict(t, presentToken(t, stage, signed(valid, bad)), "401 bad_signature")
		})
	}
}

func TestA29AnRSASignatureOfAnotherLengthIsRefused(t *testing.T) {
	for _, alg := range []string{"RS256", "PS256"} {
		k := rsaK1().as(alg)
		stage := newIDP(k.jwk()).stage(alg)
		valid, short := k.valid(t), ""
		for i := 0; short == "" && i < 5000; i++ { // one in 256 starts with a zero byte
			token := k.token(t, k.header(), swap(t, claimsText(), `"u-1"`, fmt.Sprintf(`"u-%d"`, i)))
			if signatureOf(t, token)[0] == 0 {
				short = token
			}
		}
		assertVerdict(t, presentToken(t, stage, short), "granted")
		sig := signatureOf(t, valid)
		modulus := k.jwk()["n"].(string)
		for name, token := range map[string]string{
			"the leading zero left out": signed(short, signatureOf(t, short)[1:]),
			"a zero byte in front":      signed(valid, append([]byte{0}, sig...)),
			"a zero byte behind":        signed(valid, append(append([]byte{}, sig...), 0)),
			"the modulus added":         signed(valid, new(big.Int).Add(new(big.Int).SetBytes(sig), bigOf(modulus)).Bytes()),
			"the signature is 0":        signed(valid, make([]byte, 256)),
			"the signature is 1":        signed(valid, append(make([]byte, 255), 1)),
			"one byte":                  signed(valid, []byte{1}),
		} {
			t.Run("A29 "+alg+" "+name+" is refused: 401 bad_signature", func(t *testing.T) {
				assertVerdict(t, presentToken(t, stage, token), "401 bad_signature")
			})
		}
	}
}

func bigOf(text string) *big.Int {
	data, err := base64.RawURLEncoding.DecodeString(text)
	must(err)
	return new(big.Int).SetBytes(data)
}

// B38: both issuers are trusted, but each key only for its own.
func TestB38AKeyCountsForItsOwnIssuerOnly(t *testing.T) {
	s := start(t)
	_, stage := s.trusting("RS256")
	both := s.trust.Verify([]contract.Accepted{s.acceptedV2(), {Issuer: s.v2(foreign), Audiences: []string{ordersID}}}, contract.Proof{})
	theirs := usersToken("v2")
	theirs.Tenant = foreign
	assertVerdict(t, presentToken(t, both, s.mint(t, theirs)), "granted")
	assertVerdict(t, presentToken(t, both, s.mint(t, usersToken("v2"))), "granted")

	posing := with(theirs, map[string]any{"iss": s.v2(home).Issuer, "tid": home})
	for name, st := range map[string]func(string) string{
		"warm": func(token string) string { return presentToken(t, both, token) },
		"cold": func(token string) string { return presentToken(t, stage, token) },
	} {
		t.Run("B38 signed by the other tenant's key, "+name+": 401 unknown_key", func(t *testing.T) {
			assertVerdict(t, st(s.mint(t, posing)), "401 unknown_key")
		})
	}
	t.Run("B38 signed by the other tenant's key under our kid: 401 bad_signature", func(t *testing.T) {
		kid := headerOf(t, s.mint(t, usersToken("v2")))["kid"]
		posing.Header = map[string]any{"kid": kid}
		assertVerdict(t, presentToken(t, both, s.mint(t, posing)), "401 bad_signature")
	})
	t.Run("B38 signed by a key that nobody publishes: 401 unknown_key", func(t *testing.T) {
		stranger := usersToken("v2")
		stranger.Key = "stranger"
		assertVerdict(t, presentToken(t, both, s.mint(t, stranger)), "401 unknown_key")
	})
}

func headerOf(t *testing.T, token string) map[string]any {
	t.Helper()
	h, err := segment(strings.Split(token, ".")[0])
	must(err)
	return h
}
