package token

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"
)

// load asks the issuer: discovery where the address isn't known, then the keys.
func (k *keySet) load() (*ring, string, error) {
	k.mu.Lock()
	jwks, stale := k.jwks, k.ring == nil || k.ring.old || k.now().Sub(k.ring.fetched) >= k.times.Refresh
	k.mu.Unlock()
	if jwks == "" || stale {
		var err error
		if jwks, err = k.discover(); err != nil {
			return nil, "", fmt.Errorf("discovery: %w", err)
		}
	}
	body, err := k.get(jwks)
	if err != nil {
		return nil, "", fmt.Errorf("key set: %w", err)
	}
	keys, err := k.parse(body)
	if err != nil {
		return nil, "", fmt.Errorf("key set: %w", err)
	}
	return &ring{keys: keys, fetched: k.now(), raw: body}, jwks, nil
}

// printable cuts what a warning repeats of a document.
func printable(s string) string { return s[:min(len(s), 64)] }

// discover reads the metadata with go-oidc. For Entra's v1 tokens its address
// isn't below the issuer, so the issuer is compared here instead of there.
func (k *keySet) discover() (string, error) {
	client := *k.client
	if k.issuer.AppID != "" {
		// entra-oauth.md §1: keys of one application come only from metadata asked for with its id.
		client.Transport = asking{client.Transport, "appid=" + url.QueryEscape(k.issuer.AppID)}
	}
	ctx := oidc.ClientContext(context.Background(), &client)
	ctx = oidc.InsecureIssuerURLContext(ctx, k.issuer.Issuer)
	provider, err := oidc.NewProvider(ctx, k.issuer.Discovery)
	if err != nil {
		return "", err
	}
	var doc struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := provider.Claims(&doc); err != nil {
		return "", err
	}
	if doc.Issuer != k.issuer.Issuer {
		return "", fmt.Errorf("the document at %s is for the issuer %q, want %q", k.issuer.Discovery, doc.Issuer, k.issuer.Issuer)
	}
	u, err := url.Parse(doc.JWKS)
	own, ownErr := url.Parse(k.issuer.Discovery)
	if err := errors.Join(err, ownErr); err != nil {
		return "", fmt.Errorf("jwks_uri: %w", err)
	}
	if u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || own.Scheme != "http") {
		return "", fmt.Errorf("jwks_uri %q isn't as safe as the document that names it", doc.JWKS)
	}
	return doc.JWKS, nil
}

func (k *keySet) get(address string) ([]byte, error) {
	resp, err := k.client.Get(address)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", address, resp.Status)
	}
	return io.ReadAll(resp.Body)
}

// parse takes the usable keys; one bad entry doesn't spoil the others.
func (k *keySet) parse(body []byte) (map[string]*jose.JSONWebKey, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	if len(doc.Keys) > maxKeys {
		return nil, fmt.Errorf("it holds %d keys, the most is %d", len(doc.Keys), maxKeys)
	}
	keys, twice := map[string]*jose.JSONWebKey{}, map[string]bool{}
	for _, raw := range doc.Keys {
		key, ok := k.usable(raw)
		if !ok {
			k.options.warn(fmt.Sprintf("a key of %s is not usable and is skipped: kid %q", k.issuer.Issuer, printable(key.KeyID)))
			continue
		}
		_, seen := keys[key.KeyID]
		twice[key.KeyID] = seen || twice[key.KeyID]
		keys[key.KeyID] = &key
	}
	for kid, dup := range twice { // which of them is meant can't be told
		if dup {
			k.options.warn(fmt.Sprintf("several keys of %s have one kid, and none of them is used: %q", k.issuer.Issuer, printable(kid)))
			delete(keys, kid)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no usable key")
	}
	return keys, nil
}

// usable: a public signature key, strong enough, and this issuer's own.
func (k *keySet) usable(raw json.RawMessage) (jose.JSONWebKey, bool) {
	var key jose.JSONWebKey
	var more struct {
		KeyOps []string        `json:"key_ops"`
		Issuer string          `json:"issuer"`
		D      json.RawMessage `json:"d"`
		P      json.RawMessage `json:"p"`
		Q      json.RawMessage `json:"q"`
	}
	if json.Unmarshal(raw, &key) != nil || json.Unmarshal(raw, &more) != nil {
		return key, false
	}
	if weak(key) {
		return key, false
	}
	// entra-oauth.md §1: a key may be bound to an issuer, with {tenantid} standing for the tenant.
	expected := strings.ReplaceAll(strings.ToLower(more.Issuer), "{tenantid}", k.issuer.Tenant)
	own := more.Issuer == "" || strings.EqualFold(expected, k.issuer.Issuer)
	secret := more.D != nil || more.P != nil || more.Q != nil // a published private key is anybody's
	ok := own && !secret && key.KeyID != "" && key.Valid() && key.IsPublic() &&
		(key.Use == "" || key.Use == "sig") &&
		(more.KeyOps == nil || slices.Contains(more.KeyOps, "verify"))
	return key, ok
}

// bounded cuts answers that are too large to be a key set.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxDocument {
		return nil, fmt.Errorf("%s answered more than %d bytes", r.URL.Redacted(), maxDocument)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// asking adds a query to each request.
type asking struct {
	http.RoundTripper
	query string
}

func (a asking) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.RawQuery = a.query
	return a.RoundTripper.RoundTrip(r)
}

// backOff doubles with each failure in a row, and is spread by up to half of
// itself, so that many instances don't come back to a broken issuer at once.
func (k *keySet) backOff() time.Duration {
	wait := min(retryAfter<<min(k.failed, 10), maxRetry)
	if k.options.Jitter != nil {
		wait -= time.Duration(k.options.Jitter() * float64(wait) / 2)
	}
	return wait
}

func (o Options) warn(text string) {
	if o.Warn != nil {
		o.Warn(text)
	}
}

// shortened: some errors hold the whole answer, and each refused request of an
// outage leaves the cause in an event.
func shortened(err error) string {
	const most = 512
	text := err.Error()
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
