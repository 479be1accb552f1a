package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	defaultLifetime = 75 * time.Minute
	defaultClient   = "c11e0000-0000-4000-8000-000000000001" // a caller that nobody registered
	defaultUser     = "05e70000-0000-4000-8000-000000000001"
)

// version is the token format that a resource's manifest asks for.
type version string

const (
	v1 version = "v1"
	v2 version = "v2"
)

// Token is what a caller asks the stand-in to mint. It is also the JSON body of POST /_control/token.
type Token struct {
	Tenant     string         `json:"tenant,omitempty"`     // "" = home tenant
	API        string         `json:"api"`                  // name of the registration: sets aud (v2: its ClientID; v1: its AppIDURI)
	Version    string         `json:"version,omitempty"`    // "v2" (default) or "v1"
	Client     string         `json:"client,omitempty"`     // caller's app id; default: the first Client's ID, or a fixed GUID
	Roles      []string       `json:"roles,omitempty"`      // also a user's
	Scopes     []string       `json:"scopes,omitempty"`     // non-empty: a user's (delegated) token; empty: an application's
	User       string         `json:"user,omitempty"`       // user's object id; set (or Scopes set) = delegated token
	Lifetime   time.Duration  `json:"lifetime,omitempty"`   // 0 = 75 minutes; negative = already expired. JSON: a Go duration string
	Claims     map[string]any `json:"claims,omitempty"`     // replaces or adds members; a nil value removes the member
	Header     map[string]any `json:"header,omitempty"`     // replaces or adds JOSE header members; nil removes. See sign for alg
	Key        string         `json:"key,omitempty"`        // kid to sign with; default the current one. "stranger": a fresh key that is not published
	Undeclared bool           `json:"undeclared,omitempty"` // allow roles and scopes that the API doesn't declare
}

// plainToken has Token's members without its methods.
type plainToken Token

// wireToken shadows Lifetime, which travels as text such as "90s": a bare
// number would be nanoseconds, and nobody means those.
type wireToken struct {
	*plainToken
	Lifetime duration `json:"lifetime,omitempty"`
}

// MarshalJSON writes what UnmarshalJSON reads.
func (t Token) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireToken{(*plainToken)(&t), duration(t.Lifetime)})
}

// UnmarshalJSON is strict: an unknown field is an error that names the field.
// Numbers in claims and header keep their text, so that 1e18 stays 1e18.
func (t *Token) UnmarshalJSON(text []byte) error {
	wire := wireToken{plainToken: &plainToken{}}
	if err := decodeStrict(text, &wire); err != nil {
		return err
	}
	*t = Token(*wire.plainToken)
	t.Lifetime = time.Duration(wire.Lifetime)
	return nil
}

// duration is a time.Duration that JSON writes as "1m30s".
type duration time.Duration

func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

// decodeStrict refuses unknown fields and trailing bytes.
func decodeStrict(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	// More would overlook a stray closing brace; only the end of the text will do.
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind the JSON value")
	}
	return nil
}

func (t Token) version() (version, error) {
	switch version(t.Version) {
	case "", v2:
		return v2, nil
	case v1:
		return v1, nil
	}
	return "", fmt.Errorf("version %q is unknown; known: v1, v2", t.Version)
}

func (t Token) delegated() bool { return t.User != "" || len(t.Scopes) > 0 }

func (t Token) lifetime() time.Duration {
	if t.Lifetime == 0 {
		return defaultLifetime
	}
	return t.Lifetime
}

// Mint makes one token. It refuses an unknown tenant, API or key, and roles and
// scopes that the API doesn't declare unless t.Undeclared; anything else that
// is wrong with a token can be had through Claims and Header.
func (i *Issuer) Mint(t Token) (string, error) {
	text, err := i.mint(t)
	if err != nil {
		return "", fmt.Errorf("mint a token: %w", err)
	}
	return text, nil
}

func (i *Issuer) mint(t Token) (string, error) {
	tenant, ring, err := i.tenant(t.Tenant)
	if err != nil {
		return "", err
	}
	api, err := i.resource(t)
	if err != nil {
		return "", err
	}
	v, err := t.version()
	if err != nil {
		return "", err
	}
	iss, err := i.issuer(tenant, v)
	if err != nil {
		return "", err
	}
	key, err := ring.named(t.Key)
	if err != nil {
		return "", err
	}
	claims := i.grant(t, tenant).claims(v, iss, api)
	return sign(key, replaced(key.header(v), t.Header), replaced(claims, t.Claims))
}

// resource finds the API that a token is for and holds the token to what that API declares.
func (i *Issuer) resource(t Token) (API, error) {
	api, err := i.api(t.API)
	if err != nil || t.Undeclared {
		return api, err
	}
	return api, errors.Join(
		declared("role", api, t.Roles, api.Roles),
		declared("scope", api, t.Scopes, api.Scopes),
	)
}

// replaced returns members with changes laid over them: nil removes.
func replaced(members, changes map[string]any) map[string]any {
	for name, value := range changes {
		if value == nil {
			delete(members, name)
		} else {
			members[name] = value
		}
	}
	return members
}
