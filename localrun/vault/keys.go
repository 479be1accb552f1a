package vault

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tollgate/localrun/faults"
)

// keys are EC keys that sign and are never shown.
type keys struct {
	mu    sync.Mutex
	all   map[string][]*keyVersion // the newest last
	signs map[string]int
}

type keyVersion struct {
	id      string
	key     *ecdsa.PrivateKey
	made    time.Time
	enabled bool
}

func (v *Vault) serveKeys() {
	v.keys.all, v.keys.signs = map[string][]*keyVersion{}, map[string]int{}
	v.mux.HandleFunc("GET /keys/{name}/versions", v.guarded(v.listKey))
	v.mux.HandleFunc("GET /keys/{name}/{version}", v.guarded(v.readKey))
	v.mux.HandleFunc("POST /keys/{name}/{version}/sign", v.guarded(v.sign))
	v.mux.HandleFunc("POST /_control/key", faults.Local(v.controlKey))
}

// MakeKey gives a key a new version, and tells its id.
func (v *Vault) MakeKey(name string) (version string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	v.keys.mu.Lock()
	defer v.keys.mu.Unlock()
	name = strings.ToLower(name)
	v.keys.all[name] = append(v.keys.all[name], &keyVersion{hex.EncodeToString(id[:]), key, v.options.Now(), true})
	return hex.EncodeToString(id[:]), nil
}

// DisableKey takes one version of a key out of use.
func (v *Vault) DisableKey(name, version string) {
	v.keys.mu.Lock()
	defer v.keys.mu.Unlock()
	for _, k := range v.keys.all[strings.ToLower(name)] {
		k.enabled = k.enabled && k.id != version
	}
}

// Signatures counts those that the key made.
func (v *Vault) Signatures(name string) int {
	v.keys.mu.Lock()
	defer v.keys.mu.Unlock()
	return v.keys.signs[strings.ToLower(name)]
}

// guarded asks for a token, plays what faults say, and holds the lock.
func (v *Vault) guarded(answer func(w http.ResponseWriter, r *http.Request, versions []*keyVersion)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !v.Authorized(w, r) {
			return
		}
		if over, _ := v.Meet(w, r); over {
			return
		}
		v.keys.mu.Lock()
		defer v.keys.mu.Unlock()
		versions := v.keys.all[strings.ToLower(r.PathValue("name"))]
		switch {
		case r.URL.Query().Get("api-version") == "":
			complain(w, http.StatusBadRequest, "BadParameter", "api-version must be specified")
		case len(versions) == 0:
			complain(w, http.StatusNotFound, "KeyNotFound", "A key with that name was not found in this key vault.")
		default:
			answer(w, r, versions)
		}
	}
}

func (v *Vault) listKey(w http.ResponseWriter, r *http.Request, versions []*keyVersion) {
	var out []any
	for _, k := range versions {
		out = append(out, map[string]any{"kid": k.url(r), "attributes": k.attributes()})
	}
	write(w, http.StatusOK, map[string]any{"value": out, "nextLink": nil})
}

func (v *Vault) readKey(w http.ResponseWriter, r *http.Request, versions []*keyVersion) {
	k := find(w, r, versions)
	if k == nil {
		return
	}
	point, err := k.key.PublicKey.Bytes()
	if err != nil {
		complain(w, http.StatusInternalServerError, "InternalError", "the key can't be written")
		return
	}
	write(w, http.StatusOK, map[string]any{"attributes": k.attributes(), "key": map[string]any{
		"kid": k.url(r), "kty": "EC", "crv": "P-256", "key_ops": []string{"sign", "verify"},
		"x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:]),
	}})
}

func (v *Vault) sign(w http.ResponseWriter, r *http.Request, versions []*keyVersion) {
	k := find(w, r, versions)
	if k == nil {
		return
	}
	digest, err := digestIn(r.Body)
	switch {
	case err != nil:
		complain(w, http.StatusBadRequest, "BadParameter", err.Error())
		return
	case !k.enabled:
		complain(w, http.StatusForbidden, "Forbidden", "Operation sign is not allowed on a disabled key.")
		return
	}
	a, b, err := ecdsa.Sign(rand.Reader, k.key, digest)
	if err != nil {
		complain(w, http.StatusInternalServerError, "InternalError", "the key can't sign")
		return
	}
	signature := make([]byte, 64)
	a.FillBytes(signature[:32])
	b.FillBytes(signature[32:])
	v.keys.signs[strings.ToLower(r.PathValue("name"))]++
	write(w, http.StatusOK, map[string]any{"kid": k.url(r), "value": base64.RawURLEncoding.EncodeToString(signature)})
}

func digestIn(body io.Reader) ([]byte, error) {
	var asked struct{ Alg, Value string }
	if err := json.NewDecoder(io.LimitReader(body, 4<<10)).Decode(&asked); err != nil || asked.Alg != "ES256" {
		return nil, errors.New("want alg ES256 and value")
	}
	digest, err := base64.RawURLEncoding.DecodeString(asked.Value)
	if err != nil || len(digest) != 32 {
		return nil, errors.New("want the digest of SHA-256")
	}
	return digest, nil
}

func find(w http.ResponseWriter, r *http.Request, versions []*keyVersion) *keyVersion {
	at := slices.IndexFunc(versions, func(k *keyVersion) bool { return k.id == r.PathValue("version") })
	if at < 0 {
		complain(w, http.StatusNotFound, "KeyNotFound", "There is no such version of that key.")
		return nil
	}
	return versions[at]
}

func (k *keyVersion) url(r *http.Request) string {
	return "http://" + r.Host + "/keys/" + r.PathValue("name") + "/" + k.id
}

func (k *keyVersion) attributes() map[string]any {
	return map[string]any{"enabled": k.enabled, "created": k.made.Unix(), "updated": k.made.Unix(), "recoveryLevel": "Recoverable"}
}

// controlKey lets a person rotate a key: POST {"name": …}.
func (v *Vault) controlKey(w http.ResponseWriter, r *http.Request) {
	var k struct{ Name string }
	if err := faults.Read(w, r, &k); err != nil || k.Name == "" {
		http.Error(w, "want a JSON object with name", http.StatusBadRequest)
		return
	}
	version, err := v.MakeKey(k.Name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	write(w, http.StatusOK, map[string]string{"version": version})
}
