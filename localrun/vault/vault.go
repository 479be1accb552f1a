// Package vault is a stand-in for Azure Key Vault on one machine: secrets with
// versions, behind the challenge that Key Vault answers with first.
//
// It holds a token to its audience and its time, and not to its signature: who
// runs it has everything in it.
package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tollgate/localrun/bearer"
	"tollgate/localrun/faults"
)

// Resource is what a token for any vault names as its audience.
const Resource = "https://vault.azure.net"

// The content types by which Key Vault says what a certificate's secret holds.
const (
	PKCS12 = "application/x-pkcs12"
	PEM    = "application/x-pem-file"
)

// Options says where its tokens come from.
type Options struct {
	Authority string           // the sign-in address, with the tenant, for the challenge
	Now       func() time.Time // nil = time.Now
}

// Vault is the stand-in. It is safe for concurrent use.
type Vault struct {
	faults.Set
	options Options
	mux     *http.ServeMux
	keys    keys

	mu      sync.Mutex
	secrets map[string][]version // the newest last
	reads   map[string]int
}

type version struct {
	id, value, kind string
	made            time.Time
}

// New makes an empty vault.
func New(o Options) *Vault {
	if o.Now == nil {
		o.Now = time.Now
	}
	v := &Vault{options: o, mux: http.NewServeMux(), secrets: map[string][]version{}, reads: map[string]int{}}
	v.mux.HandleFunc("GET /secrets/{name}", v.read)
	v.mux.HandleFunc("GET /secrets/{name}/{version...}", v.read)
	v.mux.HandleFunc("POST /_control/secret", faults.Local(v.controlSecret))
	v.serveKeys()
	v.Control(v.mux)
	return v
}

func (v *Vault) ServeHTTP(w http.ResponseWriter, r *http.Request) { v.mux.ServeHTTP(w, r) }

// Put gives a secret a new version. kind is its content type, "" for none.
func (v *Vault) Put(name, value, kind string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.options.Now()
	name = strings.ToLower(name)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%d", name, len(v.secrets[name]), now.UnixNano()))
	v.secrets[name] = append(v.secrets[name], version{hex.EncodeToString(sum[:16]), value, kind, now})
}

// Remove deletes a secret with all its versions.
func (v *Vault) Remove(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.secrets, strings.ToLower(name))
}

// Values are all that the vault ever held, by name and version.
func (v *Vault) Values() map[string]string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := map[string]string{}
	for name, versions := range v.secrets {
		for _, s := range versions {
			all[name+" "+s.id] = s.value
		}
	}
	return all
}

// Reads counts the answers that held the secret.
func (v *Vault) Reads(name string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reads[strings.ToLower(name)]
}

func (v *Vault) read(w http.ResponseWriter, r *http.Request) {
	if !v.Authorized(w, r) {
		return
	}
	if over, _ := v.Meet(w, r); over {
		return
	}
	if r.URL.Query().Get("api-version") == "" {
		complain(w, http.StatusBadRequest, "BadParameter", "api-version must be specified")
		return
	}
	name, id := r.PathValue("name"), r.PathValue("version")
	v.mu.Lock()
	defer v.mu.Unlock()
	all := v.secrets[strings.ToLower(name)]
	at := len(all) - 1
	if id != "" {
		at = slices.IndexFunc(all, func(s version) bool { return s.id == id })
	}
	if at < 0 {
		complain(w, http.StatusNotFound, "SecretNotFound", fmt.Sprintf("A secret with (name/id) %s was not found in this key vault.", name))
		return
	}
	v.reads[strings.ToLower(name)]++
	found := all[at]
	answer := map[string]any{
		"value": found.value, "id": "http://" + r.Host + "/secrets/" + name + "/" + found.id,
		"attributes": map[string]any{"enabled": true, "created": found.made.Unix(), "updated": found.made.Unix(), "recoveryLevel": "Recoverable"},
	}
	if found.kind != "" {
		answer["contentType"] = found.kind
	}
	write(w, http.StatusOK, answer)
}

// Authorized tells whether r carries a token for a vault; if not, the challenge
// has been answered, which is how Key Vault tells clients whom to ask.
func (v *Vault) Authorized(w http.ResponseWriter, r *http.Request) bool {
	raw, told := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if told && bearer.Good(raw, Resource, v.options.Now()) {
		return true
	}
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization="%s", resource="%s"`, v.options.Authority, Resource))
	complain(w, http.StatusUnauthorized, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
	return false
}

// controlSecret lets a person rotate a secret: POST {"name": …, "value": …}.
func (v *Vault) controlSecret(w http.ResponseWriter, r *http.Request) {
	var s struct{ Name, Value, ContentType string }
	if err := faults.Read(w, r, &s); err != nil || s.Name == "" || s.Value == "" {
		http.Error(w, "want a JSON object with name and value", http.StatusBadRequest)
		return
	}
	v.Put(s.Name, s.Value, s.ContentType)
	w.WriteHeader(http.StatusNoContent)
}

func complain(w http.ResponseWriter, status int, code, text string) {
	write(w, status, map[string]any{"error": map[string]string{"code": code, "message": text}})
}

func write(w http.ResponseWriter, status int, value any) {
	text, _ := json.Marshal(value) // texts, numbers and maps of them always marshal
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may be gone
}
