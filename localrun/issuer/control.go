package issuer

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

const maxControlBody = 1 << 20

// control mounts what a person on the laptop reaches and Entra doesn't have.
func (i *Issuer) control(mux *http.ServeMux) {
	mux.HandleFunc("GET /_control", local(i.controlSummary))
	mux.HandleFunc("GET /_control/fetches", local(i.controlFetches))
	mux.HandleFunc("POST /_control/token", local(i.controlToken))
	mux.HandleFunc("POST /_control/rotate", local(i.controlRotate))
	mux.HandleFunc("POST /_control/fault", local(i.controlFault))
	mux.HandleFunc("DELETE /_control/fault", local(i.controlHeal))
	mux.HandleFunc("POST /_control/token-fault", i.Tokens.Post)
	mux.HandleFunc("DELETE /_control/token-fault", i.Tokens.Delete)
}

// local keeps web pages out. A page that the person happens to visit can post
// to 127.0.0.1 (then the browser sends Origin), or have its own name resolve to
// 127.0.0.1 (then Host is that name); neither may mint a token.
func local(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		noStore(w)
		switch {
		case len(r.Header.Values("Origin")) > 0:
			writeProblem(w, http.StatusForbidden, "a web page can't use the control endpoints: the request has an Origin header")
		case !isLoopback(r.Host):
			writeProblem(w, http.StatusForbidden, fmt.Sprintf("the control endpoints answer to a loopback address only, not to host %q", r.Host))
		default:
			next(w, r)
		}
	}
}

// isLoopback takes localhost and literal addresses; any other name could be anybody's.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]") // no port
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// writeProblem answers a person, so it doesn't dress up as Entra.
func writeProblem(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": "invalid_request", "error_description": text})
}

// read decodes the body strictly, or answers why not.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
	if err == nil {
		err = decodeStrict(text, into)
	}
	if err != nil {
		writeProblem(w, http.StatusBadRequest, fmt.Sprintf("read the request: %v", err))
	}
	return err == nil
}

func (i *Issuer) controlToken(w http.ResponseWriter, r *http.Request) {
	var t Token
	if !read(w, r, &t) {
		return
	}
	text, err := i.Mint(t)
	if err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": text,
		"token_type":   "Bearer",
		"expires_in":   int64(t.lifetime().Seconds()),
	})
}

func (i *Issuer) controlRotate(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Tenant  string `json:"tenant"`
		KeepOld bool   `json:"keepOld"`
	}
	if !read(w, r, &asked) {
		return
	}
	kid, err := i.Rotate(asked.Tenant, asked.KeepOld)
	if err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"kid": kid})
}

func (i *Issuer) controlFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if !read(w, r, &f) {
		return
	}
	if err := f.check(); err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return
	}
	i.Fail(f)
	w.WriteHeader(http.StatusNoContent)
}

func (i *Issuer) controlHeal(w http.ResponseWriter, _ *http.Request) {
	i.Heal()
	w.WriteHeader(http.StatusNoContent)
}

func (i *Issuer) controlFetches(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, i.Fetches())
}

// controlSummary says what can be asked for. Client secrets stay out: whoever
// started the issuer has them.
func (i *Issuer) controlSummary(w http.ResponseWriter, _ *http.Request) {
	type api struct {
		Name     string   `json:"name"`
		AppIDURI string   `json:"appIdUri"`
		ClientID string   `json:"clientId"`
		Scopes   []string `json:"scopes"`
		Roles    []string `json:"roles"`
	}
	type client struct {
		Name  string              `json:"name"`
		ID    string              `json:"id"`
		Roles map[string][]string `json:"roles"`
	}
	apis, clients := []api{}, []client{} // empty lists, never null, as within them
	for _, a := range i.apis {
		apis = append(apis, api{a.Name, a.AppIDURI, a.ClientID, append([]string{}, a.Scopes...), append([]string{}, a.Roles...)})
	}
	for _, c := range i.clients {
		roles := c.Roles
		if roles == nil {
			roles = map[string][]string{}
		}
		clients = append(clients, client{c.Name, c.ID, roles})
	}
	writeJSON(w, http.StatusOK, map[string]any{"tenants": i.tenants, "apis": apis, "clients": clients})
}
