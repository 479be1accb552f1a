package verify

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"sync"
	"time"

	"tollgate/shared/assertion/internal/jwk"
)

// certified is an instance's key that the root vouched for.
type certified struct {
	public  *ecdsa.PublicKey
	kid     string // its RFC 7638 thumbprint
	expires time.Time
	root    *ecdsa.PublicKey // which one vouched
	rootKid string
}

// certified reads a key statement, or remembers it: an instance sends the same
// one for its whole life. Whether the root still vouches is asked each time.
func (v *Verifier) certified(ctx context.Context, statement string) (*certified, *Fault) {
	c := v.statements.find(statement)
	if c == nil {
		var fault *Fault
		if c, fault = v.newlyCertified(ctx, statement); fault != nil {
			return nil, fault
		}
	} else if root, fault := v.rootKey(ctx, c.rootKid); fault != nil {
		return nil, fault
	} else if !root.Equal(c.root) {
		return nil, refused("assertion_bad_signature", "The key statement's signature is not the gateway's.", nil)
	}
	now := v.o.Now()
	if !now.Before(c.expires.Add(v.o.Leeway)) {
		return nil, refused("assertion_key_expired", "The key statement has expired.", nil)
	}
	v.statements.keep(statement, c, now)
	return c, nil
}

func (v *Verifier) newlyCertified(ctx context.Context, statement string) (*certified, *Fault) {
	t, err := read(statement, KeyType, MaxKeyLength)
	if err != nil {
		return nil, malformed("The key statement can't be read.", err)
	}
	root, fault := v.rootKey(ctx, t.kid)
	if fault != nil {
		return nil, fault
	}
	if !t.signedBy(root) {
		return nil, refused("assertion_bad_signature", "The key statement's signature is not the gateway's.", nil)
	}
	c, err := v.vouched(t.payload)
	if err != nil {
		return nil, malformed("The key statement's claims can't be read.", err)
	}
	c.root, c.rootKid = root, t.kid
	return c, nil
}

func (v *Verifier) rootKey(ctx context.Context, kid string) (*ecdsa.PublicKey, *Fault) {
	root, err := v.roots(ctx, kid)
	switch {
	case err != nil:
		return nil, unavailable("assertion_keys_unavailable", "The gateway's keys can't be fetched now.", err)
	case root == nil:
		return nil, refused("assertion_unknown_key", "The key statement is signed with no key of the gateway.", nil)
	}
	return root, nil
}

// vouched is what a genuine statement says (RFC 7800 §3.2: cnf.jwk).
func (v *Verifier) vouched(o object) (*certified, error) {
	var issuer, kty, crv, x, y string
	var issued, expires time.Time
	var cnf, key object
	d := decoder{o: o}
	d.text("iss", &issuer)
	d.time("iat", &issued)
	d.time("exp", &expires)
	d.member("cnf", &cnf)
	c := decoder{o: cnf, err: d.err}
	c.member("jwk", &key)
	k := decoder{o: key, err: c.err}
	k.text("kty", &kty)
	k.text("crv", &crv)
	k.text("x", &x)
	k.text("y", &y)
	switch {
	case k.err != nil:
		return nil, k.err
	case issuer != v.o.Issuer:
		return nil, errors.New("iss is another gateway")
	case kty != "EC" || crv != "P-256" || key["d"] != nil: // a private key that is sent around is anybody's
		return nil, errors.New("cnf.jwk isn't a public P-256 key")
	case issued.After(v.o.Now().Add(v.o.Leeway)) || expires.Sub(issued) > maxKeyLife:
		return nil, errors.New("iat and exp aren't those of a short-lived key")
	}
	public, err := jwk.Parse(x, y)
	if err != nil {
		return nil, err
	}
	kid, err := jwk.Thumbprint(public)
	return &certified{public: public, kid: kid, expires: expires}, err
}

// maxStatements bounds the memory: each gateway instance has one or two, for an hour.
const maxStatements = 256

type statements struct {
	mu   sync.Mutex
	seen map[string]*certified
}

func (s *statements) find(text string) *certified {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[text]
}

// keep remembers a genuine statement; only the gateway can fill this memory.
func (s *statements) keep(text string, c *certified, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[text] == c {
		return
	}
	if len(s.seen) >= maxStatements {
		for text, old := range s.seen {
			if !now.Before(old.expires) {
				delete(s.seen, text)
			}
		}
	}
	if s.seen == nil || len(s.seen) >= maxStatements {
		s.seen = map[string]*certified{}
	}
	s.seen[text] = c
}
