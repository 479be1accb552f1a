// Package identity is a stand-in for the endpoint at which App Service gives a
// Function App the tokens of its managed identities (protocol 2019-08-01).
package identity

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"tollgate/localrun/faults"
)

// Options says who may ask, and for whom.
type Options struct {
	Header     string                                                  // what X-IDENTITY-HEADER must be
	Identities []string                                                // client ids of the user-assigned identities
	Mint       func(clientID, resource string) (token string, _ error) // clientID is "" for the system-assigned identity
	Now        func() time.Time                                        // nil = time.Now
}

// Lifetime of a token: a day, as App Service gives it.
const Lifetime = 24 * time.Hour

// Identity is the stand-in. It is safe for concurrent use.
type Identity struct {
	faults.Set
	options Options
	mux     *http.ServeMux

	mu     sync.Mutex
	minted []string
}

// New makes one; the protocol lives at /msi/token.
func New(o Options) *Identity {
	if o.Now == nil {
		o.Now = time.Now
	}
	i := &Identity{options: o, mux: http.NewServeMux()}
	i.mux.HandleFunc("GET /msi/token", i.token)
	i.Control(i.mux)
	return i
}

func (i *Identity) ServeHTTP(w http.ResponseWriter, r *http.Request) { i.mux.ServeHTTP(w, r) }

// Minted are the tokens given out so far.
func (i *Identity) Minted() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.minted)
}

func (i *Identity) token(w http.ResponseWriter, r *http.Request) {
	over, expired := i.Meet(w, r)
	if over {
		return
	}
	query := r.URL.Query()
	id, resource := query.Get("client_id"), query.Get("resource")
	header := r.Header.Values("X-IDENTITY-HEADER")
	switch {
	case len(header) != 1 || subtle.ConstantTimeCompare([]byte(header[0]), []byte(i.options.Header)) != 1:
		complain(w, http.StatusUnauthorized, "the X-IDENTITY-HEADER is missing or wrong") // it keeps a forged request out
	case query.Get("api-version") != "2019-08-01" || resource == "":
		complain(w, http.StatusBadRequest, "api-version must be 2019-08-01, and resource must be there")
	case id != "" && !slices.Contains(i.options.Identities, id):
		complain(w, http.StatusBadRequest, "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.")
	default:
		i.grant(w, id, resource, expired)
	}
}

func (i *Identity) grant(w http.ResponseWriter, id, resource string, expired bool) {
	token, err := i.options.Mint(id, resource)
	if err != nil {
		complain(w, http.StatusInternalServerError, err.Error())
		return
	}
	i.mu.Lock()
	i.minted = append(i.minted, token)
	i.mu.Unlock()
	until := i.options.Now().Add(Lifetime)
	if expired {
		until = i.options.Now().Add(-time.Minute)
	}
	write(w, http.StatusOK, map[string]string{
		"access_token": token, "client_id": id, "resource": resource, "token_type": "Bearer",
		"expires_on": strconv.FormatInt(until.Unix(), 10), "not_before": strconv.FormatInt(i.options.Now().Unix(), 10),
	})
}

func complain(w http.ResponseWriter, status int, text string) {
	write(w, status, map[string]any{"statusCode": status, "message": text})
}

func write(w http.ResponseWriter, status int, value any) {
	text, _ := json.Marshal(value) // texts and numbers always marshal
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may be gone
}
