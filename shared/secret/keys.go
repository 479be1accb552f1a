package secret

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"

	"tollgate/shared/sdk"
)

const (
	// Settle is how long a new version of a key is published before it signs, so
	// that whoever holds an older list of keys has met it by then.
	Settle = 10 * time.Minute

	maxVersions = 4  // published; whoever wants one gone sooner disables it
	maxPages    = 20 // of versions, 25 each
)

// Key is one key of a vault, P-256, that signs there. What it is asked isn't
// kept here; whoever asks says how long it is good.
type Key struct {
	vaults                Vaults
	vault, name, identity string
	now                   func() time.Time

	mu     sync.Mutex
	client *azkeys.Client
	public map[string]*ecdsa.PublicKey // by version; a version's key never changes
}

// NewKey is the key of that name, as that managed identity may use it ("" is the
// system-assigned one). It asks nobody yet.
func NewKey(vaults Vaults, vault, name, identity string, now func() time.Time) *Key {
	return &Key{vaults: vaults, vault: vault, name: name, identity: identity, now: now, public: map[string]*ecdsa.PublicKey{}}
}

func (k *Key) String() string { return k.vault + "/keys/" + k.name }

// Keys are the public keys of the enabled versions, the newest few. The first one
// is to sign; a version that was made just now comes later.
func (k *Key) Keys(ctx context.Context) ([]*ecdsa.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	versions, err := k.versions(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", k, err)
	}
	var out []*ecdsa.PublicKey
	for _, v := range versions {
		key, err := k.key(ctx, v.id)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", k, err)
		}
		out = append(out, key)
	}
	return out, nil
}

// Sign has the vault sign the digest with the version of that public key (ES256).
func (k *Key) Sign(ctx context.Context, public *ecdsa.PublicKey, digest [sha256.Size]byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := k.connect()
	if err != nil {
		return nil, err
	}
	version := k.versionOf(public)
	if version == "" {
		return nil, fmt.Errorf("sign with %s: it has no such version", k)
	}
	algorithm := azkeys.SignatureAlgorithmES256
	answer, err := client.Sign(ctx, k.name, version, azkeys.SignParameters{Algorithm: &algorithm, Value: digest[:]}, nil)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", k, plainly(err))
	}
	return answer.Result, nil
}

type keyVersion struct {
	id   string
	made time.Time
}

// versions are those that may be used now, as Keys has them.
func (k *Key) versions(ctx context.Context) ([]keyVersion, error) {
	client, err := k.connect()
	if err != nil {
		return nil, err
	}
	var all []keyVersion
	pages := client.NewListKeyPropertiesVersionsPager(k.name, nil)
	for range maxPages {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, plainly(err)
		}
		for _, p := range page.Value {
			if v, ok := k.usable(p); ok {
				all = append(all, v)
			}
		}
		if !pages.More() {
			return k.ordered(all)
		}
		if !k.own(*page.NextLink) {
			return nil, errors.New("the vault says that its list goes on elsewhere")
		}
	}
	return nil, errors.New("it has more versions than can be looked through")
}

// own: the next page is asked for with the token, which must not go elsewhere.
func (k *Key) own(link string) bool {
	u, err := url.Parse(link)
	v, vaultErr := url.Parse(k.vault)
	return err == nil && vaultErr == nil && u.Host == v.Host
}

func (k *Key) usable(p *azkeys.KeyProperties) (keyVersion, bool) {
	if p == nil || p.KID == nil || p.Attributes == nil || p.Attributes.Created == nil || p.Attributes.Enabled == nil || !*p.Attributes.Enabled {
		return keyVersion{}, false
	}
	now, a := k.now(), p.Attributes
	if a.NotBefore != nil && now.Before(*a.NotBefore) || a.Expires != nil && !now.Before(*a.Expires) {
		return keyVersion{}, false
	}
	return keyVersion{p.KID.Version(), *a.Created}, true
}

// ordered puts the newest settled version first, or the oldest where none has settled.
func (k *Key) ordered(all []keyVersion) ([]keyVersion, error) {
	if len(all) == 0 {
		return nil, errors.New("no version of it is enabled")
	}
	slices.SortFunc(all, func(a, b keyVersion) int { return cmp.Or(b.made.Compare(a.made), cmp.Compare(a.id, b.id)) })
	settled := k.now().Add(-Settle)
	signs := slices.IndexFunc(all, func(v keyVersion) bool { return !v.made.After(settled) })
	if signs < 0 {
		signs = len(all) - 1
	}
	first := all[signs]
	rest := slices.Delete(all, signs, signs+1)
	return append([]keyVersion{first}, rest[:min(len(rest), maxVersions-1)]...), nil
}

func (k *Key) key(ctx context.Context, version string) (*ecdsa.PublicKey, error) {
	k.mu.Lock()
	key := k.public[version]
	k.mu.Unlock()
	if key != nil {
		return key, nil
	}
	client, err := k.connect()
	if err != nil {
		return nil, err
	}
	answer, err := client.GetKey(ctx, k.name, version, nil)
	if err != nil {
		return nil, plainly(err)
	}
	j := answer.Key
	if j == nil || j.Crv == nil || *j.Crv != azkeys.CurveNameP256 || len(j.X) != 32 || len(j.Y) != 32 {
		return nil, errors.New("it isn't an EC key on P-256")
	}
	key, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, j.X, j.Y))
	if err != nil {
		return nil, errors.New("it isn't an EC key on P-256")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.public[version] = key
	return key, nil
}

func (k *Key) versionOf(public *ecdsa.PublicKey) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	for version, key := range k.public {
		if key.Equal(public) {
			return version
		}
	}
	return ""
}

// connect is the client, made when it is first needed.
func (k *Key) connect() (*azkeys.Client, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.client != nil {
		return k.client, nil
	}
	address, options := k.vaults.options(k.vault)
	c, err := azkeys.NewClient(address, sdk.Credential(k.vaults.Tokens, k.identity), &azkeys.ClientOptions{
		ClientOptions: options, DisableChallengeResourceVerification: sdk.Loopback(k.vault),
	})
	if err != nil {
		return nil, fmt.Errorf("make a client for %s", k.vault)
	}
	k.client = c
	return c, nil
}
