package issuer

import (
	"cmp"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const maxForm = 64 << 10

// token answers the client-credentials grant (RFC 6749 §4.4), the one grant that needs no browser.
func (i *Issuer) token(v version) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i.counted("token")
		tenant, _, err := i.tenant(r.PathValue("tid"))
		if err != nil {
			unknownTenant(r.PathValue("tid")).write(w, i.now())
			return
		}
		over, expired := i.obstructed(w, r)
		if over {
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		asked, resource, refused := i.asked(r, v, tenant)
		if refused != nil {
			refused.write(w, i.now())
			return
		}
		asked.Tenant, asked.Version = tenant, string(v)
		text, err := i.Mint(asked)
		if err != nil {
			broken(err).write(w, i.now())
			return
		}
		noStore(w)
		answer := i.granted(text, resource, v)
		if expired {
			answer["expires_in"] = 0
		}
		writeJSON(w, http.StatusOK, answer)
	}
}

// granted is Entra's answer: the older endpoint writes its numbers as text and says more.
func (i *Issuer) granted(text, resource string, v version) map[string]any {
	seconds := int64(defaultLifetime.Seconds())
	if v == v2 {
		return map[string]any{
			"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": text,
		}
	}
	now := i.now()
	return map[string]any{
		"token_type": "Bearer", "resource": resource, "access_token": text,
		"expires_in":     strconv.FormatInt(seconds, 10),
		"ext_expires_in": strconv.FormatInt(seconds, 10),
		"not_before":     strconv.FormatInt(now.Unix(), 10),
		"expires_on":     strconv.FormatInt(now.Add(defaultLifetime).Unix(), 10),
	}
}

// asked turns the form into the token it asks for, and says which resource it named.
func (i *Issuer) asked(r *http.Request, v version, tenant string) (Token, string, *complaint) {
	form, refused := readForm(r)
	if refused != nil {
		return Token{}, "", refused
	}
	if v == v2 && exchanging(form) {
		return i.exchange(form, tenant)
	}
	if grant := form.Get("grant_type"); grant != "client_credentials" {
		return Token{}, "", &complaint{
			status: http.StatusBadRequest, word: "unsupported_grant_type", number: 70003,
			text: fmt.Sprintf("The grant %q is not supported; known: client_credentials.", grant),
		}
	}
	client, refused := i.authenticate(r, form)
	if refused != nil {
		return Token{}, "", refused
	}
	api, resource, refused := i.target(form, v)
	if refused != nil {
		return Token{}, "", refused
	}
	t := Token{API: api.Name, Client: client.ID, Roles: client.Roles[api.Name]}
	if v == v1 {
		t.Claims = map[string]any{"aud": resource} // v1: the audience is spelt as the client asked for it
	}
	return t, resource, nil
}

func readForm(r *http.Request) (url.Values, *complaint) {
	if err := r.ParseForm(); err != nil {
		return nil, incomplete("The body can't be read as a form: " + err.Error() + ".")
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			// RFC 6749 §3.2: no parameter more than once.
			return nil, incomplete(fmt.Sprintf("The parameter %q is repeated.", name))
		}
	}
	if r.PostForm.Get("grant_type") == "" {
		return nil, incomplete(`The parameter "grant_type" is missing from the form.`)
	}
	return r.PostForm, nil
}

func incomplete(text string) *complaint {
	return &complaint{status: http.StatusBadRequest, word: "invalid_request", number: 900144, text: text}
}

// authenticate takes the secret from the form or from HTTP Basic, never from both (RFC 6749 §2.3).
func (i *Issuer) authenticate(r *http.Request, form url.Values) (Client, *complaint) {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	user, password, basic := r.BasicAuth()
	if basic {
		if secret != "" {
			return Client{}, incomplete("The client proves itself in two ways at once.")
		}
		// RFC 6749 §2.3.1: both halves are form-encoded first. Text that can't be decoded matches no client.
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(password)
	}
	if id == "" {
		return Client{}, incomplete(`The parameter "client_id" is missing from the form.`)
	}
	refuse := &complaint{status: http.StatusUnauthorized, word: "invalid_client", basic: basic}
	client, known := i.client(id)
	if !known {
		refuse.number, refuse.text = 700016, fmt.Sprintf("No client has the id %q here.", id)
		return Client{}, refuse
	}
	if client.Secret == "" || subtle.ConstantTimeCompare([]byte(secret), []byte(client.Secret)) != 1 {
		refuse.number, refuse.text = 7000215, fmt.Sprintf("The secret is not that of client %q.", id)
		return Client{}, refuse
	}
	return client, nil
}

// target finds the API that a v2 scope or a v1 resource names.
func (i *Issuer) target(form url.Values, v version) (API, string, *complaint) {
	asked, parameter := form.Get("resource"), "resource"
	if v == v2 {
		scope := form.Get("scope")
		resource, isDefault := strings.CutSuffix(scope, "/.default")
		if scope != "" && !isDefault {
			return API{}, "", &complaint{
				status: http.StatusBadRequest, word: "invalid_scope", number: 1002012,
				text: fmt.Sprintf("The scope %q must be one resource followed by /.default for this grant.", scope),
			}
		}
		asked, parameter = resource, "scope"
	}
	if asked == "" {
		return API{}, "", incomplete(fmt.Sprintf("The parameter %q is missing from the form.", parameter))
	}
	for _, api := range i.apis {
		// Entra knows an API by its URI, with or without a trailing slash, and by its id.
		uri := strings.TrimSuffix(cmp.Or(api.AppIDURI, api.ClientID), "/")
		if strings.TrimSuffix(asked, "/") == uri || strings.EqualFold(asked, api.ClientID) {
			return api, asked, nil
		}
	}
	word := "invalid_resource"
	if v == v2 {
		word = "invalid_scope" // RFC 6749 §5.2 has no word for a resource
	}
	return API{}, "", &complaint{
		status: http.StatusBadRequest, word: word, number: 500011,
		text: fmt.Sprintf("No API has the URI or id %q; known: %s.", asked, list(uris(i.apis))),
	}
}

func uris(apis []API) []string {
	var all []string
	for _, api := range apis {
		all = append(all, cmp.Or(api.AppIDURI, api.ClientID))
	}
	return all
}
