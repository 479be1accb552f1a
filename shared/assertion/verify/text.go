package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"tollgate/shared/assertion/internal/jwk"
)

const (
	maxDepth = 8
	maxKid   = 64 // a thumbprint has 43 characters
)

var base64url = base64.RawURLEncoding.Strict()

// object is a JSON object by the exact names of its members.
type object map[string]json.RawMessage

// token is one JSON Web Token in compact form whose text has one reading.
type token struct {
	kid       string
	payload   object
	digest    [sha256.Size]byte // of what the signature is over
	signature []byte
}

// read takes a token apart without believing any of it yet.
func read(raw, typ string, most int) (*token, error) {
	if len(raw) > most {
		return nil, fmt.Errorf("it has %d bytes, the most is %d", len(raw), most)
	}
	// Go's decoder skips line breaks, so what stands between the dots is looked at first.
	if strings.ContainsFunc(raw, outside) || strings.Count(raw, ".") != 2 {
		return nil, errors.New("it isn't three parts of base64url (RFC 7515 §7.1)")
	}
	cut := strings.LastIndexByte(raw, '.')
	head, body, _ := strings.Cut(raw[:cut], ".")
	t := &token{digest: sha256.Sum256([]byte(raw[:cut]))}
	header, err := decodeObject(head)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := t.readHeader(header, typ); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if t.payload, err = decodeObject(body); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if t.signature, err = base64url.DecodeString(raw[cut+1:]); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	return t, nil
}

// outside the alphabet of base64url, and the dot.
func outside(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.')
}

// readHeader takes exactly the three members that the gateway writes. RFC 8725
// §3: one algorithm, the exact type, and no key, address of a key or demand
// (crit) of the token's own.
func (t *token) readHeader(h object, typ string) error {
	if len(h) != 3 {
		return errors.New("it must hold alg, kid and typ, and nothing else")
	}
	alg, err := h.text("alg")
	if err != nil || alg != "ES256" {
		return errors.New("alg isn't ES256")
	}
	if said, err := h.text("typ"); err != nil || said != typ {
		return fmt.Errorf("typ isn't %s", typ)
	}
	if t.kid, err = h.text("kid"); err != nil || t.kid == "" || len(t.kid) > maxKid {
		return errors.New("kid isn't a short text")
	}
	return nil
}

func (t *token) signedBy(key *ecdsa.PublicKey) bool { return jwk.Verify(key, t.digest, t.signature) }

func decodeObject(part string) (object, error) {
	data, err := base64url.DecodeString(part)
	if err != nil {
		return nil, err
	}
	return parse(data)
}

// parse reads one JSON object. encoding/json lets the last of several equal
// names win and replaces what isn't Unicode, so both are refused first; names
// are then compared exactly, never folded.
func parse(data []byte) (object, error) {
	switch {
	case !utf8.Valid(data):
		return nil, errors.New("not UTF-8")
	case len(data) == 0 || data[0] != '{':
		return nil, errors.New("not an object")
	case surrogate(data):
		return nil, errors.New("an escaped surrogate")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := unique(d, 0); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	var o object
	return o, json.Unmarshal(data, &o)
}

// surrogate: a half of a pair means nothing by itself, and decoders differ in
// what they make of it. The gateway writes characters as they are.
func surrogate(data []byte) bool {
	for i := 0; i+2 < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if i++; data[i] == 'u' && data[i+1]|0x20 == 'd' {
			return true
		}
	}
	return false
}

// unique reads one value and refuses a name that an object holds twice.
func unique(d *json.Decoder, depth int) error {
	first, err := d.Token()
	if err != nil {
		return err
	}
	opened, nested := first.(json.Delim)
	if !nested {
		return nil
	}
	if depth >= maxDepth {
		return errors.New("nested too deep")
	}
	seen := map[string]bool{}
	for d.More() {
		if opened == '{' {
			token, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := token.(string)
			if seen[name] {
				return errors.New("a name is there twice")
			}
			seen[name] = true
		}
		if err := unique(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
