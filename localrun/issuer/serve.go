package issuer

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// routes lists every address. {tid} is a tenant's GUID.
func (i *Issuer) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tid}/.well-known/openid-configuration", i.document(onDiscovery, v1, i.discovery))
	mux.HandleFunc("GET /{tid}/v2.0/.well-known/openid-configuration", i.document(onDiscovery, v2, i.discovery))
	mux.HandleFunc("GET /{tid}/discovery/keys", i.document(onKeys, v1, i.keySet))
	mux.HandleFunc("GET /{tid}/discovery/v2.0/keys", i.document(onKeys, v2, i.keySet))
	mux.HandleFunc("POST /{tid}/oauth2/token", i.token(v1))
	mux.HandleFunc("POST /{tid}/oauth2/v2.0/token", i.token(v2))
	i.control(mux)
	return mux
}

// document serves one of the two public documents, or the fault that stands in its way.
func (i *Issuer) document(what string, v version, render func(tenant string, v version) (map[string]any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i.counted(what)
		tenant, _, err := i.tenant(r.PathValue("tid"))
		if err != nil {
			unknownTenant(r.PathValue("tid")).write(w, i.now())
			return
		}
		members, err := render(tenant, v)
		if err != nil {
			broken(err).write(w, i.now())
			return
		}
		if r.URL.Query().Has(redirectedMark) {
			i.counted("redirected")
		} else if fault, found := i.fault(what); found {
			fault.answer(w, r, members)
			return
		}
		writeDocument(w, members)
	}
}

// discovery holds what Entra's document does. The endpoints are all below
// BaseURL, so that no client is ever sent to the real Entra by mistake.
func (i *Issuer) discovery(tenant string, v version) (map[string]any, error) {
	iss, err := i.issuer(tenant, v)
	if err != nil {
		return nil, err
	}
	base := *i.base.Load() + "/" + tenant
	oauth, keys := base+"/oauth2", base+"/discovery/keys"
	responses := []string{"code", "id_token", "code id_token", "token id_token", "token"}
	scopes := []string{"openid"}
	if v == v2 {
		oauth, keys = base+"/oauth2/v2.0", base+"/discovery/v2.0/keys"
		responses = []string{"code", "id_token", "code id_token", "id_token token"}
		scopes = []string{"openid", "profile", "email", "offline_access"}
	}
	return map[string]any{
		"issuer":                                iss,
		"jwks_uri":                              keys,
		"token_endpoint":                        oauth + "/token",
		"authorization_endpoint":                oauth + "/authorize",
		"device_authorization_endpoint":         oauth + "/devicecode",
		"end_session_endpoint":                  oauth + "/logout",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic"},
		"response_modes_supported":              []string{"query", "fragment", "form_post"},
		"response_types_supported":              responses,
		"scopes_supported":                      scopes,
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"claims_supported": []string{"sub", "iss", "cloud_instance_name", "aud", "exp", "iat", "auth_time",
			"acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"},
		"request_uri_parameter_supported": false,
		"http_logout_supported":           true,
		"frontchannel_logout_supported":   true,
		"tenant_region_scope":             "EU",
		"cloud_instance_name":             cloudName,
	}, nil
}

func (i *Issuer) keySet(tenant string, v version) (map[string]any, error) {
	iss, err := i.issuer(tenant, v)
	if err != nil {
		return nil, err
	}
	published, err := i.keys[tenant].published()
	if err != nil {
		return nil, err
	}
	keys := make([]map[string]any, len(published))
	for at, key := range published {
		if keys[at], err = key.jwk(iss, v); err != nil {
			return nil, err
		}
	}
	return map[string]any{"keys": keys}, nil
}

func writeDocument(w http.ResponseWriter, members map[string]any) {
	w.Header().Set("Cache-Control", "max-age=86400, private")
	writeJSON(w, http.StatusOK, members)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		// Only our own values come here; a person at the laptop should see which one broke.
		status, text = http.StatusInternalServerError, []byte(strconv.Quote(err.Error()))
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may be gone; nothing is left to tell it
}

// complaint is a no in the form of RFC 6749 §5.2, with the members that Entra adds.
type complaint struct {
	status int
	word   string // RFC 6749's error code
	number int    // Entra's AADSTS number
	text   string
	basic  bool // the client tried HTTP Basic
	more   map[string]any
}

func unknownTenant(name string) *complaint {
	return &complaint{
		status: http.StatusBadRequest, word: "invalid_tenant", number: 90002,
		text: fmt.Sprintf("No tenant has the id %q here.", name),
	}
}

func broken(err error) *complaint {
	return &complaint{status: http.StatusInternalServerError, word: "server_error", number: 90033, text: err.Error()}
}

func (c *complaint) write(w http.ResponseWriter, now time.Time) {
	stamp := now.UTC().Format("2006-01-02 15:04:05Z")
	trace, correlation := guidOf("trace", opaque(16)), guidOf("correlation", opaque(16))
	noStore(w)
	if c.basic {
		// RFC 6749 §5.2: a client that used the Authorization header is told the scheme.
		w.Header().Set("WWW-Authenticate", `Basic realm="local issuer"`)
	}
	said := map[string]any{
		"error": c.word,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
			c.number, c.text, trace, correlation, stamp),
		"error_codes":    []int{c.number},
		"timestamp":      stamp,
		"trace_id":       trace,
		"correlation_id": correlation,
	}
	maps.Copy(said, c.more)
	writeJSON(w, c.status, said)
}

// noStore keeps tokens and refusals out of caches (RFC 6749 §5.1).
func noStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
}
