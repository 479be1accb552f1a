package verify

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"tollgate/shared/assertion/internal/jwk"
	"tollgate/shared/assertion/internal/kept"
)

const (
	refreshRoots = 5 * time.Minute // as long as the gateway says that its answer keeps
	patience     = 5 * time.Second // of who needs the keys
	spare        = time.Second     // of who could do with older ones
	pause        = 2 * time.Second
	maxKeySet    = 64 << 10
	maxKeys      = 32
)

// roots are the gateway's public keys, by their thumbprints.
type roots struct {
	o    Options
	ring *kept.Value[map[string]*ecdsa.PublicKey]
}

func newRoots(o Options) *roots {
	r := &roots{o: o}
	if o.Client == nil {
		r.o.Client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	}
	client := *r.o.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r.o.Client = &client
	r.ring = kept.New(o.Now, kept.Times{Patience: patience, Spare: spare, Pause: pause}, r.fetch)
	return r
}

// key is nil where the gateway publishes none of that id, for all that can be known now.
func (r *roots) key(ctx context.Context, kid string) (*ecdsa.PublicKey, error) {
	ring, err := r.ring.Get(ctx)
	if err != nil {
		return nil, err
	}
	if key := ring[kid]; key != nil {
		return key, nil
	}
	// It may be a new key. While the set can't be had, nobody can say that it is not.
	if ring, err = r.ring.Newer(ctx, r.o.Refetch); err != nil {
		return nil, err
	}
	return ring[kid], nil
}

func (r *roots) fetch(ctx context.Context) (map[string]*ecdsa.PublicKey, kept.Span, error) {
	now := r.o.Now()
	span := kept.Span{Since: now.Add(-defaultLeeway), Renew: now.Add(refreshRoots), Until: now.Add(r.o.MaxStale)}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.o.JWKS, nil)
	if err != nil {
		return nil, span, err
	}
	resp, err := r.o.Client.Do(request)
	if err != nil {
		return nil, span, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, span, fmt.Errorf("%s answered %s", r.o.JWKS, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet+1))
	if err != nil {
		return nil, span, fmt.Errorf("read %s: %w", r.o.JWKS, err)
	}
	if len(body) > maxKeySet {
		return nil, span, fmt.Errorf("%s answered more than %d bytes", r.o.JWKS, maxKeySet)
	}
	ring, err := parseKeySet(body)
	if err != nil {
		return nil, span, fmt.Errorf("read %s: %w", r.o.JWKS, err)
	}
	return ring, span, nil
}

// parseKeySet takes the keys that ES256 can be verified with. A kid must be its
// key's thumbprint, so none can stand for another.
func parseKeySet(body []byte) (map[string]*ecdsa.PublicKey, error) {
	set, err := parse(body)
	if err != nil {
		return nil, err
	}
	var entries []object
	d := decoder{o: set}
	d.member("keys", &entries)
	if d.err != nil || len(entries) > maxKeys {
		return nil, errors.New("keys isn't a short list of keys")
	}
	ring := map[string]*ecdsa.PublicKey{}
	for _, entry := range entries {
		if kid, key := usable(entry); key != nil {
			ring[kid] = key
		}
	}
	if len(ring) == 0 {
		return nil, errors.New("it holds no usable key")
	}
	return ring, nil
}

// usable: RFC 7517 §5: a key that isn't understood is passed over.
func usable(entry object) (kid string, key *ecdsa.PublicKey) {
	var kty, crv, x, y string
	d := decoder{o: entry}
	for name, to := range map[string]*string{"kid": &kid, "kty": &kty, "crv": &crv, "x": &x, "y": &y} {
		d.text(name, to)
	}
	for name, want := range map[string]string{"use": "sig", "alg": "ES256"} {
		if _, there := entry[name]; there {
			var said string
			if d.text(name, &said); said != want {
				return "", nil
			}
		}
	}
	if d.err != nil || kty != "EC" || crv != "P-256" || entry["d"] != nil {
		return "", nil
	}
	key, err := jwk.Parse(x, y)
	if err != nil {
		return "", nil
	}
	if own, err := jwk.Thumbprint(key); err != nil || own != kid {
		return "", nil
	}
	return kid, key
}
